import { joinBytes } from './join-bytes.ts'

/**
 * Reads a request body, at most `maxBytes` of it, without trusting Content-Length.
 *
 * @returns the bytes; `too-large` as soon as that is known; `aborted` when the client left before the end
 */
export async function readBody(
  request: Request,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | 'too-large' | 'aborted'> {
  if (Number(request.headers.get('content-length')) > maxBytes) return 'too-large'
  const reader = request.body?.getReader()
  if (!reader) return new Uint8Array()
  const pieces: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      bytes += next.value.length
      if (bytes > maxBytes) {
        await reader.cancel()
        return 'too-large'
      }
      pieces.push(next.value)
    }
  } catch {
    return 'aborted'
  }
  return joinBytes(pieces)
}
