import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { AnswerReader } from './raw-http/answer-reader.ts'
import type { RawAnswer } from './raw-http/answer.ts'
import type { PeerEnding } from './raw-http/incoming.ts'
import { collect } from './raw-http/incoming.ts'

export type RawOptions = {
  /** Give up after this long; default 5000. */
  withinMs?: number
  /** The method asked with, when it cannot be read from the first bytes. */
  method?: string
  /** Connect without reading anything until `resume()`; default false. */
  paused?: boolean
}

/** A TCP connection to an HTTP server, in the test's hands. */
export type RawConnection = {
  /** Sends more bytes; resolves when the kernel took them. */
  write(bytes: Uint8Array | string): Promise<void>
  /** Waits for a text, or for a condition on everything received; answers with all of it. */
  readUntil(wanted: string | ((received: Buffer) => boolean), withinMs?: number): Promise<Buffer>
  /** Reads the next whole answer; call it again for the next one on the same connection. */
  answer(options?: RawOptions): Promise<RawAnswer>
  /** Everything received so far. */
  received(): Buffer
  /** Stops reading, so that the kernel's buffers fill and the sender feels it. */
  pause(): void
  resume(): void
  /** Sends FIN and goes on reading (half-close). */
  end(): void
  /** Sends RST at once. */
  destroy(): void
  /** Sends FIN and reads no more: what a client does that closes its socket in good order. */
  close(): void
  /** Resolves when the other side ended the connection. */
  peerEnded: Promise<PeerEnding>
}

const DEFAULT_WITHIN_MS = 5000

/** Sends bytes as they are and reads the answer to the end of its framing or of the connection. */
export async function sendRaw(
  url: string,
  bytes: Uint8Array | string,
  options: RawOptions = {},
): Promise<RawAnswer> {
  const connection = await openRaw(url, bytes, options)
  try {
    return await connection.answer(options)
  } finally {
    connection.close()
  }
}

/** Opens a connection, sends bytes and hands the connection over. */
export async function openRaw(
  url: string,
  bytes: Uint8Array | string = '',
  options: RawOptions = {},
): Promise<RawConnection> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port || 80), allowHalfOpen: true })
  await once(socket, 'connect')
  socket.setNoDelay(true)
  const connection = handle(socket, options.method ?? methodOf(bytes))
  if (options.paused === true) socket.pause()
  if (bytes.length > 0) await connection.write(bytes)
  return connection
}

function handle(socket: Socket, method: string): RawConnection {
  const incoming = collect(socket)
  /** Where in the received bytes the next answer begins. */
  let answered = 0

  return {
    write: (bytes) =>
      new Promise((resolve) => {
        // A failed write shows as the peer's ending, which is what a test looks at.
        socket.write(bytes, () => resolve())
      }),
    async readUntil(wanted, withinMs = DEFAULT_WITHIN_MS) {
      const found = () =>
        typeof wanted === 'string' ? incoming.bytes().includes(wanted) : wanted(incoming.bytes())
      await incoming.until(found, withinMs)
      return incoming.bytes()
    },
    async answer(options = {}) {
      const reader = new AnswerReader(options.method ?? method)
      let seen = answered
      await incoming.until(() => {
        const fresh = incoming.since(seen)
        seen += fresh.length
        reader.push(fresh)
        return reader.done || incoming.ending() !== 'open'
      }, options.withinMs ?? DEFAULT_WITHIN_MS)
      const answer = reader.finish(incoming.ending())
      answered = seen - answer.extra.length
      return answer
    },
    received: () => incoming.bytes(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    destroy: () => void socket.resetAndDestroy(),
    close: () => socket.destroySoon(),
    peerEnded: incoming.peerEnded,
  }
}

function methodOf(bytes: Uint8Array | string): string {
  const start = typeof bytes === 'string' ? bytes : Buffer.from(bytes.subarray(0, 32)).toString()
  return /^[A-Z]+/.exec(start)?.[0] ?? 'GET'
}
