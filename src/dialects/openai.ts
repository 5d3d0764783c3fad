import { statusOf, type GateError } from '../errors/gate-error.ts'
import { messageOf, withoutRetryTriggers } from '../errors/message-of.ts'
import { shortText } from '../errors/short-text.ts'
import type { LimitName } from '../limit/limit-store.ts'
import type { DialectVoice } from './dialect.ts'

/** OpenAI's `type` and `code` of a refusal. */
function typeAndCode(error: GateError): { type: string; code: string } {
  if (error.kind === 'upstream-refused') {
    const { status, type, code } = error
    return {
      type: usableWord(type, status) ?? typeOfStatus(status),
      code: usableWord(code, status) ?? 'upstream_error',
    }
  }
  if (error.kind === 'limit-reached') {
    const code = CODE_OF_LIMIT[error.limit]
    // OpenAI's type of it, too; "rate_limit" would make OpenCode wait for what is final until midnight.
    return { type: code === 'insufficient_quota' ? code : 'rate_limit_error', code }
  }
  if (error.kind === 'stream-cut') return { type: 'server_error', code: 'stream_interrupted' }
  return { type: typeOfStatus(statusOf(error)), code: CODES[error.kind] }
}

/** Upstream's own word, unless it would make OpenCode retry what is final: llama-server calls bad input `server_error`. */
function usableWord(word: string | undefined, status: number): string | undefined {
  if (word === undefined || status >= 500) return word
  return withoutRetryTriggers(word) === word ? word : undefined
}

function typeOfStatus(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 404) return 'not_found_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

/** OpenAI's own codes: what comes back within the minute, and what does not. */
const CODE_OF_LIMIT: Record<LimitName, string> = {
  'requests-per-minute': 'rate_limit_exceeded',
  'tokens-per-minute': 'rate_limit_exceeded',
  'tokens-per-day': 'insufficient_quota',
  concurrent: 'concurrency_limit_exceeded',
}

type WithoutOneCode = 'upstream-refused' | 'stream-cut' | 'limit-reached'

const CODES: Record<Exclude<GateError['kind'], WithoutOneCode>, string> = {
  'bad-host': 'invalid_host',
  'bad-path': 'not_found',
  'bad-request': 'invalid_request',
  'body-too-large': 'request_too_large',
  'body-encoded': 'unsupported_encoding',
  'request-too-slow': 'request_timeout',
  loop: 'loop_detected',
  'upgrade-refused': 'upgrade_not_supported',
  'method-not-allowed': 'method_not_allowed',
  'route-unknown': 'not_found',
  'credential-missing': 'missing_api_key',
  'credential-malformed': 'malformed_api_key',
  'credential-unknown': 'invalid_api_key',
  'credentials-conflict': 'conflicting_api_keys',
  'basic-not-here': 'invalid_api_key',
  'key-expired': 'expired_api_key',
  'key-disabled': 'disabled_api_key',
  'scope-missing': 'scope_missing',
  'cross-site': 'cross_site_request',
  'model-missing': 'model_missing',
  'model-unknown': 'model_not_found',
  'prompt-too-long': 'context_length_exceeded',
  'overflow-loop': 'compaction_did_not_help',
  'key-queue-full': 'rate_limit_exceeded',
  'queue-full': 'queue_full',
  'waited-too-long': 'queue_timeout',
  'model-not-loaded': 'model_not_loaded',
  draining: 'gate_stopping',
  'counters-unavailable': 'counters_unavailable',
  'upstream-unreachable': 'upstream_unavailable',
  'upstream-broken': 'upstream_failed',
  'upstream-not-llama-swap': 'upstream_misconfigured',
  'upstream-timeout': 'upstream_timeout',
  'upstream-busy': 'upstream_busy',
  'upstream-key-refused': 'upstream_key_refused',
  'model-loading': 'model_loading',
  'model-load-failed': 'model_load_failed',
  internal: 'internal_error',
}

function errorBody(error: GateError): string {
  const { type, code } = typeAndCode(error)
  const param = error.kind === 'bad-request' ? shownParam(error.param) : null
  return JSON.stringify({ error: { message: messageOf(error), type, param, code } })
}

/** The field that is wrong; its name may be the client's own. */
function shownParam(param: string | undefined): string | null {
  return param === undefined ? null : withoutRetryTriggers(shortText(param))
}

/** OpenAI's API: `{"error":{message,type,param,code}}`; stream errors as a data frame, comments as heartbeat. */
export const openai: DialectVoice = {
  errorBody,
  errorFrame: (error) => `data: ${errorBody(error)}\n\n`,
  heartbeat: ': keep-alive\n\n',
}
