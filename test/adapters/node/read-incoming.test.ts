import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { readIncoming } from '../../../adapters/node/read-incoming.ts'
import type { BodyRead } from '../../../src/deps.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'

const LIMIT = 8
const WITHIN_MS = 100_000

type Opened = { incoming: IncomingMessage; reading: Promise<BodyRead>; clock: FakeClock }

function open(headers: IncomingMessage['headers'] = {}): Opened {
  const incoming = new IncomingMessage(new Socket())
  Object.assign(incoming.headers, headers)
  const clock = fakeClock()
  return { incoming, reading: readIncoming(incoming, LIMIT, { clock, withinMs: WITHIN_MS }), clock }
}

/** What becomes of the reading, and how many timers and listeners it leaves behind. */
async function outcome({ incoming, reading, clock }: Opened): Promise<unknown[]> {
  const read = await reading
  const text = typeof read === 'string' ? read : Buffer.from(read).toString()
  return [text, clock.pending(), incoming.listenerCount('data')]
}

describe('a body', () => {
  test('is read whole up to exactly the limit', async () => {
    const opened = open()
    opened.incoming.push('1234')
    opened.incoming.push('5678')
    opened.incoming.push(null)
    expect(await outcome(opened)).toEqual(['12345678', 0, 0])
  })

  test('whose length is said to be too large is not waited for', async () => {
    expect(await outcome(open({ 'content-length': '9' }))).toEqual(['too-large', 0, 0])
  })

  test('that grows too large is refused before its end', async () => {
    const opened = open()
    opened.incoming.push('123456789')
    expect(await outcome(opened)).toEqual(['too-large', 0, 0])
  })

  test('whose client leaves is aborted', async () => {
    const opened = open()
    opened.incoming.push('1')
    opened.incoming.destroy()
    expect(await outcome(opened)).toEqual(['aborted', 0, 0])
  })

  test('of which nothing comes for a minute is too slow', async () => {
    const opened = open()
    await opened.clock.advance(30_000)
    opened.incoming.push('1')
    await opened.clock.advance(59_999)
    expect(opened.clock.pending()).toBe(2)
    await opened.clock.advance(1)
    expect(await outcome(opened)).toEqual(['too-slow', 0, 0])
  })

  test('that takes longer than it may is too slow, although something comes now and then', async () => {
    const opened = open()
    await opened.clock.advance(50_000)
    opened.incoming.push('1')
    await opened.clock.advance(49_999)
    expect(opened.clock.pending()).toBe(2)
    await opened.clock.advance(1)
    expect(await outcome(opened)).toEqual(['too-slow', 0, 0])
  })
})
