import type { HeaderPairs } from '../deps.ts'
import type { GateError } from '../errors/gate-error.ts'
import { readGateError, type PassedOn } from '../errors/read-gate-error.ts'
import { readUpstreamError } from '../errors/read-upstream-error.ts'
import { ERROR_MARK, type Refusal } from '../errors/refusal.ts'
import { overflowIn, saidBy, type Overflow } from '../errors/said-by.ts'
import { isPage, tunnelFault } from '../errors/tunnel-fault.ts'
import { valueOf } from './answer-head.ts'
import type { RelayPlan } from './relay-plan.ts'
import { isTelling, withoutWords } from './own-secrets.ts'
import { returnedHeaders } from './rewrite.ts'

/** An error answer as it came, or `broken` in the middle of it. */
export type ErrorAnswer = { status: number; headers: HeaderPairs; body: Uint8Array | 'broken' }

/** What the client is told instead: an error of the gate, or upstream's own bytes. */
export type ReadAnswer = ({ error: GateError } | ({ answer: Refusal } & Omit<PassedOn, 'mark'>)) & {
  /** The prompt was too long for the model. */
  overflow?: Overflow | undefined
}

/** What an error is read by. */
type Reading = Pick<RelayPlan, 'dialect' | 'model' | 'errors' | 'secrets'>

/** Whether an answer is none: an error, a redirect, or a page where none belongs. */
export function isReadAsError(
  status: number,
  headers: HeaderPairs,
  errors: RelayPlan['errors'],
): boolean {
  // A 401 of upstream is about the gate's key: a browser would open its password box for it.
  if (errors === 'as-is') return status === 401
  if (status < 300 || status === 304) return isPage(valueOf(headers, 'content-type'))
  return true
}

const decoder = new TextDecoder()

/** Finds out what an answer means that is none: llama-swap's, another gate's, or of something on the way to it. */
export function readErrorAnswer(
  { status, headers, body: bytes }: ErrorAnswer,
  reading: Reading,
): ReadAnswer {
  if (bytes === 'broken') return { error: { kind: 'upstream-broken' } }
  const body = decoder.decode(bytes)
  const field = (name: string): string | undefined => valueOf(headers, name)
  const fault = tunnelFault({ status, field, body })
  if (fault) return { error: fault }
  // A gate always says something; Caddy and Tailscale without it do not.
  if (reading.errors === 'passed-on' && status === 502 && bytes.length === 0)
    return { error: { kind: 'upstream-unreachable' } }
  if (status < 400) return { error: { kind: 'upstream-broken' } }
  return readWords({ status, headers, body, bytes }, reading)
}

type WholeError = { status: number; headers: HeaderPairs; body: string; bytes: Uint8Array }

function readWords(
  { status, headers, body, bytes }: WholeError,
  { dialect, model, errors, secrets }: Reading,
): ReadAnswer {
  const hidesWords = isTelling(body, secrets)
  const returned = returnedHeaders(headers, secrets)
  const shouldRetry = valueOf(headers, 'x-should-retry')
  const said = { status, shouldRetry, mark: valueOf(headers, ERROR_MARK), body }
  // This gate has checked the path: that the next one does not know it is the fault of upstream.url.
  if (errors === 'passed-on' && ABOUT_PATH.has(said.mark))
    return { error: { kind: 'upstream-not-llama-swap' } }
  const passed = errors === 'passed-on' && readGateError(said, dialect)
  if (passed && !hidesWords) {
    const { mark, ...how } = passed
    const answer = { status, headers: [...returned, [ERROR_MARK, mark] as const], body: bytes }
    const overflow = how.reason === 'context-overflow' ? overflowIn(saidBy(body)) : undefined
    return { answer, ...how, overflow }
  }
  const retryAfter = valueOf(headers, 'retry-after')
  const read = readUpstreamError({ status, retryAfter, body, model }, dialect)
  const { overflow } = read
  if (read.kind === 'error')
    return { error: hidesWords ? withoutWords(read.error) : read.error, overflow }
  if (hidesWords)
    return { error: { kind: 'prompt-too-long', message: 'prompt is too long' }, overflow }
  const answer = { status, headers: [...returned, ...OVERFLOW_FIELDS], body: bytes }
  return { answer, reason: 'context-overflow', frame: undefined, overflow }
}

const ABOUT_PATH: ReadonlySet<string | undefined> = new Set<GateError['kind']>([
  'bad-path',
  'route-unknown',
  'method-not-allowed',
])

const OVERFLOW_FIELDS: HeaderPairs = [
  ['x-should-retry', 'false'],
  [ERROR_MARK, 'prompt-too-long'],
]
