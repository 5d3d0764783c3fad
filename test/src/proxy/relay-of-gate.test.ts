import { describe, expect, test } from 'vitest'
import type { RelayPlan } from '../../../src/proxy/relay-plan.ts'
import type { HeaderPairs } from '../../../src/deps.ts'
import { JSON_HEADERS, STREAM_TYPE, type FakeCall } from '../../support/fake-upstream.ts'
import { overflowBody } from '../../support/look-alike/error-answers.ts'
import { BEAT, CUT, MESSAGES_PLAN, outcomeOf, PING, SECOND, startRelay } from './start-relay.ts'

const PASSED: Partial<RelayPlan> = { errors: 'passed-on', sendings: 1 }
/** How a gate marks an error of its own. */
const MARKED: HeaderPairs = [...JSON_HEADERS, ['swapgate-error', 'model-load-failed']]
const HELLO = 'data: {"choices":[{"delta":{"content":"hi"},"finish_reason":null}]}\n\n'
const DONE = 'data: [DONE]\n\n'
const LOAD_FAILED =
  '{"error":{"message":"The model could not be loaded.","type":"server_error","param":null,"code":"model_load_failed"}}'

describe('an error of the gate behind', () => {
  test('keeps its status, its bytes and what it says of a retry', () => {
    const relay = startRelay(PASSED)
    relay.call.answer({
      status: 503,
      headers: [
        ...MARKED,
        ['retry-after', '30'],
        ['retry-after-ms', '30000'],
        ['x-should-retry', 'false'],
        ['cache-control', 'no-store'],
        ['x-request-id', 'of-home'],
        ['request-id', 'of-home'],
        ['x-ratelimit-remaining-requests', '7'],
        ['swapgate-any', '1'],
      ],
      body: LOAD_FAILED,
    })
    expect({
      ...relay.client.seen,
      headers: relay.client.headers,
      settled: relay.settled.map(({ outcome, reason }) => [outcome, reason]),
    }).toEqual({
      status: 503,
      text: LOAD_FAILED,
      ended: 'end',
      headers: [
        ...JSON_HEADERS,
        ['retry-after', '30'],
        ['retry-after-ms', '30000'],
        ['x-should-retry', 'false'],
        ['cache-control', 'no-store'],
        ['swapgate-error', 'model-load-failed'],
        ['x-request-id', 'r-1'],
      ],
      settled: [['upstream-failed', 'upstream-refused']],
    })
  })

  test.each([
    [429, 'refused', 429],
    [400, 'refused', 400],
    [508, 'upstream-failed', 508],
    // About this gate's own key.
    [401, 'upstream-failed', 502],
    [403, 'upstream-failed', 502],
  ])('with status %d is %s, and its client sees %d', (status, outcome, seen) => {
    const relay = startRelay(PASSED)
    relay.call.answer({ status, headers: MARKED, body: '{"error":{"message":"m"}}' })
    expect([relay.client.status, relay.settled.map((settled) => settled.outcome)]).toEqual([
      seen,
      [outcome],
    ])
  })

  test.each([
    ['that is final', 'false', `data: ${LOAD_FAILED}\n\n`, 'end', 'upstream-refused'],
    ['that may pass', undefined, CUT, 'break', 'upstream-refused'],
  ])('%s, behind a heartbeat, is told in the stream', async (...row) => {
    const [, shouldRetry, told, ended, reason] = row
    const relay = startRelay(PASSED)
    await relay.clock.advance(30 * SECOND)
    const retry = shouldRetry === undefined ? [] : [['x-should-retry', shouldRetry] as const]
    relay.call.answer({ status: 503, headers: [...MARKED, ...retry], body: LOAD_FAILED })
    expect({
      ...relay.client.seen,
      reasons: relay.settled.map((settled) => settled.reason),
    }).toEqual({
      status: 200,
      text: BEAT + told,
      ended,
      reasons: [reason],
    })
  })
})

test.each(['route-unknown', 'method-not-allowed', 'bad-path'])(
  'that the gate behind does not know a path (%s) is the fault of upstream.url, not of the client',
  (mark) => {
    const relay = startRelay(PASSED)
    const headers: HeaderPairs = [...JSON_HEADERS, ['swapgate-error', mark]]
    relay.call.answer({ status: 404, headers, body: LOAD_FAILED })
    expect([relay.client.seen.status, relay.settled.map(({ reason }) => reason)]).toEqual([
      502,
      ['upstream-not-llama-swap'],
    ])
  },
)

describe('an error without a gate’s mark', () => {
  test('is of somebody on the way: it is read as one of llama-swap', () => {
    const relay = startRelay(PASSED)
    const body = '{"error":"dial tcp 192.168.1.5:3000: connect: connection refused"}'
    relay.call.answer({
      status: 502,
      headers: [...JSON_HEADERS, ['x-should-retry', 'true']],
      body,
    })
    expect(outcomeOf(relay)).toEqual({
      status: 502,
      text: expect.not.stringContaining('192.168'),
      ended: 'end',
      settled: [{ outcome: 'upstream-failed', status: 502, reason: 'upstream-broken' }],
      aborts: [1],
      isLive: false,
      timers: 0,
    })
  })

  test('still lets llama-server’s own words of a long prompt through, and marks them', () => {
    const body = overflowBody(70_000, 65_536)
    const endings = (['normalised', 'passed-on'] as const).map((errors) => {
      const relay = startRelay({ errors })
      relay.call.answer({ status: 400, headers: JSON_HEADERS, body })
      return [relay.client.seen, relay.client.headers]
    })
    const ending = [
      { status: 400, text: body, ended: 'end' },
      [
        ...JSON_HEADERS,
        ['x-should-retry', 'false'],
        ['swapgate-error', 'prompt-too-long'],
        ['x-request-id', 'r-1'],
      ],
    ]
    expect(endings).toEqual([ending, ending])
  })
})

describe('a connection to a gate that is closed at once', () => {
  test.each<[string, (call: FakeCall) => void]>([
    ['before any answer', (call) => void call.failure('reset')],
    ['after an empty 502', (call) => void call.answer({ status: 502 })],
  ])('%s, has nobody behind it: the gate there has its own second try', (_, fail) => {
    const relay = startRelay(PASSED)
    fail(relay.call)
    expect([
      relay.upstream.calls.length,
      relay.client.status,
      relay.settled.map(({ reason }) => reason),
    ]).toEqual([1, 503, ['upstream-unreachable']])
  })
})

describe('a stream of the gate behind', () => {
  test('that tells its error in a frame and then breaks gets no second one', () => {
    const relay = startRelay(PASSED)
    relay.call
      .head(200, STREAM_TYPE)
      .chunk(HELLO + CUT)
      .failure('reset')
    expect(relay.client.seen).toEqual({ status: 200, text: HELLO + CUT, ended: 'break' })
    expect(relay.settled.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['upstream-failed', 'stream-error'],
    ])
  })

  test('that tells its error in a frame and then ends stays as it is', () => {
    const relay = startRelay(PASSED)
    relay.call
      .head(200, STREAM_TYPE)
      .chunk(HELLO + CUT)
      .end()
    expect(relay.client.seen).toEqual({ status: 200, text: HELLO + CUT, ended: 'end' })
  })

  test('of a format that is not known gets none either', () => {
    const relay = startRelay({ ...PASSED, format: undefined })
    relay.call.head(200, STREAM_TYPE).chunk(`data: 1\n\n${CUT}`).failure('reset')
    expect(relay.client.seen).toEqual({ status: 200, text: `data: 1\n\n${CUT}`, ended: 'break' })
  })

  test('of a format that is not known and that says nothing gets one', () => {
    const relay = startRelay({ ...PASSED, format: undefined })
    relay.call.head(200, STREAM_TYPE).chunk('data: 1\n\n').failure('reset')
    expect(relay.client.seen).toEqual({ status: 200, text: `data: 1\n\n${CUT}`, ended: 'break' })
  })

  test.each([
    ['OpenAI’s', {}, BEAT],
    ['Anthropic’s', MESSAGES_PLAN, PING],
  ])(
    'with heartbeats in %s dialect passes them on, and has begun with neither',
    async (_, plan, beat) => {
      const relay = startRelay({ ...PASSED, ...plan })
      relay.call.head(200, STREAM_TYPE)
      await relay.clock.advance(20 * SECOND)
      relay.call.chunk(beat)
      await relay.clock.advance(20 * SECOND)
      relay.call.chunk(beat + beat)
      relay.client.leave()
      expect([
        relay.client.text,
        relay.settled.map(({ begun, firstByteAt }) => ({ begun, firstByteAt })),
      ]).toEqual([beat + beat + beat, [{ begun: false, firstByteAt: undefined }]])
    },
  )

  test('is given no heartbeats beside its own, and each counts as a sign of life', async () => {
    const relay = startRelay({
      ...PASSED,
      timeouts: { upstreamHeadersMs: 0, upstreamSilenceMs: 60 * SECOND },
    })
    relay.call.head(200, STREAM_TYPE)
    for (let beat = 0; beat < 10; beat++) {
      await relay.clock.advance(25 * SECOND)
      relay.call.chunk(BEAT)
    }
    relay.call.chunk(HELLO + DONE).end()
    expect(relay.client.seen).toEqual({
      status: 200,
      text: BEAT.repeat(10) + HELLO + DONE,
      ended: 'end',
    })
  })

  test('whose heartbeat is cut in two never shows half of it', async () => {
    const relay = startRelay(PASSED)
    relay.call.head(200, STREAM_TYPE).chunk(HELLO + BEAT.slice(0, 5))
    expect(relay.client.text).toBe(HELLO)
    await relay.clock.advance(30 * SECOND)
    relay.call.chunk(BEAT.slice(5)).chunk(DONE).end()
    expect(relay.client.seen).toEqual({
      status: 200,
      text: HELLO + BEAT + BEAT + DONE,
      ended: 'end',
    })
  })

  test('has begun with its first frame', () => {
    const relay = startRelay(PASSED)
    relay.call.head(200, STREAM_TYPE).chunk(HELLO)
    relay.client.leave()
    expect(relay.settled.map(({ begun, firstByteAt }) => ({ begun, firstByteAt }))).toEqual([
      { begun: true, firstByteAt: relay.startedAt },
    ])
  })
})

describe('what stands on the way to upstream', () => {
  const PAGE = [['content-type', 'text/html']] as const
  test.each([
    ['Cloudflare without a tunnel', 530, PAGE, 'error 1033', 'upstream-unreachable', 503],
    ['Cloudflare without an answer', 524, PAGE, '', 'upstream-timeout', 504],
    [
      'frp without a client',
      404,
      PAGE,
      '<html>Faithfully yours, frp.',
      'upstream-unreachable',
      503,
    ],
    ['a proxy without the box', 502, PAGE, '<html>', 'upstream-unreachable', 503],
    ['a page instead of an answer', 200, PAGE, '<html>Sign in', 'upstream-not-llama-swap', 502],
    [
      'a login',
      302,
      [['location', 'https://team.example/login']] as const,
      '',
      'upstream-not-llama-swap',
      502,
    ],
  ])('%s is no answer', (...row) => {
    const [, status, headers, body, reason, seen] = row
    const endings = (['normalised', 'passed-on'] as const).map((errors) => {
      const relay = startRelay({ errors })
      relay.call.answer({ status, headers, body })
      return outcomeOf(relay)
    })
    const ending = expect.objectContaining({
      status: seen,
      ended: 'end',
      settled: [{ outcome: 'upstream-failed', status: seen, reason }],
      timers: 0,
    })
    expect(endings).toEqual([ending, ending])
  })

  test.each([200, 404, 502])('the pages of llama-swap are pages: %d', (status) => {
    const relay = startRelay({ errors: 'as-is', streamed: false, format: undefined })
    relay.call.answer({ status, headers: PAGE, body: '<html>' })
    expect(relay.client.seen).toEqual({ status, text: '<html>', ended: 'end' })
  })
})
