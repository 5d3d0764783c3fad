import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Answer, HeaderPairs } from './answer.ts'
import { headerIn } from './answer.ts'
import type { RecordedRequest } from './recorded-request.ts'

/** Thrown inside a behaviour when the gate has gone: there is nobody left to misbehave to. */
export class GateGone extends Error {
  override name = 'GateGone'
}

/** One request and its answer on the wire. */
export class Exchange {
  readonly record: RecordedRequest
  readonly #incoming: IncomingMessage
  readonly #response: ServerResponse
  readonly #socket: Socket
  readonly #gone = new AbortController()
  readonly #releases = new Set<() => void>()
  /** The last piece's length, which counts once it has gone out with the end. */
  #lastBytes = 0
  readonly #tellClosed: (at: number) => void

  constructor(incoming: IncomingMessage, response: ServerResponse, connection: number) {
    const closed = Promise.withResolvers<number>()
    this.#incoming = incoming
    this.#response = response
    this.#socket = incoming.socket
    this.#tellClosed = closed.resolve
    this.record = emptyRecord(incoming, connection, closed.promise)
    this.#watch()
  }

  /** Aborted when the exchange is over, for any reason. */
  get over(): AbortSignal {
    return this.#gone.signal
  }

  /** Reads the request's body; false when the gate went away in the middle of it. */
  async readBody(): Promise<boolean> {
    const parts: Buffer[] = []
    try {
      for await (const part of this.#incoming) parts.push(Buffer.from(part))
    } catch {
      // Destroyed by the gate: `complete` tells.
    }
    this.record.body = Buffer.concat(parts)
    this.record.complete = this.#incoming.complete
    return this.record.complete
  }

  /** Sends the status line and headers at once, before any body. */
  head(answer: Pick<Answer, 'status' | 'headers' | 'chunked' | 'pieces'>): void {
    this.#mustBeOpen()
    this.#response.writeHead(answer.status, framed(answer).flat())
    this.#response.flushHeaders()
  }

  /** Sends an interim `103 Early Hints`. */
  hint(): Promise<void> {
    return new Promise((resolve) => {
      this.#response.writeEarlyHints({ link: '</style.css>; rel=preload' }, resolve)
    })
  }

  /** Writes one piece as one chunk; resolves when the kernel took it. */
  async write(piece: Uint8Array): Promise<void> {
    this.#mustBeOpen()
    if (this.record.method === 'HEAD') return
    const written = new Promise<void>((resolve, reject) => {
      this.#response.write(piece, (error) => (error ? reject(new GateGone()) : resolve()))
    })
    await this.unlessGone(written)
    this.record.sentBytes += piece.length
    // A turn of the loop keeps two pieces from leaving in one segment.
    await new Promise((resolve) => setImmediate(resolve))
  }

  /**
   * Ends the answer in good order. The last piece goes with the end: were it sent alone, a reader
   * who counts the length could leave before our end and look like one who gave up.
   */
  async end(last: Uint8Array = Buffer.alloc(0)): Promise<void> {
    this.#mustBeOpen()
    const silent = last.length === 0 || this.record.method === 'HEAD'
    this.#lastBytes = silent ? 0 : last.length
    this.#response.end(silent ? undefined : last)
    if (!this.over.aborted) await once(this.over, 'abort')
    if (this.record.state !== 'finished') throw new GateGone()
  }

  /** Sends FIN after what was written, whatever the framing still promised. */
  fin(): void {
    this.#finish()
    this.#socket.destroySoon()
  }

  /** Sends RST. */
  reset(): void {
    this.#finish()
    this.#socket.resetAndDestroy()
  }

  /** Waits until the test releases what is held. */
  held(): Promise<void> {
    return this.unlessGone(new Promise((resolve) => this.#releases.add(resolve)))
  }

  /** Whether it waits for `release`. */
  get isHeld(): boolean {
    return this.#releases.size > 0
  }

  /** Lets a held answer go on. */
  release(): void {
    for (const go of this.#releases) go()
    this.#releases.clear()
  }

  /** Waits for something, but no longer than the gate is there. */
  async unlessGone<T>(work: Promise<T>): Promise<T> {
    this.#mustBeOpen()
    const stop = new AbortController()
    const gone = once(this.over, 'abort', { signal: stop.signal }).then(
      () => Promise.reject(new GateGone()),
      () => new Promise<never>(() => {}),
    )
    try {
      return await Promise.race([work, gone])
    } finally {
      stop.abort()
    }
  }

  #mustBeOpen(): void {
    if (this.over.aborted) throw new GateGone()
  }

  /** Notices the gate's FIN and RST, in every phase, and tells them from our own endings. */
  #watch(): void {
    const socket = this.#socket
    const gone = () => this.#abort()
    const unwatch = () => {
      socket.off('end', gone)
      socket.off('close', gone)
    }
    socket.once('end', gone)
    socket.once('close', gone)
    this.#response.once('finish', () => {
      this.record.sentBytes += this.#lastBytes
      this.#finish()
    })
    this.#gone.signal.addEventListener('abort', unwatch)
  }

  #abort(): void {
    if (this.record.state !== 'open') return
    const now = performance.now()
    this.record.state = 'aborted'
    this.record.abortedAfterMs = now - this.record.at
    this.#tellClosed(now)
    this.#gone.abort()
    this.#socket.destroy()
  }

  #finish(): void {
    if (this.record.state !== 'open') return
    this.record.state = 'finished'
    this.#gone.abort()
  }
}

/** Headers with the framing that the answer asks for, unless it brings its own. */
function framed(answer: Pick<Answer, 'status' | 'headers' | 'chunked' | 'pieces'>): HeaderPairs {
  const given = headerIn(answer.headers, 'content-length') !== undefined
  if (answer.chunked || given || answer.status === 204 || answer.status === 304) {
    return answer.headers
  }
  const length = answer.pieces.reduce((sum, piece) => sum + piece.length, 0)
  return [...answer.headers, ['content-length', String(length)]]
}

function emptyRecord(
  incoming: IncomingMessage,
  connection: number,
  closed: Promise<number>,
): RecordedRequest {
  const headers = Object.entries(incoming.headersDistinct).map(
    ([name, values = []]) => [name, values.length === 1 ? values[0]! : values] as const,
  )
  return {
    method: incoming.method ?? '',
    url: incoming.url ?? '',
    headers: Object.fromEntries(headers),
    rawHeaders: incoming.rawHeaders,
    body: Buffer.alloc(0),
    complete: false,
    model: undefined,
    at: performance.now(),
    closed,
    state: 'open',
    sentBytes: 0,
    connection,
  }
}
