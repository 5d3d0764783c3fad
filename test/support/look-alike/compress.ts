import { once } from 'node:events'
import { constants, createGzip } from 'node:zlib'
import type { Answer } from './answer.ts'
import { withHeaders } from './answer.ts'

/** The same answer compressed, flushed after each piece so that a stream stays a stream. */
export async function compress(answer: Answer): Promise<Answer> {
  const gzip = createGzip()
  const take = (): Buffer => gzip.read() ?? Buffer.alloc(0)
  const pieces: Buffer[] = []
  for (const piece of answer.pieces) {
    gzip.write(piece)
    await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve))
    pieces.push(take())
  }
  gzip.end()
  await once(gzip, 'readable')
  pieces.push(take())
  return {
    ...withHeaders(answer, [['content-encoding', 'gzip']]),
    pieces: pieces.filter((piece) => piece.length > 0),
  }
}
