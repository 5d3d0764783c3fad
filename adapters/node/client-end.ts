import type { ServerResponse } from 'node:http'
import type { ClientEnd, HeaderPairs, OpenedClient } from '../../src/deps.ts'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'

/** The client's end on Node: answers are written straight to the connection, without a web stream in between. */
export function openOutgoing(outgoing: ServerResponse): OpenedClient {
  const opened = Promise.withResolvers<Response>()
  const client = new OutgoingClient(outgoing, () => opened.resolve(RESPONSE_ALREADY_SENT))
  return { client, response: opened.promise }
}

class OutgoingClient implements ClientEnd {
  readonly #outgoing: ServerResponse
  readonly #answered: () => void
  #over = false
  #corked = false

  constructor(outgoing: ServerResponse, answered: () => void) {
    this.#outgoing = outgoing
    this.#answered = answered
  }

  listen(on: { drained(): void; gone(): void }): void {
    const gone = (): void => {
      if (!this.#over) on.gone()
    }
    this.#outgoing.on('drain', () => on.drained())
    this.#outgoing.on('close', gone)
    // The client may have left while its body was read: no event will tell again.
    if (this.#outgoing.destroyed || this.#outgoing.socket?.destroyed) queueMicrotask(gone)
  }

  head(status: number, headers: HeaderPairs): void {
    this.#cork()
    this.#outgoing.writeHead(status, headers.flat())
    // A heartbeat's head or a stream's must leave before the first byte of the body.
    this.#outgoing.flushHeaders()
    this.#answered()
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over) return true
    this.#cork()
    return this.#outgoing.write(bytes)
  }

  end(): void {
    if (this.#over) return
    this.#over = true
    // node:http forgets the chunks of a corked answer when it is ended; the socket holds them back instead.
    this.#outgoing.socket?.cork()
    this.#uncork()
    this.#outgoing.end()
  }

  break(): void {
    if (this.#over) return
    this.#over = true
    this.#uncork()
    this.#answered()
    if (this.#outgoing.writableLength === 0) this.#outgoing.destroy()
    else this.#outgoing.once('drain', () => this.#outgoing.destroy())
  }

  /** Head and chunks of one turn leave in one write. */
  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.#outgoing.cork()
    process.nextTick(() => this.#uncork())
  }

  #uncork(): void {
    if (!this.#corked) return
    this.#corked = false
    this.#outgoing.uncork()
  }
}
