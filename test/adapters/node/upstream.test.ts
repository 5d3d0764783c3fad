import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createUndiciUpstream } from '../../../adapters/node/upstream.ts'

/** Longer than any model takes to load; undici gives up after 300 s unasked. */
const HOUR_MS = 3_600_000
const REQUEST = { method: 'POST', target: '/v1/chat/completions', headers: [], body: undefined }

describe('upstream over undici', () => {
  let url: string
  let answers: Promise<ServerResponse>
  let stop: () => void
  beforeEach(async () => {
    const asked = Promise.withResolvers<ServerResponse>()
    answers = asked.promise
    const server = createServer((_request, response) => asked.resolve(response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('expected a TCP port')
    url = `http://127.0.0.1:${address.port}`
    stop = () => {
      server.close()
      server.closeAllConnections()
    }
    // undici counts time with timers alone.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
    stop()
  })

  test('waits an hour for an answer, and an hour in the middle of it', async () => {
    const told: string[] = []
    const begun = Promise.withResolvers<void>()
    const over = Promise.withResolvers<void>()
    createUndiciUpstream(url).send(REQUEST, {
      head: (status) => void told.push(`head ${status}`),
      chunk(bytes) {
        told.push(Buffer.from(bytes).toString())
        begun.resolve()
      },
      end() {
        told.push('end')
        over.resolve()
      },
      failure(kind, cause) {
        told.push(`${kind} ${cause}`)
        begun.resolve()
        over.resolve()
      },
    })
    const answer = await answers
    await vi.advanceTimersByTimeAsync(HOUR_MS)
    answer.write('first')
    await begun.promise
    await vi.advanceTimersByTimeAsync(HOUR_MS)
    answer.end('last')
    await over.promise

    expect(told).toEqual(['head 200', 'first', 'last', 'end'])
  })
})
