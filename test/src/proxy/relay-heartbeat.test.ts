import { describe, expect, test } from 'vitest'
import { JSON_HEADERS, STREAM_TYPE } from '../../support/fake-upstream.ts'
import { CHAT, MESSAGES } from '../../support/sse-samples.ts'
import {
  BEAT,
  completed,
  EARLY_HEAD,
  MESSAGES_PLAN,
  MINUTE,
  outcomeOf,
  PING,
  SECOND,
  startRelay,
} from './start-relay.ts'

describe('while upstream is silent', () => {
  test('nothing is sent before the first heartbeat is due', async () => {
    const { clock, client } = startRelay()
    await clock.advance(30 * SECOND - 1)
    expect(client.acts).toEqual([])
  })

  test('the first heartbeat begins the answer exactly then, and further ones follow exactly', async () => {
    const { clock, client } = startRelay()

    await clock.advance(30 * SECOND)
    expect(client.seen).toEqual({ status: 200, text: BEAT, ended: undefined })
    expect(client.headers).toEqual(EARLY_HEAD)
    await clock.advance(15 * SECOND - 1)
    expect(client.text).toBe(BEAT)
    await clock.advance(1)
    expect(client.text).toBe(BEAT + BEAT)
    await clock.advance(10 * MINUTE)

    expect(client.text).toBe(BEAT.repeat(42))
    expect(client.acts.filter(({ act }) => act === 'head').length).toBe(1)
  })

  test('an Anthropic client hears pings', async () => {
    const { clock, client } = startRelay(MESSAGES_PLAN)
    await clock.advance(45 * SECOND)
    expect(client.text).toBe(PING + PING)
  })

  test('a client that asked for no stream hears nothing: its status must be true', async () => {
    const { clock, client } = startRelay({ streamed: false })
    await clock.advance(29 * MINUTE)
    expect(client.acts).toEqual([])
  })

  test('0 turns heartbeats off', async () => {
    const { clock, client } = startRelay({ heartbeat: { afterMs: 0, everyMs: 15 * SECOND } })
    await clock.advance(29 * MINUTE)
    expect(client.acts).toEqual([])
  })
})

describe('a stream that follows a heartbeat', () => {
  test('goes on behind it under the head that was sent', async () => {
    const relay = startRelay()
    await relay.clock.advance(50 * SECOND)
    relay.call.answer({
      headers: [
        ['content-type', 'text/event-stream'],
        ['x-late', '1'],
      ],
      body: CHAT.bytes,
    })
    expect(outcomeOf(relay)).toEqual(completed(200, BEAT + BEAT + CHAT.text))
    expect(relay.client.headers).toEqual(EARLY_HEAD)
  })

  test('goes on for Anthropic clients, too', async () => {
    const relay = startRelay(MESSAGES_PLAN)
    await relay.clock.advance(30 * SECOND)
    relay.call.answer({ headers: STREAM_TYPE, body: MESSAGES.bytes })
    expect(outcomeOf(relay)).toEqual(completed(200, PING + MESSAGES.text))
  })
})

describe('in a stream that has begun', () => {
  test('a pause of upstream is filled, counted from its last byte', async () => {
    const { call, clock, client } = startRelay()
    call.head(200, STREAM_TYPE)
    await clock.advance(20 * SECOND)
    call.chunk('data: a\n\n')
    await clock.advance(30 * SECOND - 1)
    expect(client.text).toBe('data: a\n\n')
    await clock.advance(1)
    expect(client.text).toBe(`data: a\n\n${BEAT}`)
    call.chunk('data: b\n\n')
    await clock.advance(45 * SECOND)

    expect(client.text).toBe(`data: a\n\n${BEAT}data: b\n\n${BEAT}${BEAT}`)
  })

  test('it stands between frames, never in one that is half here', async () => {
    const { call, clock, client } = startRelay()
    call.head(200, STREAM_TYPE).chunk('data: a\n\ndata: hal')
    await clock.advance(30 * SECOND)
    call.chunk('f\n')
    await clock.advance(30 * SECOND)
    call.chunk('\n')
    expect(client.text).toBe(`data: a\n\n${BEAT}${BEAT}data: half\n\n`)
  })

  test('a head without a byte is a sign of life, and its silence is filled', async () => {
    const { call, clock, client } = startRelay()
    await clock.advance(20 * SECOND)
    call.head(200, STREAM_TYPE)
    await clock.advance(29 * SECOND)
    expect(client.text).toBe('')
    await clock.advance(SECOND)
    expect(client.text).toBe(BEAT)
  })

  test('the beat goes on over comments of upstream only', async () => {
    const { call, clock, client } = startRelay()
    call.head(200, STREAM_TYPE)
    for (let i = 0; i < 10; i++) {
      await clock.advance(25 * SECOND)
      call.chunk(':\n\n')
    }
    expect(client.text).toBe(':\n\n'.repeat(10))
  })

  test('one that the client did not ask for is not touched', async () => {
    const { call, clock, client } = startRelay({ streamed: false })
    call.head(200, STREAM_TYPE).chunk('data: a\n\n')
    await clock.advance(9 * MINUTE)
    expect(client.text).toBe('data: a\n\n')
  })
})

describe('no heartbeat stands', () => {
  test('in an answer that is no stream although one was asked for', async () => {
    const { call, clock, client } = startRelay()
    call.head(200, JSON_HEADERS).chunk('{"a":')
    await clock.advance(9 * MINUTE)
    call.chunk('1}').end()
    expect(client.seen).toEqual({ status: 200, text: '{"a":1}', ended: 'end' })
  })

  test('before an error whose text is still on its way', async () => {
    const { call, clock, client } = startRelay()
    call.head(400, JSON_HEADERS).chunk('{"error":')
    await clock.advance(9_999)
    expect(client.acts).toEqual([])
  })

  test('behind the end', async () => {
    const relay = startRelay()
    relay.call.answer({ headers: STREAM_TYPE, body: CHAT.bytes })
    await relay.clock.advance(60 * MINUTE)
    expect(outcomeOf(relay)).toEqual(completed(200, CHAT.text))
  })

  test('while the client does not read', async () => {
    const { call, clock, client } = startRelay()
    client.stall()
    call.head(200, STREAM_TYPE).chunk('data: a\n\n')
    await clock.advance(5 * MINUTE)
    expect(client.text).toBe('data: a\n\n')
  })
})
