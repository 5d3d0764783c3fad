import type { ClientEnd, Clock, HeaderPairs, OutboundRequest, Upstream } from '../deps.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { StreamFormat } from '../dialects/stream-format.ts'
import type { GateError } from '../errors/gate-error.ts'
import type { Refusal } from '../errors/refusal.ts'
import type { Overflow } from '../errors/said-by.ts'
import type { Outcome } from '../log/request-event.ts'
import type { Turn } from '../queue/turn.ts'
import type { Meter } from '../usage/meter.ts'

/** How an exchange ended, told exactly once. */
export type Settled = {
  outcome: Outcome
  status: number
  reason: string | undefined
  firstByteAt: number | undefined
  bytesOut: number
  /** When upstream was first asked; undefined where it never was. */
  sentAt: number | undefined
  /** Upstream began an answer that is no error. */
  begun: boolean
  /** How long it waited for its turn, in vain or not; undefined where the client had left before. */
  queuedMs: number | undefined
}

/** One request on its way through the gate. Times are in milliseconds; 0 means no limit. */
export type RelayPlan = {
  upstream: Upstream
  clock: Clock
  client: ClientEnd
  request: OutboundRequest
  dialect: Dialect
  /** How the route's event stream ends, where that is known. */
  format: StreamFormat | undefined
  /** True when the client asked for a stream: only then may the answer be committed before upstream speaks. */
  streamed: boolean
  /**
   * `as-is` hands on upstream's errors and redirects untouched: llama-swap's own pages expect them so. `passed-on`:
   * upstream is a gate, and its errors are right for the client.
   */
  errors: 'normalised' | 'as-is' | 'passed-on'
  /** How often the request may be sent, where that is safe: 1 in front of a gate, which has a second try itself. */
  sendings: 1 | 2
  /** What of the configuration no answer may tell. */
  secrets: readonly string[]
  /** The model that the client named. */
  model: string | undefined
  /** Fields of the gate itself, on every answer. */
  ownHeaders: HeaderPairs
  /** When the request may be sent. */
  turn: Turn
  /** Reads the answer's usage. */
  meter: Meter
  heartbeat: { afterMs: number; everyMs: number }
  timeouts: { upstreamHeadersMs: number; upstreamSilenceMs: number }
  refusalFor(error: GateError): Refusal
  /**
   * Told when the prompt was too long for the model. Gives what the client is told instead, if anything.
   *
   * @param isCommitted the client has a 200 already and cannot be told: only a retry learns of it
   */
  overflowed(overflow: Overflow, isCommitted: boolean): GateError | undefined
  settle(settled: Settled): void
  /** Tells of an exception that nobody expected. */
  bug(error: unknown): void
}
