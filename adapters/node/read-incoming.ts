import type { IncomingMessage } from 'node:http'
import { BodyWatch, type BodyTime } from '../../src/body/body-time.ts'
import type { BodyRead } from '../../src/deps.ts'

/** Reads a request body straight from the connection; web streams in between cost more than the whole rest. */
export function readIncoming(
  incoming: IncomingMessage,
  maxBytes: number,
  time: BodyTime,
): Promise<BodyRead> {
  if (Number(incoming.headers['content-length']) > maxBytes) return Promise.resolve('too-large')
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const watch = new BodyWatch(time, () => done('too-slow'))
    const done = (result: BodyRead): void => {
      watch.stop()
      incoming.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
      resolve(result)
    }
    const onData = (chunk: Buffer): void => {
      watch.heard()
      bytes += chunk.length
      chunks.push(chunk)
      if (bytes > maxBytes) done('too-large')
    }
    const onEnd = (): void => done(Buffer.concat(chunks))
    const onClose = (): void => done('aborted')
    incoming.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
  })
}
