import type { ClientEnd, Clock, HeaderPairs, OpenedClient } from '../deps.ts'

/**
 * From the last byte to the error that breaks the answer: Bun and workerd throw away what they have read but not sent
 * yet, and a client whose system drops unread bytes on a reset should have read them.
 */
const BREAK_AFTER_MS = 20

/**
 * The client's end on every runtime that wants a `Response` back. The body is pushed into a stream; its `pull` tells
 * when the client has read, its `cancel` and the request's signal that the client has gone. Both are needed: a signal
 * alone is aborted by Deno after whole answers too, and workerd does not call `cancel` for a lost client.
 */
export function openResponseClient(signal: AbortSignal, clock: Clock): OpenedClient {
  const opened = Promise.withResolvers<Response>()
  const client = new ResponseClient(signal, clock, opened.resolve)
  return { client, response: opened.promise }
}

class ResponseClient implements ClientEnd {
  readonly #signal: AbortSignal
  readonly #clock: Clock
  readonly #respond: (response: Response) => void
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #on: { drained(): void; gone(): void } | undefined
  #open = true
  // The runtime said so: it ends the body itself, and Deno would print an error that it is given now.
  #clientLeft = false
  // Set by break(): an error throws away what is still queued, so it waits until the queue was read.
  #breaking = false

  constructor(signal: AbortSignal, clock: Clock, respond: (response: Response) => void) {
    this.#signal = signal
    this.#clock = clock
    this.#respond = respond
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
    if (status === 204 || status === 304) return this.#respond(new Response(null, init))
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller
      },
      pull: () => this.#pulled(),
      cancel: () => this.#left(),
    })
    this.#respond(new Response(body, init))
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#open || !this.#controller) return true
    this.#controller.enqueue(bytes)
    return (this.#controller.desiredSize ?? 0) > 0
  }

  end(): void {
    if (!this.#close()) return
    this.#controller?.close()
  }

  break(): void {
    if (!this.#close()) return
    if (!this.#controller) return this.#respond(new Response(null, { status: 503 }))
    if (this.#clientLeft) return
    this.#breaking = true
    if ((this.#controller.desiredSize ?? 0) > 0) this.#pulled()
  }

  #pulled(): void {
    if (!this.#breaking) return this.#on?.drained()
    // Without a reason, because Bun prints one with a stack.
    this.#clock.setTimer(BREAK_AFTER_MS, () => this.#controller?.error())
  }

  readonly #left = (): void => {
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
