import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ClientEnd, HeaderPairs, OpenedClient } from '../../src/deps.ts'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'

/** How long the rest of a broken answer may stand still before the client is taken to have stopped reading. */
const STALLED_MS = 5_000

const NOTHING = Buffer.alloc(0)

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

  get isGone(): boolean {
    return this.#outgoing.destroyed || this.#outgoing.socket?.destroyed === true
  }

  listen(on: { drained(): void; gone(): void }): void {
    const gone = (): void => {
      if (!this.#over) on.gone()
    }
    this.#outgoing.on('drain', () => on.drained())
    this.#outgoing.on('close', gone)
    // The client may have left while its body was read: no event will tell again.
    if (this.isGone) queueMicrotask(gone)
  }

  head(status: number, headers: HeaderPairs): void {
    // The head must leave before the first byte of the body is there; when that byte comes at once, both go together.
    const { socket } = this.#outgoing
    socket?.cork()
    try {
      this.#outgoing.writeHead(status, headers.flat())
    } catch {
      // Upstream may say what node:http does not write: that is a broken upstream, and no reason to leave the client waiting.
      this.#over = true
      this.#outgoing.writeHead(502, ['content-length', '0']).end()
    }
    // An empty write sends the head off and adds no chunk. flushHeaders() would write it as UTF-8, but fields are bytes.
    if (!this.#over) this.#outgoing.write(NOTHING)
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
    if (!socket) return void this.#outgoing.destroy()
    socket.destroySoon()
    if (!socket.destroyed) destroyWhenStalled(socket)
  }
}

/** destroySoon() waits for a client that reads; one that does not would keep its connection for ever. */
function destroyWhenStalled(socket: Socket): void {
  let unsent = socket.writableLength
  const timer = setInterval(() => {
    if (socket.writableLength === unsent) socket.destroy()
    unsent = socket.writableLength
  }, STALLED_MS).unref()
  socket.once('close', () => clearInterval(timer))
}
