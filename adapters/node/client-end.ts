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
    // The head must leave before the first byte of the body is there; when that byte comes at once, both go together.
    const { socket } = this.#outgoing
    socket?.cork()
    this.#outgoing.writeHead(status, headers.flat())
    this.#outgoing.flushHeaders()
    process.nextTick(() => socket?.uncork())
    this.#answered()
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over) return true
    return this.#outgoing.write(bytes)
  }

  end(): void {
    if (this.#over) return
    this.#over = true
    this.#outgoing.end()
  }

  break(): void {
    if (this.#over) return
    this.#over = true
    this.#answered()
    const { socket } = this.#outgoing
    // FIN behind what was written. 'drain' would not tell when that has left: it comes only after a write that was too much.
    if (socket) socket.destroySoon()
    else this.#outgoing.destroy()
  }
}
