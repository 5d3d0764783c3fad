import type { Clock } from '../deps.ts'
import { joinBytes } from './join-bytes.ts'

/** How long a client may send nothing of its body: a connection that has died is told by nobody. */
const SILENCE_MS = 60_000

/**
 * Reads a request body, at most `maxBytes` of it, without trusting Content-Length.
 *
 * @param clock ends the wait for a client that sends nothing for a minute; without it that is the runtime's business
 * @returns the bytes; `too-large` as soon as that is known; `aborted` when the client left or fell silent before the end
 */
export async function readBody(
  request: Request,
  maxBytes: number,
  clock?: Clock,
): Promise<Uint8Array<ArrayBuffer> | 'too-large' | 'aborted'> {
  if (Number(request.headers.get('content-length')) > maxBytes) return 'too-large'
  const reader = request.body?.getReader()
  if (!reader) return new Uint8Array()
  const silence = clock && new SilenceLimit(clock)
  try {
    return await Promise.race([
      readAll(reader, maxBytes, () => silence?.heard()),
      ...(silence ? [silence.passed] : []),
    ])
  } catch {
    // The runtime need not keep what still comes.
    void reader.cancel().catch(() => {})
    return 'aborted'
  } finally {
    silence?.stop()
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  maxBytes: number,
  heard: () => void,
): Promise<Uint8Array<ArrayBuffer> | 'too-large'> {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    heard()
    bytes += next.value.length
    if (bytes > maxBytes) {
      await reader.cancel()
      return 'too-large'
    }
    pieces.push(next.value)
  }
  return joinBytes(pieces)
}

/** Rejects once nothing has been heard for too long. */
class SilenceLimit {
  readonly #clock: Clock
  readonly #passed = Promise.withResolvers<never>()
  #cancel: () => void = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
    this.heard()
  }

  get passed(): Promise<never> {
    return this.#passed.promise
  }

  heard(): void {
    this.#cancel()
    this.#cancel = this.#clock.setTimer(SILENCE_MS, () =>
      this.#passed.reject(new Error('The client sends nothing more.')),
    )
  }

  stop(): void {
    this.#cancel()
  }
}
