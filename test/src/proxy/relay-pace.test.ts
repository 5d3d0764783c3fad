import { describe, expect, test } from 'vitest'
import { JSON_HEADERS, STREAM_TYPE } from '../../support/fake-upstream.ts'
import {
  BEAT,
  completed,
  MINUTE,
  outcomeOf,
  SECOND,
  startRelay,
  type Started,
} from './start-relay.ts'

const FRAME = 'data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}\n\n'
const DONE = 'data: [DONE]\n\n'

describe('a client that reads slowly', () => {
  test('makes upstream wait once, and go on once it has read', () => {
    const { call, client } = startRelay()
    client.stall()
    call.head(200, STREAM_TYPE)
    expect(call.did).toEqual([])

    call.chunk(FRAME).chunk(FRAME)
    expect(call.did).toEqual(['pause'])
    client.drain()
    expect(call.did).toEqual(['pause', 'resume'])
    client.drain()
    expect(call.did).toEqual(['pause', 'resume'])
    client.stall()
    call.chunk(FRAME)

    expect(call.did).toEqual(['pause', 'resume', 'pause'])
  })

  test('gets everything in the end', () => {
    const relay = startRelay()
    relay.client.stall()
    relay.call.head(200, STREAM_TYPE).chunk(FRAME)
    relay.client.drain()
    relay.call.chunk(DONE).end()
    expect(outcomeOf(relay)).toEqual(completed(200, FRAME + DONE))
  })

  test('of a heartbeat makes upstream wait before it has spoken', async () => {
    const { call, client, clock } = startRelay()
    client.stall()
    await clock.advance(30 * SECOND)
    expect(call.did).toEqual(['pause'])
    await clock.advance(MINUTE - 1)
    expect(client.text).toBe(BEAT)
    client.drain()
    expect(call.did).toEqual(['pause', 'resume'])
  })

  test('starts the silence anew when it has read: upstream was not to blame', async () => {
    const { call, client, clock, settled } = startRelay()
    client.stall()
    call.head(200, STREAM_TYPE).chunk(FRAME)
    await clock.advance(MINUTE - 1)
    client.drain()
    await clock.advance(30 * SECOND - 1)
    expect(client.text).toBe(FRAME)
    await clock.advance(1)
    expect(client.text).toBe(FRAME + BEAT)
    await clock.advance(9 * MINUTE)
    expect(client.ended).toBe(undefined)
    await clock.advance(30 * SECOND)
    expect(settled).toMatchObject([{ outcome: 'upstream-failed', reason: 'stream-cut' }])
  })

  test.each([
    ['a minute', 10 * MINUTE, MINUTE],
    ['a minute, however long upstream may be silent', 0, MINUTE],
    ['upstreamSilenceMs, where that is shorter', 20 * SECOND, 20 * SECOND],
  ])('that reads nothing for %s counts as gone', async (_, upstreamSilenceMs, goneAfterMs) => {
    const relay = startRelay({ timeouts: { upstreamHeadersMs: 30 * MINUTE, upstreamSilenceMs } })
    relay.client.stall()
    relay.call.head(200, STREAM_TYPE).chunk(FRAME)
    await relay.clock.advance(goneAfterMs - 1)
    expect(relay.settled).toEqual([])
    await relay.clock.advance(1)
    expect(outcomeOf(relay)).toEqual({
      status: 200,
      text: FRAME,
      ended: 'break',
      settled: [{ outcome: 'client-closed', status: 200, reason: undefined }],
      aborts: [1],
      isLive: false,
      timers: 0,
    })
  })

  const signsOfLife: Array<[string, (relay: Started) => void]> = [
    ['sends a frame', ({ call }) => void call.chunk(FRAME)],
    ['is silent', () => {}],
  ]

  test.each(signsOfLife)(
    'counts as gone a minute after it stopped, although upstream %s meanwhile',
    async (_, live) => {
      const relay = startRelay()
      relay.client.stall()
      relay.call.head(200, STREAM_TYPE).chunk(FRAME)
      await relay.clock.advance(MINUTE - 1)
      live(relay)
      expect(relay.settled).toEqual([])
      await relay.clock.advance(1)
      expect(relay.settled).toMatchObject([{ outcome: 'client-closed', status: 200 }])
    },
  )

  const lateHeads: Array<[string, (relay: Started) => void]> = [
    ['not yet', () => {}],
    ['meanwhile', ({ call }) => void call.head(200, STREAM_TYPE)],
  ]

  test.each(lateHeads)(
    'that left the first heartbeat unread counts as gone a minute later, where upstream answered %s',
    async (_, answer) => {
      const relay = startRelay()
      relay.client.stall()
      await relay.clock.advance(30 * SECOND)
      await relay.clock.advance(MINUTE - 1)
      answer(relay)
      expect(relay.settled).toEqual([])
      await relay.clock.advance(1)
      expect(outcomeOf(relay)).toEqual({
        status: 200,
        text: BEAT,
        ended: 'break',
        settled: [{ outcome: 'client-closed', status: 200, reason: undefined }],
        aborts: [1],
        isLive: false,
        timers: 0,
      })
    },
  )

  test('and reads again after the end leaves no timer behind', async () => {
    const relay = startRelay()
    relay.client.stall()
    relay.call.head(200, STREAM_TYPE).chunk(FRAME).failure('reset')
    relay.client.drain()
    expect([relay.settled.length, relay.clock.pending()]).toEqual([1, 0])
  })
})

describe('a client that leaves', () => {
  const phases: Array<[string, (relay: Started) => Promise<void> | void, number, string]> = [
    ['before the answer', () => {}, 499, ''],
    ['behind a heartbeat', ({ clock }) => clock.advance(30 * SECOND), 200, BEAT],
    ['behind the head', ({ call }) => void call.head(200, STREAM_TYPE), 200, ''],
    ['in a stream', ({ call }) => void call.head(200, STREAM_TYPE).chunk(FRAME), 200, FRAME],
    [
      'behind the terminator',
      ({ call }) => void call.head(200, STREAM_TYPE).chunk(DONE),
      200,
      DONE,
    ],
    [
      'in an answer that is no stream',
      ({ call }) => void call.head(200, JSON_HEADERS).chunk('{'),
      200,
      '{',
    ],
    ['while an error is read', ({ call }) => void call.head(400, JSON_HEADERS).chunk('{'), 499, ''],
    [
      'while upstream waits for it',
      ({ call, client }) => {
        client.stall()
        call.head(200, STREAM_TYPE).chunk(FRAME)
      },
      200,
      FRAME,
    ],
  ]

  test.each(phases)('%s aborts upstream exactly once and is told once', async (...phase) => {
    const [, reach, status, text] = phase
    const relay = startRelay()
    await reach(relay)

    relay.client.leave()

    const expected = {
      status: status === 499 ? undefined : status,
      text,
      ended: 'break',
      settled: [{ outcome: 'client-closed', status, reason: undefined }],
      aborts: [1],
      isLive: false,
      timers: 0,
    }
    expect(outcomeOf(relay)).toEqual(expected)
    relay.call.events.chunk(new TextEncoder().encode(FRAME))
    relay.call.events.failure('reset')
    relay.client.drain()
    await relay.clock.advance(60 * MINUTE)
    expect(outcomeOf(relay)).toEqual(expected)
  })

  test('of a call without a stream aborts it, too: llama-server would go on generating', () => {
    const { client, call, settled } = startRelay({ streamed: false })
    client.leave()
    expect([call.did, settled[0]?.outcome]).toEqual([['abort'], 'client-closed'])
  })

  test('after the end is no news', () => {
    const relay = startRelay()
    relay.call.head(200, STREAM_TYPE).chunk(DONE).end()
    relay.client.leave()
    expect(outcomeOf(relay)).toEqual(completed(200, DONE))
  })
})

describe('an upstream that does not begin to answer within upstreamHeadersMs', () => {
  test('is left, and the client gets a 504', async () => {
    const { clock, call, client, settled } = startRelay({ streamed: false })
    await clock.advance(30 * MINUTE - 1)
    expect({ acts: client.acts, isLive: call.isLive }).toEqual({ acts: [], isLive: true })
    await clock.advance(1)
    expect({
      status: client.status,
      ended: client.ended,
      isLive: call.isLive,
      settled: settled.map(({ outcome, status, reason }) => ({ outcome, status, reason })),
      timers: clock.pending(),
    }).toEqual({
      status: 504,
      ended: 'end',
      isLive: false,
      settled: [{ outcome: 'upstream-failed', status: 504, reason: 'upstream-timeout' }],
      timers: 0,
    })
  })

  test('is left behind heartbeats, too: they are no sign of life', async () => {
    const { clock, call, client, settled } = startRelay()
    await clock.advance(30 * MINUTE)
    expect({ ended: client.ended, isLive: call.isLive, reason: settled[0]?.reason }).toEqual({
      ended: 'break',
      isLive: false,
      reason: 'upstream-timeout',
    })
  })

  test('has as long as it likes with 0', async () => {
    const timeouts = { upstreamHeadersMs: 0, upstreamSilenceMs: 10 * MINUTE }
    const { clock, call, settled } = startRelay({ streamed: false, timeouts })
    await clock.advance(1_000 * MINUTE)
    expect({ settled, isLive: call.isLive }).toEqual({ settled: [], isLive: true })
    call.head(200, STREAM_TYPE)
    await clock.advance(10 * MINUTE)
    expect(settled).toMatchObject([{ reason: 'stream-cut' }])
  })
})
