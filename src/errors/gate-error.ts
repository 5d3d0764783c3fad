import type { LimitName } from '../limit/limit-store.ts'
import type { Scope } from '../routes/route-table.ts'

/** Tokens that a request was estimated to take, and those that its key has left. */
export type TokenNeed = { needed: number; left: number | undefined }

/** Every refusal of the gate, with the evidence that its message needs. */
export type GateError =
  // The request's form.
  | { kind: 'bad-host' }
  | { kind: 'bad-path' }
  | { kind: 'bad-request'; detail: string; param?: string }
  | { kind: 'body-too-large' }
  | { kind: 'body-encoded' }
  | { kind: 'request-too-slow' }
  | { kind: 'upgrade-refused' }
  | { kind: 'loop' }
  | { kind: 'method-not-allowed'; allow: readonly string[] }
  | { kind: 'route-unknown' }
  // Who is asking.
  | { kind: 'credential-missing' }
  | { kind: 'credential-malformed' }
  | { kind: 'credential-unknown' }
  | { kind: 'credentials-conflict' }
  | { kind: 'basic-not-here' }
  | { kind: 'key-expired' }
  | { kind: 'key-disabled' }
  // What they may do.
  | { kind: 'scope-missing'; needed: readonly Scope[] }
  | { kind: 'cross-site' }
  | { kind: 'model-missing' }
  | { kind: 'model-unknown'; model: string; suggestion?: string | undefined }
  // What the key has used up.
  | { kind: 'limit-reached'; limit: LimitName; retryAfterMs: number; tokens: TokenNeed }
  | { kind: 'key-queue-full' }
  // What the box has room for.
  | { kind: 'queue-full' }
  | { kind: 'waited-too-long' }
  | { kind: 'model-not-loaded'; model: string }
  | { kind: 'draining' }
  // What upstream did.
  | { kind: 'upstream-unreachable' }
  | { kind: 'upstream-broken' }
  | { kind: 'upstream-not-llama-swap' }
  | { kind: 'upstream-timeout' }
  | { kind: 'upstream-busy'; retryAfterSeconds: number }
  | { kind: 'upstream-key-refused' }
  | { kind: 'model-loading'; retryAfterSeconds: number }
  | { kind: 'model-load-failed' }
  | { kind: 'upstream-refused'; status: number; message: string; type?: string; code?: string }
  | { kind: 'prompt-too-long'; message: string }
  /** The client has tried again and again with a prompt that does not fit. */
  | { kind: 'overflow-loop' }
  | { kind: 'stream-cut' }
  // The gate itself.
  /** What it counts limits and usage with cannot be reached. */
  | { kind: 'counters-unavailable' }
  | { kind: 'internal' }

const STATUSES: Record<Exclude<GateError['kind'], 'upstream-refused'>, number> = {
  'bad-host': 400,
  'bad-request': 400,
  'credentials-conflict': 400,
  'model-missing': 400,
  'prompt-too-long': 400,
  'overflow-loop': 400,
  'credential-missing': 401,
  'credential-malformed': 401,
  'credential-unknown': 401,
  'basic-not-here': 401,
  'key-expired': 401,
  'key-disabled': 401,
  'scope-missing': 403,
  'cross-site': 403,
  'bad-path': 404,
  'route-unknown': 404,
  'model-unknown': 404,
  'method-not-allowed': 405,
  'request-too-slow': 408,
  'body-too-large': 413,
  'body-encoded': 415,
  'upgrade-refused': 426,
  'limit-reached': 429,
  'key-queue-full': 429,
  internal: 500,
  'upstream-broken': 502,
  'upstream-not-llama-swap': 502,
  'upstream-key-refused': 502,
  'stream-cut': 502,
  'queue-full': 503,
  'waited-too-long': 503,
  'model-not-loaded': 503,
  draining: 503,
  'counters-unavailable': 503,
  'upstream-unreachable': 503,
  'upstream-busy': 503,
  'model-loading': 503,
  'model-load-failed': 503,
  'upstream-timeout': 504,
  // RFC 5842 §7.2.
  loop: 508,
}

/** HTTP status (RFC 9110 §15) of a refusal. */
export function statusOf(error: GateError): number {
  return error.kind === 'upstream-refused' ? error.status : STATUSES[error.kind]
}

/** Seconds after which a retry makes sense; undefined where none does or the client's own pace is right. */
export function retryAfterSecondsOf(error: GateError): number | undefined {
  switch (error.kind) {
    case 'limit-reached':
      return error.retryAfterMs / 1000
    case 'upstream-busy':
    case 'model-loading':
      return error.retryAfterSeconds
    case 'key-queue-full':
    case 'queue-full':
    case 'waited-too-long':
    case 'draining':
    case 'counters-unavailable':
    case 'upstream-unreachable':
      return 5
    // Each retry starts a load that failed a moment ago: clients that retry anyway should leave it time.
    case 'model-load-failed':
    // It is loaded when somebody else asks for it.
    case 'model-not-loaded':
      return 30
    default:
      return undefined
  }
}

/** What stays until somebody else does something. */
const NEEDS_SOMEBODY_ELSE: ReadonlySet<GateError['kind']> = new Set([
  'model-not-loaded',
  'model-load-failed',
  'upstream-key-refused',
  'upstream-not-llama-swap',
  'loop',
])

/** SDKs put a wait of their own, of a second or so, in the place of a longer one: better none at all. */
const LONGEST_WAIT_MS = 60_000

/**
 * Whether the same request may succeed later. openai's and Anthropic's SDKs obey `x-should-retry`; without it they
 * repeat every status from 500 on, and Claude Code repeats a 401 for a minute.
 */
export function isRetryable(error: GateError): boolean {
  if (error.kind === 'limit-reached') return error.retryAfterMs <= LONGEST_WAIT_MS
  if (error.kind === 'key-queue-full') return true
  if (NEEDS_SOMEBODY_ELSE.has(error.kind)) return false
  if (error.kind === 'upstream-refused') return error.status >= 500 && error.status !== 501
  return statusOf(error) >= 500
}

/** What the gate itself refuses with a status of the 5xx kind: upstream had no part in it. */
const REFUSED_BY_GATE: ReadonlySet<GateError['kind']> = new Set([
  'queue-full',
  'waited-too-long',
  'model-not-loaded',
  'draining',
  'counters-unavailable',
  'loop',
])

/** Whether it is the gate that says no, and not upstream that failed. */
export function isRefusal(error: GateError): boolean {
  return statusOf(error) < 500 || REFUSED_BY_GATE.has(error.kind)
}

/** Header fields that belong to a refusal, in lower case. */
export function headersOf(error: GateError): Record<string, string> {
  const headers: Record<string, string> = {}
  const seconds = retryAfterSecondsOf(error)
  if (seconds !== undefined) {
    headers['retry-after'] = String(Math.ceil(seconds))
    headers['retry-after-ms'] = String(Math.ceil(seconds * 1000))
  }
  if (!isRetryable(error)) headers['x-should-retry'] = 'false'
  // RFC 9110 §11.6.1. Never Basic for API routes: a browser would open its password box over a page that calls the API.
  if (statusOf(error) === 401) headers['www-authenticate'] = 'Bearer realm="swapgate"'
  if (error.kind === 'method-not-allowed') headers['allow'] = error.allow.join(', ')
  // RFC 9110 §15.5.22: a 426 names what to speak instead.
  if (error.kind === 'upgrade-refused') headers['upgrade'] = 'HTTP/1.1'
  return headers
}
