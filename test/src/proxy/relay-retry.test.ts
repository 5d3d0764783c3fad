import { describe, expect, test } from 'vitest'
import {
  FakeUpstream,
  JSON_HEADERS,
  jsonAnswer,
  STREAM_TYPE,
  type FakeCall,
} from '../../support/fake-upstream.ts'
import { CHAT } from '../../support/sse-samples.ts'
import { MINUTE, outcomeOf, SECOND, startRelay } from './start-relay.ts'

const failures: Array<[string, (call: FakeCall) => void, status: number, reason: string]> = [
  [
    'an empty 502',
    (call) => void call.answer({ status: 502, headers: [['content-length', '0']] }),
    502,
    'upstream-broken',
  ],
  [
    'a connection that broke before the answer',
    (call) => void call.failure('reset'),
    503,
    'upstream-unreachable',
  ],
]

describe.each(failures)('after %s', (_, fail) => {
  test('the same request is sent once more, and the client notices nothing', () => {
    const relay = startRelay()
    const { upstream, client, call } = relay
    fail(call)
    expect({ calls: upstream.calls.length, acts: client.acts }).toEqual({ calls: 2, acts: [] })
    expect(upstream.last.request).toBe(call.request)

    upstream.last.answer({ headers: STREAM_TYPE, body: CHAT.bytes })

    expect(outcomeOf(relay)).toEqual({
      status: 200,
      text: CHAT.text,
      ended: 'end',
      settled: [{ outcome: 'completed', status: 200, reason: undefined }],
      aborts: [0, 0],
      isLive: false,
      timers: 0,
    })
  })

  test.each(failures)('a second failure, %s, is the answer', (...row) => {
    const [, failAgain, status, reason] = row
    const { upstream, client, call, settled, startedAt } = startRelay()
    fail(call)
    failAgain(upstream.last)
    expect({ calls: upstream.calls.length, status: client.status, settled }).toEqual({
      calls: 2,
      status,
      settled: [
        {
          outcome: 'upstream-failed',
          status,
          reason,
          firstByteAt: undefined,
          sentAt: startedAt,
          queuedMs: 0,
          begun: false,
          bytesOut: client.bytes.length,
        },
      ],
    })
  })

  test('the client that leaves meanwhile aborts the second attempt', () => {
    const { upstream, client, call, settled } = startRelay()
    fail(call)
    client.leave()
    expect({ aborts: upstream.calls.map(({ aborts }) => aborts), settled: settled.length }).toEqual(
      {
        aborts: [0, 1],
        settled: 1,
      },
    )
  })

  test('the second attempt has the whole time for its answer, and heartbeats of its own', async () => {
    const { upstream, client, call, clock } = startRelay()
    await clock.advance(999)
    fail(call)
    await clock.advance(30 * SECOND - 1)
    expect(client.acts).toEqual([])
    await clock.advance(1)
    expect(client.status).toBe(200)
    await clock.advance(29 * MINUTE)
    expect(upstream.last.isLive).toBe(true)
  })

  test('nothing is sent again once a second has passed: that was real work', async () => {
    const { upstream, client, call, clock } = startRelay()
    await clock.advance(SECOND)
    fail(call)
    expect([upstream.calls.length, client.status]).toEqual([1, 502])
  })

  test('nothing is sent again when the client has the head of an answer', async () => {
    const { upstream, client, call, clock } = startRelay({
      heartbeat: { afterMs: 500, everyMs: 500 },
    })
    await clock.advance(500)
    fail(call)
    expect([upstream.calls.length, client.ended]).toEqual([1, 'break'])
  })
})

describe('nothing is sent again after', () => {
  test.each([
    [
      'a failed load',
      jsonAnswer(
        { error: { message: 'unspecific error: upstream command exited prematurely' } },
        500,
      ),
    ],
    ['a 503', jsonAnswer({ error: { message: 'Loading model' } }, 503)],
    [
      'a 502 with a text',
      { status: 502, headers: JSON_HEADERS, body: '{"error":{"message":"peer"}}' },
    ],
    ['a 502 with a type', { status: 502, headers: JSON_HEADERS }],
    ['an empty 500', { status: 500 }],
    ['an empty 503', { status: 503 }],
    ['an empty 404', { status: 404 }],
    ['a 429', jsonAnswer({ error: { message: 'Too many requests' } }, 429)],
  ])('%s', (_, answer) => {
    const { upstream, client, call } = startRelay()
    call.answer(answer)
    expect({ calls: upstream.calls.length, ended: client.ended }).toEqual({
      calls: 1,
      ended: 'end',
    })
  })

  test('a connection that cannot be made', () => {
    const { upstream, call } = startRelay()
    call.failure('unreachable')
    expect(upstream.calls.length).toBe(1)
  })

  test('a connection that broke in the answer', () => {
    const { upstream, call } = startRelay()
    call.head(200, STREAM_TYPE).failure('reset')
    expect(upstream.calls.length).toBe(1)
  })

  test('a connection that broke in the text of an error', () => {
    const { upstream, call } = startRelay()
    call.head(500, JSON_HEADERS).failure('reset')
    expect(upstream.calls.length).toBe(1)
  })

  test('the client has left', () => {
    const { upstream, call, client } = startRelay()
    client.leave()
    call.events.failure('reset')
    expect(upstream.calls.length).toBe(1)
  })
})

/** Fails the first `failing` calls at once, within `send`. */
function hasty(failing: number): FakeUpstream {
  const upstream = new FakeUpstream()
  const send = upstream.send.bind(upstream)
  upstream.send = (request, events) => {
    const call = send(request, events)
    if (upstream.calls.length <= failing) upstream.last.failure('reset')
    return call
  }
  return upstream
}

describe('an upstream that tells of its failure while it is being called', () => {
  test('is asked once more, and it is the second attempt that a leaving client aborts', () => {
    const upstream = hasty(1)
    const { client, settled } = startRelay({}, { upstream })
    client.leave()
    expect({ aborts: upstream.calls.map(({ aborts }) => aborts), settled: settled.length }).toEqual(
      {
        aborts: [0, 1],
        settled: 1,
      },
    )
  })

  test('twice is the answer', () => {
    const upstream = hasty(2)
    const { client, settled, clock } = startRelay({}, { upstream })
    expect([
      upstream.calls.length,
      client.status,
      client.ended,
      settled.length,
      clock.pending(),
    ]).toEqual([2, 503, 'end', 1, 0])
  })
})

test('an upstream that throws is a bug: it is told, the client gets an error, and nothing goes on', async () => {
  const upstream = new FakeUpstream()
  const fault = new Error('bug')
  upstream.send = () => {
    throw fault
  }
  const { bugs, client, clock, settled, startedAt } = startRelay({}, { upstream })
  client.leave()
  await clock.advance(60 * MINUTE)
  expect({ bugs, status: client.status, ended: client.ended, settled }).toEqual({
    bugs: [fault],
    status: 500,
    ended: 'end',
    settled: [
      {
        outcome: 'upstream-failed',
        status: 500,
        reason: 'internal',
        firstByteAt: undefined,
        bytesOut: client.bytes.length,
        sentAt: startedAt,
        queuedMs: 0,
        begun: false,
      },
    ],
  })
  expect(clock.pending()).toBe(0)
})
