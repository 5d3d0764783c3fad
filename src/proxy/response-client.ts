import type { ClientEnd, Clock, HeaderPairs, OpenedClient } from '../deps.ts'

/**
 * From the last byte to the error that breaks the answer: Bun and workerd throw away what they have read but not sent
 * yet, and a client whose system drops unread bytes on a reset should have read them.
 */
const BREAK_AFTER_MS = 20
/** How long a broken answer waits for a client that does not read what is left of it. */
const UNREAD_MS = 5_000

/** The statuses without a body, and what each is sent as: not every runtime ends a 205, and to a program it says what 204 does. */
const BODILESS = new Map([
  [204, 204],
  [205, 204],
  [304, 304],
])

/**
 * The client's end on every runtime that wants a `Response` back. The body is pushed into a stream; its `pull` tells
 * when the client has read, its `cancel` and the request's signal that the client has gone. Both are needed: workerd does not
 * call `cancel` for a lost client.
 *
 * @param onOver called when the runtime has all of the answer, for one that must be told how long its connection may now
 * be idle: after a whole one for the next request, after a broken one for a client that does not read
 */
export function openResponseClient(
  signal: AbortSignal,
  clock: Clock,
  onOver: OnOver = () => {},
): OpenedClient {
  const opened = Promise.withResolvers<Response>()
  const client = new ResponseClient({ signal, clock, onOver }, opened.resolve)
  return { client, response: opened.promise }
}

type OnOver = (how: 'whole' | 'broken') => void

class ResponseClient implements ClientEnd {
  readonly #signal: AbortSignal
  readonly #clock: Clock
  readonly #onOver: OnOver
  readonly #resolve: (response: Response) => void
  // The runtime has its Response: without one, the request would stay open for ever.
  #responded = false
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #on: { drained(): void; gone(): void } | undefined
  #open = true
  // The runtime said so: it ends the body itself, and an error that it is given now might be printed.
  #clientLeft = false
  // Set by break(): an error throws away what is still queued, so it waits until the queue was read.
  #breaking = false
  #cancelTimer: () => void = () => {}

  constructor(
    { signal, clock, onOver }: { signal: AbortSignal; clock: Clock; onOver: OnOver },
    resolve: (response: Response) => void,
  ) {
    this.#signal = signal
    this.#clock = clock
    this.#onOver = onOver
    this.#resolve = resolve
  }

  get isGone(): boolean {
    return this.#clientLeft || this.#signal.aborted
  }

  listen(on: { drained(): void; gone(): void }): void {
    this.#on = on
    // Never within this call: the caller is still setting itself up.
    if (this.#signal.aborted) queueMicrotask(this.#left)
    else this.#signal.addEventListener('abort', this.#left, { once: true })
  }

  head(status: number, headers: HeaderPairs): void {
    const init = {
      status,
      headers: headers.map(([name, value]): [string, string] => [name, value]),
    }
    const bodiless = BODILESS.get(status)
    if (bodiless !== undefined) return this.#respond(null, { ...init, status: bodiless })
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller
      },
      pull: () => this.#pulled(),
      cancel: () => this.#left(),
    })
    this.#respond(body, init)
  }

  /** Upstream may say what a `Response` cannot, a status of 600 for one: that is a broken upstream. */
  #respond(body: ReadableStream<Uint8Array> | null, init: ResponseInit): void {
    if (this.#responded) return
    this.#responded = true
    if (!body) this.#onOver('whole')
    try {
      this.#resolve(new Response(body, init))
    } catch {
      // What the relay still writes has nowhere to go.
      this.#controller = undefined
      this.#onOver('whole')
      this.#resolve(new Response(null, { status: 502 }))
    }
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#open || !this.#controller) return true
    this.#controller.enqueue(bytes)
    return (this.#controller.desiredSize ?? 0) > 0
  }

  end(): void {
    if (!this.#close() || !this.#controller) return
    this.#onOver('whole')
    this.#controller.close()
  }

  break(): void {
    if (!this.#close()) return
    if (!this.#responded) return this.#respond(null, { status: 503 })
    if (!this.#controller || this.#clientLeft) return
    this.#breaking = true
    this.#onOver('broken')
    if ((this.#controller.desiredSize ?? 0) > 0) this.#pulled()
    else this.#breakIn(UNREAD_MS)
  }

  #pulled(): void {
    if (!this.#breaking) return this.#on?.drained()
    this.#breakIn(BREAK_AFTER_MS)
  }

  #breakIn(ms: number): void {
    this.#cancelTimer()
    // Without a reason, because Bun prints one with a stack.
    this.#cancelTimer = this.#clock.setTimer(ms, () => this.#controller?.error())
  }

  readonly #left = (): void => {
    // Nothing is left to break.
    this.#cancelTimer()
    if (!this.#open || this.#clientLeft) return
    this.#clientLeft = true
    this.#on?.gone()
  }

  #close(): boolean {
    if (!this.#open) return false
    this.#open = false
    this.#signal.removeEventListener('abort', this.#left)
    return true
  }
}
