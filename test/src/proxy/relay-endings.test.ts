import { describe, expect, test } from 'vitest'
import { STREAM_TYPE } from '../../support/fake-upstream.ts'
import {
  CHAT,
  MESSAGES,
  NATIVE_COMPLETION,
  RESPONSES,
  withoutTerminator,
} from '../../support/sse-samples.ts'
import {
  BEAT,
  completed,
  CUT,
  MESSAGES_CUT,
  MESSAGES_PLAN,
  MINUTE,
  outcomeOf,
  SECOND,
  startRelay,
} from './start-relay.ts'

const FRAME = 'data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}\n\n'

/** What is left of a stream that was cut after `text`. */
const cutAfter = (text: string, frame: string, aborts = 1): unknown => ({
  status: 200,
  text: text + frame,
  ended: 'break',
  settled: [{ outcome: 'upstream-failed', status: 200, reason: 'stream-cut' }],
  aborts: [aborts],
  isLive: false,
  timers: 0,
})

describe('a stream that ends without its terminator', () => {
  test.each([
    [RESPONSES, { format: 'responses' as const }, CUT],
    [MESSAGES, MESSAGES_PLAN, MESSAGES_CUT],
    [NATIVE_COMPLETION, { format: 'native' as const }, CUT],
  ])('$name: is told to be cut, and broken', (sample, plan, frame) => {
    const relay = startRelay(plan)
    const cut = withoutTerminator(sample)
    relay.call.answer({ headers: STREAM_TYPE, body: cut })
    expect(outcomeOf(relay)).toEqual(cutAfter(new TextDecoder().decode(cut), frame))
  })

  test('chat: is told to be cut, and broken', () => {
    const relay = startRelay()
    relay.call.answer({ headers: STREAM_TYPE, body: FRAME })
    expect(outcomeOf(relay)).toEqual(cutAfter(FRAME, CUT))
  })

  test('chat: that only lacks [DONE] behind its finish reason is whole', () => {
    const relay = startRelay()
    const text = new TextDecoder().decode(withoutTerminator(CHAT))
    relay.call.answer({ headers: STREAM_TYPE, body: text })
    expect(outcomeOf(relay)).toEqual(completed(200, text))
  })

  test('and in the middle of a frame: the half frame is left out', () => {
    const relay = startRelay()
    relay.call.answer({ headers: STREAM_TYPE, body: `${FRAME}data: {"choi` })
    expect(outcomeOf(relay)).toEqual(cutAfter(FRAME, CUT))
  })

  test('and in nothing but a head', () => {
    const relay = startRelay()
    relay.call.head(200, STREAM_TYPE).end()
    expect(outcomeOf(relay)).toEqual(cutAfter('', CUT))
  })

  test('of a format that is not known is believed', () => {
    const relay = startRelay({ format: undefined })
    relay.call.answer({ headers: STREAM_TYPE, body: 'data: a\n\n' })
    expect(outcomeOf(relay)).toEqual(completed(200, 'data: a\n\n'))
  })
})

describe('a stream whose connection breaks', () => {
  test('between frames is told to be cut, and broken', () => {
    const relay = startRelay()
    relay.call.head(200, STREAM_TYPE).chunk(FRAME).failure('reset')
    expect(outcomeOf(relay)).toEqual(cutAfter(FRAME, CUT))
  })

  test('in the middle of a frame leaves the half frame out', () => {
    const relay = startRelay(MESSAGES_PLAN)
    relay.call
      .head(200, STREAM_TYPE)
      .chunk(': x\n\nevent: message_stop\ndata: {"ty')
      .failure('reset')
    expect(outcomeOf(relay)).toEqual(cutAfter(': x\n\n', MESSAGES_CUT))
  })

  test('behind a heartbeat only is told to be cut, and broken', async () => {
    const relay = startRelay()
    await relay.clock.advance(30 * SECOND)
    relay.call.head(200, STREAM_TYPE).failure('reset')
    expect(outcomeOf(relay)).toEqual(cutAfter(BEAT, CUT))
  })

  test.each([
    ['[DONE]', {}, `${FRAME}data: [DONE]\n\n`],
    ['message_stop', MESSAGES_PLAN, MESSAGES.text],
    ['response.completed', { format: 'responses' as const }, RESPONSES.text],
  ])('behind %s was whole', (_, plan, text) => {
    const { call, client, settled, clock } = startRelay(plan)
    call.head(200, STREAM_TYPE).chunk(text).failure('reset')
    expect({ ...client.seen, outcome: settled[0]?.outcome, timers: clock.pending() }).toEqual({
      status: 200,
      text,
      ended: 'end',
      outcome: 'completed',
      timers: 0,
    })
  })

  test('of a format that is not known is told to be cut', () => {
    const relay = startRelay({ format: undefined })
    relay.call.head(200, STREAM_TYPE).chunk('data: a\n\nda').failure('reset')
    expect(outcomeOf(relay)).toEqual(cutAfter('data: a\n\n', CUT))
  })
})

/** What is left of a stream that ended with an error frame. */
const failed = (text: string): unknown => ({
  status: 200,
  text,
  ended: 'end',
  settled: [{ outcome: 'upstream-failed', status: 200, reason: 'stream-error' }],
  aborts: [1],
  isLive: false,
  timers: 0,
})
describe('a stream that says itself that it failed', () => {
  const error = '{"code":500,"message":"Context size has been exceeded.","type":"server_error"}'

  test('passes its error frame on, and ends as it ended', () => {
    const relay = startRelay()
    relay.call.answer({ headers: STREAM_TYPE, body: `${FRAME}data: {"error":${error}}\n\n` })
    expect(outcomeOf(relay)).toEqual(failed(`${FRAME}data: {"error":${error}}\n\n`))
  })

  test('with its first frame passes that on', () => {
    const relay = startRelay()
    relay.call.answer({ headers: STREAM_TYPE, body: `data: {"error":${error}}\n\n` })
    expect(outcomeOf(relay)).toEqual(failed(`data: {"error":${error}}\n\n`))
  })

  test('has a bare error of llama-server repaired for Anthropic clients', () => {
    const relay = startRelay(MESSAGES_PLAN)
    relay.call.answer({ headers: STREAM_TYPE, body: `event: error\ndata: ${error}\n\n` })
    expect(outcomeOf(relay)).toEqual(
      failed(
        'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"Context size has been exceeded."}}\n\n',
      ),
    )
  })
})

describe('a stream that falls silent for longer than upstreamSilenceMs', () => {
  const timeouts = { upstreamHeadersMs: 30 * MINUTE, upstreamSilenceMs: 2 * MINUTE }
  const heartbeat = { afterMs: 0, everyMs: 1 }

  test('is told to be cut, broken, and upstream is left', async () => {
    const relay = startRelay({ timeouts, heartbeat })
    relay.call.head(200, STREAM_TYPE).chunk(FRAME)
    await relay.clock.advance(2 * MINUTE - 1)
    expect(relay.settled).toEqual([])
    await relay.clock.advance(1)
    expect(outcomeOf(relay)).toMatchObject({
      text: FRAME + CUT,
      ended: 'break',
      settled: [{ outcome: 'upstream-failed', status: 200, reason: 'stream-cut' }],
      isLive: false,
      timers: 0,
    })
  })

  test('counts from the last byte of upstream, and heartbeats do not put it off', async () => {
    const { clock, call, client } = startRelay({ timeouts })
    call.head(200, STREAM_TYPE)
    await clock.advance(110 * SECOND)
    call.chunk(FRAME)
    await clock.advance(119 * SECOND)
    expect(client.ended).toBe(undefined)
    await clock.advance(SECOND)
    expect(client.ended).toBe('break')
  })

  test('behind its terminator was whole, and upstream is left', async () => {
    const relay = startRelay({ timeouts, heartbeat })
    relay.call.head(200, STREAM_TYPE).chunk('data: [DONE]\n\n')
    await relay.clock.advance(2 * MINUTE)
    expect(outcomeOf(relay)).toEqual({
      status: 200,
      text: 'data: [DONE]\n\n',
      ended: 'end',
      settled: [{ outcome: 'completed', status: 200, reason: undefined }],
      aborts: [1],
      isLive: false,
      timers: 0,
    })
  })

  test('with a limit of 0 may be silent for ever', async () => {
    const { clock, call, settled } = startRelay({
      timeouts: { upstreamHeadersMs: 0, upstreamSilenceMs: 0 },
      heartbeat,
    })
    await clock.advance(1_000 * MINUTE)
    call.head(200, STREAM_TYPE)
    await clock.advance(1_000 * MINUTE)
    expect({ settled, timers: clock.pending() }).toEqual({ settled: [], timers: 0 })
  })
})
