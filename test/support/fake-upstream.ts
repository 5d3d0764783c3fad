import type {
  HeaderPairs,
  OutboundRequest,
  Upstream,
  UpstreamCall,
  UpstreamEvents,
  UpstreamFailure,
} from '../../src/deps.ts'

const encoder = new TextEncoder()

/** One exchange of the fake: a test tells what upstream does and reads what the gate did to it. */
export class FakeCall implements UpstreamCall {
  readonly request: OutboundRequest
  /** What the gate did, in order. */
  readonly did: Array<'pause' | 'resume' | 'abort'> = []
  /** Tells without regard to what is over, for what a real upstream should never do. */
  readonly events: UpstreamEvents
  #over = false

  constructor(request: OutboundRequest, events: UpstreamEvents) {
    this.request = request
    this.events = events
  }

  /** Neither ended, nor failed, nor aborted: a real upstream would still be at work. */
  get isLive(): boolean {
    return !this.#over
  }

  /** Told to wait and not yet to go on. */
  get isPaused(): boolean {
    return this.did.findLast((done) => done !== 'abort') === 'pause'
  }

  /** How often the gate aborted the exchange. */
  get aborts(): number {
    return this.did.filter((done) => done === 'abort').length
  }

  pause(): void {
    this.did.push('pause')
  }

  resume(): void {
    this.did.push('resume')
  }

  abort(): void {
    this.did.push('abort')
    this.#over = true
  }

  // Like a real upstream, the fake tells nothing once the exchange is over.

  head(status: number, headers: HeaderPairs = []): this {
    if (!this.#over) this.events.head(status, headers)
    return this
  }

  chunk(content: string | Uint8Array): this {
    const bytes = typeof content === 'string' ? encoder.encode(content) : content
    if (!this.#over) this.events.chunk(bytes)
    return this
  }

  end(): this {
    if (this.#over) return this
    this.#over = true
    this.events.end()
    return this
  }

  failure(failure: UpstreamFailure): this {
    if (this.#over) return this
    this.#over = true
    this.events.failure(failure)
    return this
  }

  /** A whole answer in one go. */
  answer({ status = 200, headers = [], body = '' }: WholeAnswer): this {
    this.head(status, headers)
    if (body.length > 0) this.chunk(body)
    return this.end()
  }
}

export type WholeAnswer = {
  status?: number
  headers?: HeaderPairs
  body?: string | Uint8Array
}

export const JSON_HEADERS: HeaderPairs = [['content-type', 'application/json']]
export const STREAM_TYPE: HeaderPairs = [['content-type', 'text/event-stream']]

/** A whole JSON answer. */
export function jsonAnswer(value: unknown, status = 200): WholeAnswer {
  return { status, headers: JSON_HEADERS, body: JSON.stringify(value) }
}

/** An upstream without sockets that does what a test says. */
export class FakeUpstream implements Upstream {
  /** Every exchange, in the order in which they were begun. */
  readonly calls: FakeCall[] = []
  /** What is done at once with each new exchange; without it the test acts by itself. */
  onCall: ((call: FakeCall) => void) | undefined

  send(request: OutboundRequest, events: UpstreamEvents): UpstreamCall {
    const call = new FakeCall(request, events)
    this.calls.push(call)
    // Never within send: a real upstream tells nothing before its caller has the exchange in hand.
    queueMicrotask(() => this.onCall?.(call))
    return call
  }

  /** The exchange that was begun last. */
  get last(): FakeCall {
    const call = this.calls.at(-1)
    if (!call) throw new Error('nothing was sent upstream')
    return call
  }

  /** The fields that were sent last, as one object. */
  get lastHeaders(): Record<string, string> {
    return Object.fromEntries(this.last.request.headers)
  }

  /** The body that was sent last, as text. */
  get lastBody(): string | undefined {
    const { body } = this.last.request
    return body && new TextDecoder().decode(body)
  }
}
