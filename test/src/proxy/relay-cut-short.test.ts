import { describe, expect, test } from 'vitest'
import { JSON_HEADERS, STREAM_TYPE } from '../../support/fake-upstream.ts'
import {
  BEAT,
  completed,
  MESSAGES_PLAN,
  outcomeOf,
  SECOND,
  startRelay,
  type Started,
} from './start-relay.ts'

const FRAME = 'data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}\n\n'
const DONE = 'data: [DONE]\n\n'

/** What an exchange leaves behind that was cut when its client had `status`. */
function cutAt(status: number, seen: { text: unknown; ended: 'end' | 'break' }): unknown {
  return {
    status,
    ...seen,
    settled: [{ outcome: 'refused', status, reason: 'draining' }],
    aborts: [1],
    isLive: false,
    timers: 0,
  }
}

/** The frame with which an OpenAI stream says that the gate stops. */
const STOPPING =
  'data: {"error":{"message":"This gate is being stopped. Try again when it is back.",' +
  '"type":"server_error","param":null,"code":"gate_stopping"}}\n\n'

const MESSAGES_STOPPING =
  'event: error\ndata: {"type":"error","error":{"type":"overloaded_error",' +
  '"message":"This gate is being stopped. Try again when it is back."}}\n\n'

describe('an exchange that is cut because the gate stops', () => {
  const silent: Array<[string, (relay: Started) => void]> = [
    ['upstream has answered', () => {}],
    [
      'an error of upstream was read to its end',
      ({ call }) => void call.head(500, JSON_HEADERS).chunk('{'),
    ],
  ]

  test.each(silent)('before %s is answered 503, which a client asks again', (_, reach) => {
    const relay = startRelay()
    reach(relay)
    relay.cutShort()
    expect(outcomeOf(relay)).toEqual(
      cutAt(503, { text: expect.stringContaining('"code":"gate_stopping"'), ended: 'end' }),
    )
  })

  const streams: Array<[string, (relay: Started) => Promise<void> | void, string]> = [
    ['behind a heartbeat', ({ clock }) => clock.advance(30 * SECOND), BEAT],
    ['behind its head', ({ call }) => void call.head(200, STREAM_TYPE), ''],
    ['behind a frame', ({ call }) => void call.head(200, STREAM_TYPE).chunk(FRAME), FRAME],
    [
      'within a frame',
      ({ call }) => void call.head(200, STREAM_TYPE).chunk(`${FRAME}data: {"ch`),
      FRAME,
    ],
    [
      'while its client does not read',
      ({ call, client }) => {
        client.stall()
        call.head(200, STREAM_TYPE).chunk(FRAME)
      },
      FRAME,
    ],
  ]

  test.each(streams)(
    'in a stream, %s, is told so in a frame of its own, and its connection breaks',
    async (_, reach, before) => {
      const relay = startRelay()
      await reach(relay)
      relay.cutShort()
      expect(outcomeOf(relay)).toEqual(cutAt(200, { text: before + STOPPING, ended: 'break' }))
    },
  )

  test("in a stream of Anthropic's dialect is told so in its words", () => {
    const relay = startRelay(MESSAGES_PLAN)
    relay.call.head(200, STREAM_TYPE)
    relay.cutShort()
    expect(outcomeOf(relay)).toEqual(
      cutAt(200, {
        text: MESSAGES_STOPPING,
        ended: 'break',
      }),
    )
  })

  test('in an answer that is no stream is broken', () => {
    const relay = startRelay({ streamed: false })
    relay.call.head(200, JSON_HEADERS).chunk('{"a":')
    relay.cutShort()
    expect(outcomeOf(relay)).toEqual(cutAt(200, { text: '{"a":', ended: 'break' }))
  })

  test('is cut once, and nothing comes behind it', async () => {
    const relay = startRelay()
    relay.call.head(200, STREAM_TYPE).chunk(FRAME)
    relay.cutShort()
    const before = outcomeOf(relay)
    relay.cutShort()
    relay.call.events.chunk(new TextEncoder().encode(DONE))
    relay.call.events.end()
    relay.client.drain()
    await relay.clock.advance(3600 * SECOND)
    expect(outcomeOf(relay)).toEqual(before)
  })
})

test('an exchange that has ended cannot be cut', () => {
  const relay = startRelay()
  relay.call
    .head(200, STREAM_TYPE)
    .chunk(FRAME + DONE)
    .end()
  relay.cutShort()
  expect(outcomeOf(relay)).toEqual(completed(200, FRAME + DONE))
})
