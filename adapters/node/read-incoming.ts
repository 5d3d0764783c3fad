import type { IncomingMessage } from 'node:http'

/** Reads a request body straight from the connection; web streams in between cost more than the whole rest. */
export function readIncoming(
  incoming: IncomingMessage,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | 'too-large' | 'aborted'> {
  if (Number(incoming.headers['content-length']) > maxBytes) return Promise.resolve('too-large')
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const done = (result: Uint8Array<ArrayBuffer> | 'too-large' | 'aborted'): void => {
      incoming.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
      resolve(result)
    }
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length
      chunks.push(chunk)
      if (bytes > maxBytes) done('too-large')
    }
    const onEnd = (): void => done(Buffer.concat(chunks))
    const onClose = (): void => done('aborted')
    incoming.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
  })
}
