import { describe, expect, test } from 'vitest'
import type { HeaderPairs } from '../../../src/deps.ts'
import { CHAT, splitAtEvery, STREAM_SAMPLES } from '../../support/sse-samples.ts'
import { JSON_HEADERS, STREAM_TYPE } from '../../support/fake-upstream.ts'
import { dialectOf } from '../../../src/dialects/dialect-of.ts'
import { findRoute } from '../../../src/routes/find-route.ts'
import { completed, outcomeOf, SECOND, startRelay } from './start-relay.ts'

const plain = { streamed: false }

describe('a whole answer', () => {
  test('goes to the client as it came, with the fields of the gate', () => {
    const relay = startRelay(plain)
    const headers: HeaderPairs = [
      ['content-type', 'application/json'],
      ['content-length', '14'],
      ['connection', 'close'],
      ['date', 'Thu, 01 Jan 2026 00:00:00 GMT'],
      ['access-control-allow-origin', ''],
      ['x-model', 'glm'],
    ]

    relay.call.head(200, headers).chunk('{"id":9007199').chunk('254740993}').end()

    expect(outcomeOf(relay)).toEqual(completed(200, '{"id":9007199254740993}'))
    expect(relay.client.headers).toEqual([
      ['content-type', 'application/json'],
      ['content-length', '14'],
      ['x-model', 'glm'],
      ['x-request-id', 'r-1'],
    ])
  })

  test('is passed on chunk by chunk, never collected', () => {
    const { call, client } = startRelay(plain)
    call.head(200, [['content-type', 'audio/wav']])
    const piece = new Uint8Array([0, 255, 128])
    call.chunk(piece)
    expect(client.acts.at(-1)).toEqual({ act: 'write', bytes: piece })
  })

  test.each([
    ['{"choices":[]}', 'end', 'completed'],
    ['{"choices":[', 'break', 'upstream-failed'],
  ])('of JSON without a length, %j, ends with %s', (text, ended, outcome) => {
    const { call, client, settled } = startRelay(plain)
    call.answer({ headers: JSON_HEADERS, body: text })
    expect({ ...client.seen, outcome: settled[0]?.outcome }).toEqual({
      status: 200,
      text,
      ended,
      outcome,
    })
  })

  test('whose connection breaks is broken for the client, too, without a frame in the middle of it', () => {
    const relay = startRelay(plain)
    relay.call
      .head(200, [['content-type', 'audio/wav']])
      .chunk('RIFF')
      .failure('reset')
    expect(outcomeOf(relay)).toEqual({
      status: 200,
      text: 'RIFF',
      ended: 'break',
      settled: [{ outcome: 'upstream-failed', status: 200, reason: 'stream-cut' }],
      aborts: [1],
      isLive: false,
      timers: 0,
    })
  })

  test('that is no stream although one was asked for is passed on', () => {
    const relay = startRelay({ streamed: true })
    relay.call.answer({ headers: JSON_HEADERS, body: '{}' })
    expect(outcomeOf(relay)).toEqual(completed(200, '{}'))
  })

  test('that is a stream although none was asked for is checked like one', () => {
    const { call, client } = startRelay(plain)
    call.answer({ headers: STREAM_TYPE, body: CHAT.bytes })
    expect(client.seen).toEqual({ status: 200, text: CHAT.text, ended: 'end' })
  })
})

describe('an answer without content', () => {
  test.each([
    ['204', 'POST', 204],
    ['304', 'GET', 304],
    ['the answer to HEAD', 'HEAD', 200],
  ])('%s has none, keeps its fields and is whole', (_, method, status) => {
    const request = { method, target: '/props?model=a', headers: [], body: undefined }
    const relay = startRelay({ ...plain, request })

    relay.call
      .head(status, [
        ['content-type', 'application/json'],
        ['content-length', '120'],
      ])
      .end()

    expect(outcomeOf(relay)).toEqual(completed(status, ''))
    expect(relay.client.headers).toEqual([
      ['content-type', 'application/json'],
      ['content-length', '120'],
      ['x-request-id', 'r-1'],
    ])
  })

  test('that is a stream by its type waits for no terminator', () => {
    const request = { method: 'HEAD', target: '/x', headers: [], body: undefined }
    const relay = startRelay({ request })
    relay.call.head(200, STREAM_TYPE).end()
    expect(outcomeOf(relay)).toEqual(completed(200, ''))
  })

  test('is whole even when the connection breaks behind it, and upstream is told that it is over', () => {
    const request = { method: 'HEAD', target: '/x', headers: [], body: undefined }
    const { call, client, settled } = startRelay({ ...plain, request })
    call.head(200, JSON_HEADERS).failure('reset')
    expect([client.seen, settled[0]?.outcome]).toEqual([
      { status: 200, text: '', ended: 'end' },
      'completed',
    ])
  })

  test('the refusal of a HEAD has none either', () => {
    const request = { method: 'HEAD', target: '/x', headers: [], body: undefined }
    const { call, client } = startRelay({ ...plain, request })
    call.failure('unreachable')
    expect(client.seen).toEqual({ status: 503, text: '', ended: 'end' })
  })
})

describe.each(STREAM_SAMPLES)('the stream "$name"', ({ path, text, bytes }) => {
  const found = findRoute('POST', path)
  const format = found.found === 'route' ? found.route.stream : undefined
  const plan = { format, dialect: dialectOf(path) }

  test('goes to the client unchanged, cut anywhere, and is whole', () => {
    for (const [first, second] of splitAtEvery(bytes)) {
      const relay = startRelay(plan)
      relay.call.head(200, STREAM_TYPE).chunk(first).chunk(second).end()
      expect(outcomeOf(relay)).toEqual(completed(200, text))
    }
  })

  test('has fields that keep proxies from holding it back', () => {
    const { call, client } = startRelay(plan)
    call.head(200, [
      ['content-type', 'text/event-stream'],
      ['cache-control', 'private'],
      ['content-length', '9'],
    ])
    expect(client.headers).toEqual([
      ['content-type', 'text/event-stream'],
      ['cache-control', 'no-cache, no-transform'],
      ['x-accel-buffering', 'no'],
      ['x-request-id', 'r-1'],
    ])
  })
})

describe('what is told of an exchange', () => {
  test('the time of the first byte is that of the first whole frame, and all bytes are counted', async () => {
    const { call, clock, settled, startedAt } = startRelay()
    await clock.advance(2 * SECOND)
    call.head(200, STREAM_TYPE)
    await clock.advance(3 * SECOND)
    call.chunk('data: half a')
    await clock.advance(SECOND)
    call.chunk(' frame\n\n')
    await clock.advance(SECOND)
    call.chunk('data: [DONE]\n\n').end()

    expect(settled).toEqual([
      {
        outcome: 'completed',
        status: 200,
        reason: undefined,
        firstByteAt: startedAt + 6 * SECOND,
        sentAt: startedAt,
        queuedMs: 0,
        begun: true,
        bytesOut: 'data: half a frame\n\ndata: [DONE]\n\n'.length,
      },
    ])
  })

  test('heartbeats are bytes, but not the first byte', async () => {
    const { call, clock, settled, startedAt } = startRelay()
    await clock.advance(30 * SECOND)
    call.head(200, STREAM_TYPE)
    await clock.advance(SECOND)
    call.chunk('data: [DONE]\n\n').end()
    expect(settled).toMatchObject([
      { firstByteAt: startedAt + 31 * SECOND, bytesOut: ': keep-alive\n\ndata: [DONE]\n\n'.length },
    ])
  })

  test('a refusal has no first byte', () => {
    const { call, client, settled } = startRelay()
    call.failure('unreachable')
    expect(settled).toMatchObject([{ firstByteAt: undefined, bytesOut: client.bytes.length }])
  })
})

test('what upstream still tells after the end changes nothing', () => {
  const relay = startRelay()
  const { events } = relay.call
  relay.call.head(200, STREAM_TYPE).chunk('data: [DONE]\n\n').end()
  const before = outcomeOf(relay)

  events.head(500, [])
  events.chunk(new Uint8Array([1]))
  events.end()
  events.failure('reset')

  expect(outcomeOf(relay)).toEqual(before)
})
