import type { Dialect } from '../dialects/dialect.ts'
import { voiceOf } from '../dialects/dialect-of.ts'
import type { StreamFormat } from '../dialects/stream-format.ts'
import type {
  ClientEnd,
  Clock,
  HeaderPairs,
  OutboundRequest,
  Upstream,
  UpstreamCall,
  UpstreamEvents,
  UpstreamFailure,
} from '../deps.ts'
import { isRetryable, type GateError } from '../errors/gate-error.ts'
import { readUpstreamError } from '../errors/read-upstream-error.ts'
import type { Refusal } from '../errors/refusal.ts'
import type { Outcome } from '../log/request-event.ts'
import {
  collectedBody,
  emptyBody,
  eventStreamBody,
  plainBody,
  type AnswerBody,
  type BodySink,
} from './answer-body.ts'
import {
  answerHeaders,
  EARLY_HEADERS,
  hasNoBody,
  isEventStream,
  isJsonOfUnknownLength,
  valueOf,
} from './answer-head.ts'
import { ClientAnswer } from './client-answer.ts'
import { isEmpty502, maySendAgain } from './retry.ts'
import { returnedHeaders } from './rewrite.ts'
import { SilenceWatch, type SilenceLimits } from './silence-watch.ts'

/** How an exchange ended, told exactly once. */
export type Settled = {
  outcome: Outcome
  status: number
  reason: string | undefined
  firstByteAt: number | undefined
  bytesOut: number
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
  /** `as-is` hands on upstream's errors and redirects untouched: llama-swap's own pages expect them so. */
  errors: 'normalised' | 'as-is'
  /** The model that the client named. */
  model: string | undefined
  /** Fields of the gate itself, on every answer. */
  ownHeaders: HeaderPairs
  heartbeat: { afterMs: number; everyMs: number }
  timeouts: { upstreamHeadersMs: number; upstreamSilenceMs: number }
  refusalFor(error: GateError): Refusal
  settle(settled: Settled): void
}

/** An error is a few hundred bytes, sent at once. */
const ERROR_WITHIN_MS = 10_000

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Carries one exchange: upstream's events come in, writes to the client go out, and it knows neither end.
 *
 * waiting → (committed early by a heartbeat) → answering → settled
 */
export class Relay implements UpstreamEvents, BodySink {
  readonly #plan: RelayPlan
  readonly #watch: SilenceWatch
  readonly #answer: ClientAnswer
  #call: UpstreamCall | undefined
  #attempt = 1
  #sentAt: number
  // Upstream answered; undefined while it is silent.
  #body: AnswerBody | undefined
  // The body is an error that is read whole before the client hears of it.
  #isRead = false
  // The body is an event stream, so a heartbeat may stand between its frames.
  #isStream = false
  #paused = false
  #settled = false
  #firstByteAt: number | undefined

  constructor(plan: RelayPlan) {
    this.#plan = plan
    this.#sentAt = plan.clock.now()
    this.#answer = new ClientAnswer(plan.client, plan.ownHeaders)
    this.#watch = new SilenceWatch(plan.clock, this.#limits(plan.timeouts.upstreamHeadersMs), {
      beat: () => this.#beat(),
      expired: () => this.#expired(),
    })
  }

  /** Sends the request; everything after that is told by events. */
  start(): void {
    this.#plan.client.listen({ drained: () => this.#drained(), gone: () => this.#gone() })
    // Left while its request was checked: a model would be loaded for nobody.
    if (this.#plan.client.isGone) return this.#gone()
    try {
      this.#sendUp()
    } catch (error) {
      // A bug of the upstream: it is told elsewhere, and no timer of this exchange may act for it later.
      this.#settled = true
      this.#watch.stop()
      throw error
    }
  }

  #sendUp(): void {
    const attempt = this.#attempt
    const call = this.#plan.upstream.send(this.#plan.request, this)
    // An upstream that fails at once tells so within `send`, and the next attempt may have taken this one's place.
    if (attempt === this.#attempt) this.#call = call
  }

  // Upstream's side.

  head(status: number, headers: HeaderPairs): void {
    if (this.#settled) return
    const { timeouts, request } = this.#plan
    // An error answer gets a limit for the whole of it: one that trickles would otherwise hold its client for ever.
    this.#isRead = this.#isReadAsError(status)
    const limitMs = this.#isRead ? ERROR_WITHIN_MS : timeouts.upstreamSilenceMs
    this.#watch.limitTo(this.#limits(limitMs))
    // It may be megabytes, and an answer takes minutes; only an error can still lead to a second sending.
    if (!this.#isRead) this.#plan.request = { ...request, body: undefined }
    this.#body = this.#bodyFor(status, headers)
  }

  chunk(bytes: Uint8Array): void {
    if (this.#settled) return
    if (!this.#isRead) this.#watch.heard()
    this.#body?.chunk(bytes)
  }

  end(): void {
    if (this.#settled) return
    this.#body?.end()
  }

  failure(failure: UpstreamFailure): void {
    if (this.#settled) return
    if (this.#body) return this.#body.broken()
    if (failure === 'unreachable') return this.#fail({ kind: 'upstream-unreachable' })
    if (this.#sendAgain('reset')) return
    this.#fail({ kind: 'upstream-broken' })
  }

  // The client's side.

  write(bytes: Uint8Array): void {
    if (this.#settled) return
    this.#firstByteAt ??= this.#plan.clock.now()
    this.#send(bytes)
  }

  finish(result: 'whole' | 'failed'): void {
    this.#answer.end()
    if (result === 'whole') this.#settle('completed')
    else this.#settle('upstream-failed', 'stream-error')
  }

  /** The answer broke off: an error frame where the stream can carry one, and in any case a broken connection. */
  cut(): void {
    this.#breakOff('stream-cut')
  }

  // Choosing what the answer becomes.

  #bodyFor(status: number, headers: HeaderPairs): AnswerBody {
    if (this.#isRead) return collectedBody((body) => this.#errorCollected(status, headers, body))
    const isStream = isEventStream(headers)
    if (this.#answer.isCommitted && !(isStream && status === 200))
      return collectedBody(() => this.#fail({ kind: 'upstream-broken' }))
    if (!this.#answer.isCommitted) this.#answer.commit(status, answerHeaders(headers, isStream))
    if (hasNoBody(this.#plan.request.method, status)) return emptyBody(this)
    this.#isStream = isStream
    if (isStream) return eventStreamBody(this, this.#plan.format, this.#plan.dialect)
    return plainBody(this, isJsonOfUnknownLength(headers))
  }

  #isReadAsError(status: number): boolean {
    if (status < 300 || status === 304) return false
    // A 401 of upstream is about the gate's key: a browser would open its password box for it.
    return this.#plan.errors === 'normalised' || status === 401
  }

  #errorCollected(status: number, headers: HeaderPairs, body: Uint8Array | 'broken'): void {
    if (this.#settled) return
    if (body === 'broken' || status < 400) return this.#fail({ kind: 'upstream-broken' })
    if (isEmpty502(status, headers, body) && this.#sendAgain('empty-502')) return
    const { model, dialect } = this.#plan
    const said = { status, retryAfter: valueOf(headers, 'retry-after'), body: decoder.decode(body) }
    const read = readUpstreamError({ ...said, model }, dialect)
    if (read.kind === 'error') return this.#fail(read.error)
    this.#answerAsIs(status, headers, body)
  }

  #answerAsIs(status: number, headers: HeaderPairs, body: Uint8Array): void {
    if (this.#answer.isCommitted) return this.#breakOff('context-overflow')
    this.#answer.commit(status, [...returnedHeaders(headers), ['x-should-retry', 'false']])
    if (this.#plan.request.method !== 'HEAD') this.#send(body)
    this.#answer.end()
    this.#settle('refused', 'context-overflow')
  }

  /** Tells the client that there is no answer: as a refusal, or in a stream that has already begun. */
  #fail(error: GateError): void {
    if (this.#answer.isCommitted) return this.#failInStream(error)
    const refusal = this.#plan.refusalFor(error)
    this.#answer.commit(refusal.status, refusal.headers)
    if (this.#plan.request.method !== 'HEAD') this.#send(refusal.body)
    this.#answer.end()
    this.#settle(refusal.status < 500 ? 'refused' : 'upstream-failed', error.kind)
  }

  /**
   * Clients do not look for a context overflow or a retryable status inside a stream that began with 200. Where a
   * retry would learn the true status the connection is broken; a final error is told and the stream ended.
   */
  #failInStream(error: GateError): void {
    if (isRetryable(error) || error.kind === 'prompt-too-long') return this.#breakOff(error.kind)
    this.#tell(error)
    this.#answer.end()
    this.#settle('upstream-failed', error.kind)
  }

  #tell(error: GateError): void {
    this.#send(encoder.encode(voiceOf(this.#plan.dialect).errorFrame(error)))
  }

  /** A frame goes first where one can: workerd hides a broken connection, and a clean end would look like an answer. */
  #breakOff(reason: string): void {
    if (this.#isStream) this.#tell({ kind: 'stream-cut' })
    this.#answer.break()
    this.#settle('upstream-failed', reason)
  }

  #sendAgain(failure: 'reset' | 'empty-502'): boolean {
    const elapsedMs = this.#plan.clock.now() - this.#sentAt
    const attempt = this.#attempt
    if (!maySendAgain({ failure, attempt, committed: this.#answer.isCommitted, elapsedMs }))
      return false
    this.#attempt++
    this.#body = undefined
    this.#sentAt = this.#plan.clock.now()
    this.#watch.limitTo(this.#limits(this.#plan.timeouts.upstreamHeadersMs))
    this.#sendUp()
    return true
  }

  // Time and the client's pace.

  #limits(limitMs: number): SilenceLimits {
    const { afterMs, everyMs } = this.#plan.heartbeat
    return { firstBeatMs: this.#plan.streamed ? afterMs : 0, beatEveryMs: everyMs, limitMs }
  }

  #beat(): void {
    const collecting = this.#body !== undefined && !this.#isStream
    if (this.#settled || this.#paused || collecting) return
    if (!this.#answer.isCommitted) {
      this.#answer.commit(200, EARLY_HEADERS)
      this.#isStream = true
    }
    this.#send(encoder.encode(voiceOf(this.#plan.dialect).heartbeat))
  }

  #expired(): void {
    if (this.#settled) return
    // Upstream was told to wait because the client does not read: that silence is the client's.
    if (this.#paused) return this.#gone()
    this.#call?.abort()
    if (this.#body) this.#body.broken()
    else this.#fail({ kind: 'upstream-timeout' })
  }

  #drained(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#watch.heard()
    this.#call?.resume()
  }

  #gone(): void {
    if (this.#settled) return
    this.#answer.break()
    this.#settle('client-closed')
  }

  #send(bytes: Uint8Array): void {
    if (this.#answer.send(bytes) || this.#paused) return
    this.#paused = true
    this.#call?.pause()
  }

  #settle(outcome: Outcome, reason?: string): void {
    if (this.#settled) return
    this.#settled = true
    this.#watch.stop()
    // After a whole answer there is nothing to abort; in every other case llama-swap must see the gate leave.
    if (outcome !== 'completed') this.#call?.abort()
    this.#plan.settle({ ...this.#answer.sent, outcome, reason, firstByteAt: this.#firstByteAt })
  }
}
