import type { BodyRead } from '../deps.ts'
import { BodyWatch, type BodyTime } from './body-time.ts'
import { joinBytes } from './join-bytes.ts'

/**
 * Reads a request body, at most `maxBytes` of it, without trusting Content-Length.
 *
 * @returns the bytes; `too-large` and `too-slow` as soon as that is known; `aborted` when the client left before the end
 */
export async function readBody(
  request: Request,
  maxBytes: number,
  time: BodyTime,
): Promise<BodyRead> {
  if (Number(request.headers.get('content-length')) > maxBytes) return 'too-large'
  const reader = request.body?.getReader()
  if (!reader) return new Uint8Array()
  const passed = Promise.withResolvers<'too-slow'>()
  const watch = new BodyWatch(time, () => passed.resolve('too-slow'))
  try {
    const read = await Promise.race([
      readAll(reader, maxBytes, () => watch.heard()),
      passed.promise,
    ])
    if (read === 'too-slow') leave(reader)
    return read
  } catch {
    leave(reader)
    return 'aborted'
  } finally {
    watch.stop()
  }
}

/** The runtime need not keep what still comes. */
function leave(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  void reader.cancel().catch(() => {})
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
