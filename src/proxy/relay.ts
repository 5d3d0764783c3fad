import { voiceOf } from '../dialects/dialect-of.ts'
import type { HeaderPairs, UpstreamCall, UpstreamEvents, UpstreamFailure } from '../deps.ts'
import { isRefusal, isRetryable, type GateError } from '../errors/gate-error.ts'
import type { Refusal } from '../errors/refusal.ts'
import type { Outcome } from '../log/request-event.ts'
import { bodyOfAnswer, collectedBody, type AnswerBody, type BodySink } from './answer-body.ts'
import { answerHeaders, EARLY_HEADERS, hasNoBody, isEventStream } from './answer-head.ts'
import { ClientAnswer } from './client-answer.ts'
import { ExchangeTimes } from './exchange-times.ts'
import type { RelayPlan } from './relay-plan.ts'
import { isReadAsError, readErrorAnswer, type ErrorAnswer } from './read-error-answer.ts'
import { errorOfReset, isEmpty502, maySendAgain, type FailedAttempt } from './retry.ts'
import { silenceLimits, SilenceWatch, type SilenceLimits } from './silence-watch.ts'

/** How long a client may leave unread what was sent to it. */
const CLIENT_STALL_MS = 60_000

/** An error is a few hundred bytes, sent at once. */
const ERROR_WITHIN_MS = 10_000

const CUT: GateError = { kind: 'stream-cut' }

const outcomeOf = (error: GateError): Outcome => (isRefusal(error) ? 'refused' : 'upstream-failed')

const encoder = new TextEncoder()

/**
 * Carries one exchange: upstream's events come in, writes to the client go out, and it knows neither end.
 *
 * queued → waiting → (committed early by a heartbeat) → answering → settled
 */
export class Relay implements UpstreamEvents, BodySink {
  readonly #plan: RelayPlan
  readonly #watch: SilenceWatch
  readonly #answer: ClientAnswer
  readonly #times: ExchangeTimes
  #call: UpstreamCall | undefined
  #attempt = 1
  // Upstream answered; undefined while it is silent.
  #body: AnswerBody | undefined
  // The body is an error that is read whole before the client hears of it.
  #isRead = false
  // The body is an event stream, so a heartbeat may stand between its frames.
  #isStream = false
  #paused = false
  #beating = false
  #begun = false
  #settled = false

  constructor(plan: RelayPlan) {
    this.#plan = plan
    this.#times = new ExchangeTimes(plan.clock)
    this.#answer = new ClientAnswer(plan.client, plan.ownHeaders)
    // How long a request may wait for its turn is the queue's to say.
    this.#watch = new SilenceWatch(plan.clock, this.#limits(0), {
      beat: () => this.#beat(),
      expired: () => this.#expired(),
    })
  }

  /** Ends the exchange now: the gate is being stopped, and its time is over. */
  cutShort(): void {
    this.#fail({ kind: 'draining' })
  }

  /** Sends the request when its turn comes; everything after that is told by events. */
  start(): void {
    const { client, turn } = this.#plan
    client.listen({ drained: () => this.#drained(), gone: () => this.#gone() })
    // Left while its request was checked: a model would be loaded for nobody.
    if (client.isGone) return this.#gone()
    this.#times.queued()
    turn.wait({ granted: () => this.#granted(), refused: (error) => this.#fail(error) })
  }

  #granted(): void {
    if (this.#settled) return
    try {
      this.#sendUp()
    } catch (error) {
      // Whose turn it is may be told from within another request, which must not suffer for it.
      this.#plan.bug(error)
      this.#fail({ kind: 'internal' })
    }
  }

  #sendUp(): void {
    const attempt = this.#attempt
    this.#times.sent()
    this.#watch.limitTo(this.#limits(this.#patienceMs()))
    const call = this.#plan.upstream.send(this.#plan.request, this)
    // An upstream that fails at once tells so within `send`, and the next attempt may have taken this one's place.
    if (attempt !== this.#attempt) return
    this.#call = call
    // The client may have stopped reading while its request waited for its turn.
    if (this.#paused) call.pause()
  }

  // Upstream's side.

  head(status: number, headers: HeaderPairs): void {
    if (this.#settled) return
    const { request } = this.#plan
    // An error answer gets a limit for the whole of it: one that trickles would otherwise hold its client for ever.
    this.#isRead = isReadAsError(status, headers, this.#plan.errors)
    const limitMs = this.#isRead ? ERROR_WITHIN_MS : this.#silenceMs()
    if (this.#isRead || !this.#paused) this.#watch.limitTo(this.#limits(limitMs))
    // Errors of its own are the model's answer, too: it is loaded.
    if (!this.#isRead || status < 429) this.#plan.turn.answered()
    if (!this.#isRead) {
      // A gate begins the answer before there is one, to send heartbeats.
      this.#begun = this.#plan.errors !== 'passed-on'
      // It may be megabytes, and an answer takes minutes; only an error can still lead to a second sending.
      this.#plan.request = { ...request, body: undefined }
    }
    this.#body = this.#bodyFor(status, headers)
  }

  chunk(bytes: Uint8Array): void {
    if (this.#settled) return
    // What was under way when upstream was told to wait is no sign that the client reads.
    if (!this.#isRead && !this.#paused) this.#watch.heard()
    this.#body?.chunk(bytes)
  }

  end(): void {
    if (!this.#settled) this.#body?.end()
  }

  failure(failure: UpstreamFailure): void {
    if (this.#settled) return
    if (this.#body) return this.#body.broken()
    if (failure === 'unreachable') return this.#fail({ kind: 'upstream-unreachable' })
    const attempt = this.#failed('reset')
    if (!this.#sendAgain(attempt)) this.#fail(errorOfReset(attempt))
  }

  // The client's side.

  write(bytes: Uint8Array): void {
    if (this.#settled) return
    this.#begun = true
    this.#times.wrote()
    this.#send(bytes)
  }

  pulse(bytes: Uint8Array): void {
    if (!this.#settled) this.#send(bytes)
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

  broke(): void {
    this.#answer.break()
    this.#settle('upstream-failed', 'stream-error')
  }

  // Choosing what the answer becomes.

  #bodyFor(status: number, headers: HeaderPairs): AnswerBody {
    const { meter, format, dialect, errors, secrets } = this.#plan
    if (this.#isRead)
      return collectedBody((body) => this.#errorCollected({ status, headers, body }))
    const isStream = isEventStream(headers)
    if (this.#answer.isCommitted && !(isStream && status === 200))
      return collectedBody(() => this.#fail({ kind: 'upstream-broken' }))
    if (!this.#answer.isCommitted) {
      this.#answer.commit(status, answerHeaders(headers, isStream, secrets))
    }
    const isEmpty = hasNoBody(this.#plan.request.method, status)
    // What llama-swap's own pages read knows nothing of frames of the gate.
    this.#isStream = isStream && !isEmpty && errors !== 'as-is'
    return bodyOfAnswer(this, meter, { headers, isEmpty, stream: { format, dialect } })
  }

  #errorCollected(answer: ErrorAnswer): void {
    if (this.#settled) return
    if (isEmpty502(answer) && this.#sendAgain(this.#failed('empty-502'))) return
    const read = readErrorAnswer(answer, this.#plan)
    const { isCommitted } = this.#answer
    const instead = read.overflow && this.#plan.overflowed(read.overflow, isCommitted)
    if (instead) return this.#fail(instead)
    if ('error' in read) return this.#fail(read.error)
    const outcome = answer.status < 500 ? 'refused' : 'upstream-failed'
    if (!isCommitted) this.#refuseWith(read.answer, outcome, read.reason)
    else if (read.frame === undefined) this.#breakOff(read.reason)
    else this.#endWith(read.frame, outcome, read.reason)
  }

  /** Tells the client that there is no answer: as a refusal, or in a stream that has already begun. */
  #fail(error: GateError): void {
    if (this.#settled) return
    if (this.#answer.isCommitted) this.#failInStream(error)
    else this.#refuseWith(this.#plan.refusalFor(error), outcomeOf(error), error.kind)
  }

  #refuseWith({ status, headers, body }: Refusal, outcome: Outcome, reason: string): void {
    this.#answer.commit(status, headers)
    if (this.#plan.request.method !== 'HEAD') this.#send(body)
    this.#answer.end()
    this.#settle(outcome, reason)
  }

  /**
   * Clients do not look for a context overflow or a retryable status inside a stream that began with 200. Where a
   * retry would learn the true status the connection is broken; a final error is told and the stream ended.
   */
  #failInStream(error: GateError): void {
    if (error.kind === 'prompt-too-long') return this.#breakOff(error.kind)
    const told = this.#times.wasSent && !isRefusal(error) ? CUT : error
    if (isRetryable(error)) return this.#breakOff(error.kind, told)
    this.#endWith(this.#frameFor(error), outcomeOf(error), error.kind)
  }

  #frameFor(error: GateError): string {
    return voiceOf(this.#plan.dialect).errorFrame(error)
  }

  #endWith(frame: string, outcome: Outcome, reason: string): void {
    this.#send(encoder.encode(frame))
    this.#answer.end()
    this.#settle(outcome, reason)
  }

  /** A frame goes first where one can: workerd hides a broken connection, and a clean end would look like an answer. */
  #breakOff(reason: string, told: GateError = CUT): void {
    if (this.#isStream) this.#send(encoder.encode(this.#frameFor(told)))
    this.#answer.break()
    this.#settle(outcomeOf(told), reason)
  }

  #failed(failure: FailedAttempt['failure']): FailedAttempt {
    const { isCommitted: committed } = this.#answer
    const { sendings: most } = this.#plan
    return { failure, attempt: this.#attempt, most, committed, elapsedMs: this.#times.sinceSentMs }
  }

  #sendAgain(failed: FailedAttempt): boolean {
    if (!maySendAgain(failed)) return false
    this.#attempt++
    this.#body = undefined
    this.#sendUp()
    return true
  }

  // Time and the client's pace.

  #limits(limitMs: number): SilenceLimits {
    const { heartbeat, streamed } = this.#plan
    return silenceLimits(streamed ? heartbeat : undefined, this.#beating, limitMs)
  }

  #beat(): void {
    const collecting = this.#body !== undefined && !this.#isStream
    if (this.#settled || this.#paused || collecting) return
    if (!this.#answer.isCommitted) {
      this.#answer.commit(200, EARLY_HEADERS)
      this.#isStream = true
    }
    this.#beating = true
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

  #patienceMs(): number {
    const { upstreamHeadersMs } = this.#plan.timeouts
    // How long its turn may take is the queue's to say.
    const headersMs = this.#times.wasSent ? upstreamHeadersMs : 0
    const ms = this.#body ? this.#silenceMs() : headersMs
    return this.#paused ? Math.min(ms || Infinity, CLIENT_STALL_MS) : ms
  }

  /** A log or a page that is kept up to date has nothing to say while nothing happens. */
  #silenceMs(): number {
    return this.#plan.errors === 'as-is' ? 0 : this.#plan.timeouts.upstreamSilenceMs
  }

  #drained(): void {
    if (this.#settled || !this.#paused) return
    this.#paused = false
    this.#watch.limitTo(this.#limits(this.#patienceMs()))
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
    // It keeps a slot of the model from others, and memory: less patience than with a model that thinks.
    this.#watch.limitTo(this.#limits(this.#patienceMs()))
    this.#call?.pause()
  }

  #settle(outcome: Outcome, reason?: string): void {
    if (this.#settled) return
    this.#settled = true
    this.#watch.stop()
    // After a whole answer there is nothing to abort; in every other case llama-swap must see the gate leave.
    if (outcome !== 'completed') this.#call?.abort()
    this.#plan.settle({
      ...this.#answer.sent,
      outcome,
      reason,
      ...this.#times.told,
      begun: this.#begun,
    })
  }
}
