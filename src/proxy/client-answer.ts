import type { ClientEnd, HeaderPairs } from '../deps.ts'

/** Client closed the request before any status was sent (nginx's number; never on the wire). */
const CLIENT_CLOSED = 499

/** What one client has been sent so far: the head once, then bytes that are counted. */
export class ClientAnswer {
  readonly #client: ClientEnd
  readonly #ownHeaders: HeaderPairs
  #status: number | undefined
  #bytesOut = 0

  constructor(client: ClientEnd, ownHeaders: HeaderPairs) {
    this.#client = client
    this.#ownHeaders = ownHeaders
  }

  /** The client has status and headers: from here on only the body can tell it anything. */
  get isCommitted(): boolean {
    return this.#status !== undefined
  }

  /** The status that was sent, and the bytes of the body. */
  get sent(): { status: number; bytesOut: number } {
    return { status: this.#status ?? CLIENT_CLOSED, bytesOut: this.#bytesOut }
  }

  commit(status: number, headers: HeaderPairs): void {
    this.#status = status
    this.#client.head(status, [...headers, ...this.#ownHeaders])
  }

  /** Returns false when the client reads too slowly. */
  send(bytes: Uint8Array): boolean {
    this.#bytesOut += bytes.length
    return this.#client.write(bytes)
  }

  end(): void {
    this.#client.end()
  }

  break(): void {
    this.#client.break()
  }
}
