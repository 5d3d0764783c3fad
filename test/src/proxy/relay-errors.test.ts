import { describe, expect, test } from 'vitest'
import type { UpstreamFailure } from '../../../src/deps.ts'
import type { RelayPlan } from '../../../src/proxy/relay-plan.ts'
import {
  JSON_HEADERS,
  jsonAnswer,
  STREAM_TYPE,
  type WholeAnswer,
} from '../../support/fake-upstream.ts'
import { CHAT } from '../../support/sse-samples.ts'
import {
  BEAT,
  completed,
  CUT,
  MESSAGES_CUT,
  MESSAGES_PLAN,
  MINUTE,
  outcomeOf,
  PING,
  SECOND,
  startRelay,
  type Started,
} from './start-relay.ts'

const OVERFLOW =
  '{"error":{"code":400,"message":"request (4923 tokens) exceeds the available context size (256 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":4923,"n_ctx":256}}'
const overflow: WholeAnswer = {
  status: 400,
  headers: [
    ['content-type', 'application/json; charset=utf-8'],
    ['content-length', String(OVERFLOW.length)],
  ],
  body: OVERFLOW,
}

const swapError = (status: number, message: string): WholeAnswer =>
  jsonAnswer(
    {
      src: 'llama-swap',
      error: { message, type: 'server_error', param: null, code: 'internal_error' },
    },
    status,
  )

const loadFailed = swapError(500, 'unspecific error: upstream command exited prematurely')
const badRequest = jsonAnswer(
  { error: { code: 400, message: "'messages' is required", type: 'invalid_request_error' } },
  400,
)

/** What the client got instead of an answer, and how that was booked. */
function refusalIn({ client, settled }: Started): unknown {
  const { status, text, ended } = client.seen
  const body: unknown = JSON.parse(text)
  return {
    status,
    body,
    ended,
    settled: settled.map(({ outcome, reason }) => `${outcome}: ${reason}`),
  }
}

const openaiError = (message: string, type: string, code: string): unknown => ({
  error: { message, type, param: null, code },
})

describe('an error of upstream, before the client has anything', () => {
  test.each([
    [
      'a bad request',
      badRequest,
      400,
      'refused: upstream-refused',
      openaiError("'messages' is required", 'invalid_request_error', 'upstream_error'),
    ],
    [
      'an unknown model',
      swapError(404, 'no router for requested model'),
      404,
      'refused: model-unknown',
      openaiError(
        'Unknown model "glm-4.7-flash". GET /v1/models lists what this key may use.',
        'not_found_error',
        'model_not_found',
      ),
    ],
    [
      'a failed load',
      loadFailed,
      503,
      'upstream-failed: model-load-failed',
      openaiError(
        'The model could not be loaded. The owner of the gate can see why in the log of llama-swap.',
        'server_error',
        'model_load_failed',
      ),
    ],
    [
      'a refused key',
      swapError(401, 'unauthorized: invalid or missing API key'),
      502,
      'upstream-failed: upstream-key-refused',
      openaiError(
        'The model server refused the key of this gate (not yours). The owner must set upstream.apiKey (UPSTREAM_API_KEY) to a key of llama-swap, or of the gate in front of it.',
        'server_error',
        'upstream_key_refused',
      ),
    ],
    [
      'a full box',
      swapError(429, 'Too many requests'),
      503,
      'upstream-failed: upstream-busy',
      openaiError(
        'The model server has no free place for this model right now.',
        'server_error',
        'upstream_busy',
      ),
    ],
    [
      'a redirect',
      { status: 307, headers: [['location', '/v1/chat/completions']] } satisfies WholeAnswer,
      502,
      'upstream-failed: upstream-broken',
      openaiError(
        'The model server broke the connection before it answered.',
        'server_error',
        'upstream_failed',
      ),
    ],
    [
      'plain text',
      {
        status: 404,
        headers: [['content-type', 'text/plain']],
        body: '404 page not found\n',
      } satisfies WholeAnswer,
      404,
      'refused: upstream-refused',
      openaiError('404 page not found', 'not_found_error', 'upstream_error'),
    ],
  ] as const)('%s becomes a refusal in the shape of the dialect', (_, answer, ...rest) => {
    const [status, settled, body] = rest
    const relay = startRelay()
    relay.call.answer(answer)
    expect(refusalIn(relay)).toEqual({
      status,
      body,
      ended: 'end',
      settled: [settled],
    })
  })

  test('is a refusal with the fields of one, and those of the gate, and none of upstream', () => {
    const { call, client } = startRelay()
    call.answer({
      ...loadFailed,
      headers: [...JSON_HEADERS, ['x-upstream', '1'], ['retry-after', '1']],
    })
    expect(client.headers).toEqual([
      ['content-type', 'application/json'],
      ['content-length', String(client.bytes.length)],
      ['cache-control', 'no-store'],
      ['swapgate-error', 'model-load-failed'],
      ['retry-after', '30'],
      ['retry-after-ms', '30000'],
      ['x-should-retry', 'false'],
      ['x-request-id', 'r-1'],
    ])
  })

  test('speaks Anthropic’s dialect where the client does', () => {
    const relay = startRelay(MESSAGES_PLAN)
    relay.call.answer(badRequest)
    expect(refusalIn(relay)).toEqual({
      status: 400,
      body: {
        type: 'error',
        error: { type: 'invalid_request_error', message: "'messages' is required" },
      },
      ended: 'end',
      settled: ['refused: upstream-refused'],
    })
  })

  test('that breaks off in its own text is a broken upstream', () => {
    const relay = startRelay()
    relay.call.head(400, JSON_HEADERS).chunk('{"error":').failure('reset')
    expect(refusalIn(relay)).toMatchObject({
      status: 502,
      settled: ['upstream-failed: upstream-broken'],
    })
  })

  test('whose text never ends is a broken upstream after upstreamSilenceMs, and upstream is left', async () => {
    const relay = startRelay()
    relay.call.head(400, JSON_HEADERS).chunk('{"error":')
    await relay.clock.advance(10 * MINUTE)
    expect(refusalIn(relay)).toMatchObject({
      status: 502,
      settled: ['upstream-failed: upstream-broken'],
    })
    expect(relay.call.isLive).toBe(false)
  })

  test('that is an event stream by its type is read as an error all the same', () => {
    const relay = startRelay()
    relay.call.answer({ status: 400, headers: STREAM_TYPE, body: badRequest.body! })
    expect(refusalIn(relay)).toMatchObject({ status: 400, settled: ['refused: upstream-refused'] })
  })
})

describe('a context overflow', () => {
  test('goes to OpenAI clients byte for byte, marked as final', () => {
    const relay = startRelay()
    relay.call.answer(overflow)
    expect(outcomeOf(relay)).toEqual({
      status: 400,
      text: OVERFLOW,
      ended: 'end',
      settled: [{ outcome: 'refused', status: 400, reason: 'context-overflow' }],
      aborts: [1],
      isLive: false,
      timers: 0,
    })
    expect(relay.client.headers).toEqual([
      ...overflow.headers!,
      ['x-should-retry', 'false'],
      ['swapgate-error', 'prompt-too-long'],
      ['x-request-id', 'r-1'],
    ])
  })

  test('becomes the one text that Claude Code understands', () => {
    const relay = startRelay(MESSAGES_PLAN)
    relay.call.answer(overflow)
    expect(refusalIn(relay)).toEqual({
      status: 400,
      body: {
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: 'prompt is too long: 4923 tokens > 256 maximum',
        },
      },
      ended: 'end',
      settled: ['refused: prompt-too-long'],
    })
  })

  test.each([
    ['OpenAI', {}, BEAT + CUT, 'context-overflow'],
    ['Anthropic', MESSAGES_PLAN, PING + MESSAGES_CUT, 'prompt-too-long'],
  ])(
    'behind a heartbeat breaks the connection of %s clients, so that a retry learns the status',
    async (...row) => {
      const [, plan, text, reason] = row
      const relay = startRelay(plan)
      await relay.clock.advance(30 * SECOND)
      relay.call.answer(overflow)
      expect(outcomeOf(relay)).toEqual({
        status: 200,
        text,
        ended: 'break',
        settled: [{ outcome: 'upstream-failed', status: 200, reason }],
        aborts: [1],
        isLive: false,
        timers: 0,
      })
    },
  )

  test.each([
    ['as a refusal', 0, false],
    ['only as a broken connection', 30 * SECOND, true],
  ])('tells the gate how long it was, and that the client learns of it %s', async (...row) => {
    const [, ms, isCommitted] = row
    const told: Parameters<RelayPlan['overflowed']>[] = []
    const relay = startRelay({ overflowed: (...each) => void told.push(each) })
    await relay.clock.advance(ms)
    relay.call.answer(overflow)
    expect(told).toEqual([[{ prompt: 4923, context: 256 }, isCommitted]])
  })
})

describe('an error of upstream behind a heartbeat', () => {
  test.each([
    ['a full box', swapError(429, 'Too many requests'), 'upstream-busy'],
    [
      'a model that is loading',
      jsonAnswer(
        { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } },
        503,
      ),
      'model-loading',
    ],
    ['a server error', swapError(500, 'oops'), 'upstream-refused'],
    ['an empty 502', { status: 502 } satisfies WholeAnswer, 'upstream-broken'],
    ['a 200 that is no stream', jsonAnswer({ choices: [] }), 'upstream-broken'],
    ['a 204', { status: 204 } satisfies WholeAnswer, 'upstream-broken'],
    [
      'a stream under another status',
      { status: 202, headers: STREAM_TYPE, body: CHAT.bytes } satisfies WholeAnswer,
      'upstream-broken',
    ],
    [
      'a redirect',
      { status: 302, headers: [['location', '/']] } satisfies WholeAnswer,
      'upstream-broken',
    ],
  ] as const)('%s may pass with a retry: the connection breaks', async (_, answer, reason) => {
    const relay = startRelay()
    await relay.clock.advance(30 * SECOND)
    relay.call.answer(answer)
    expect(outcomeOf(relay)).toEqual({
      status: 200,
      text: BEAT + CUT,
      ended: 'break',
      settled: [{ outcome: 'upstream-failed', status: 200, reason }],
      aborts: [1],
      isLive: false,
      timers: 0,
    })
  })

  test.each([
    [
      'a failed load',
      loadFailed,
      'upstream-failed',
      'model-load-failed',
      '"message":"The model could not be loaded. The owner of the gate can see why in the log of llama-swap.","type":"server_error","param":null,"code":"model_load_failed"',
    ],
    [
      'a bad request',
      badRequest,
      'refused',
      'upstream-refused',
      '"message":"\'messages\' is required","type":"invalid_request_error","param":null,"code":"upstream_error"',
    ],
    [
      'an unknown model',
      swapError(404, 'model not found'),
      'refused',
      'model-unknown',
      '"message":"Unknown model \\"glm-4.7-flash\\". GET /v1/models lists what this key may use.","type":"not_found_error","param":null,"code":"model_not_found"',
    ],
  ] as const)('%s is final: it is told in the stream, which ends in order', async (...row) => {
    const [, answer, outcome, reason, error] = row
    const relay = startRelay()
    await relay.clock.advance(30 * SECOND)
    relay.call.answer(answer)
    expect(outcomeOf(relay)).toEqual({
      status: 200,
      text: `${BEAT}data: {"error":{${error}}}\n\n`,
      ended: 'end',
      settled: [{ outcome, status: 200, reason }],
      aborts: [1],
      isLive: false,
      timers: 0,
    })
  })

  test('a final one is told to Anthropic clients as an error event', async () => {
    const { call, clock, client } = startRelay(MESSAGES_PLAN)
    await clock.advance(30 * SECOND)
    call.answer(badRequest)
    expect(client.seen).toEqual({
      status: 200,
      text: `${PING}event: error\ndata: {"type":"error","error":{"type":"invalid_request_error","message":"'messages' is required"}}\n\n`,
      ended: 'end',
    })
  })

  test.each(['unreachable', 'reset'] as const)(
    '%s breaks the connection',
    async (failure: UpstreamFailure) => {
      const { call, clock, client, upstream } = startRelay()
      await clock.advance(30 * SECOND)
      call.failure(failure)
      expect({ ...client.seen, calls: upstream.calls.length }).toEqual({
        status: 200,
        text: BEAT + CUT,
        ended: 'break',
        calls: 1,
      })
    },
  )
})

describe('a box that cannot be reached', () => {
  test('is a 503 at once, without a second attempt', () => {
    const relay = startRelay()
    relay.call.failure('unreachable')
    expect(refusalIn(relay)).toEqual({
      status: 503,
      body: openaiError(
        'The model server behind this gate is not reachable. It may be starting; the owner of the gate can see why in its log.',
        'server_error',
        'upstream_unavailable',
      ),
      ended: 'end',
      settled: ['upstream-failed: upstream-unreachable'],
    })
    expect(relay.upstream.calls.length).toBe(1)
  })
})

describe('an answer for llama-swap’s own pages', () => {
  const page = { errors: 'as-is' as const, streamed: false, format: undefined }

  test.each([
    ['a redirect', 302, ''],
    ['a 404 in plain text', 404, '404 page not found\n'],
    ['a 409', 409, '{"src":"llama-swap","error":"conflict"}'],
    ['a 500', 500, 'oops'],
    ['an empty 502', 502, ''],
  ])('%s is passed on as it is', (_, status, body) => {
    const relay = startRelay(page)
    relay.call.answer({
      status,
      headers: [
        ['content-type', 'text/plain'],
        ['location', '/ui/'],
      ],
      body,
    })
    expect({
      ...relay.client.seen,
      headers: relay.client.headers,
      calls: relay.upstream.calls.length,
    }).toEqual({
      status,
      text: body,
      ended: 'end',
      headers: [
        ['content-type', 'text/plain'],
        ['location', '/ui/'],
        ['x-request-id', 'r-1'],
      ],
      calls: 1,
    })
  })

  test('may be silent for as long as it likes', async () => {
    const relay = startRelay(page)
    relay.call.head(200, STREAM_TYPE).chunk('data: a\n\n')
    await relay.clock.advance(600 * MINUTE)
    relay.call.chunk('data: b\n\n').end()
    expect(outcomeOf(relay)).toEqual(completed(200, 'data: a\n\ndata: b\n\n'))
  })

  test.each<[string, (relay: Started) => void, string]>([
    ['upstream breaks', ({ call }) => void call.failure('reset'), 'stream-cut'],
    ['the gate is stopped', ({ cutShort }) => cutShort(), 'draining'],
  ])('gets no word of the gate put into its stream when %s', (_, stop, reason) => {
    const relay = startRelay(page)
    relay.call.head(200, STREAM_TYPE).chunk('data: a\n\n')
    stop(relay)
    expect([relay.client.seen, relay.settled.map((settled) => settled.reason)]).toEqual([
      { status: 200, text: 'data: a\n\n', ended: 'break' },
      [reason],
    ])
  })

  test('a 401 is about the gate’s own key: no browser may open its password box for it', () => {
    const relay = startRelay(page)
    relay.call.answer({
      ...swapError(401, 'unauthorized'),
      headers: [...JSON_HEADERS, ['www-authenticate', 'Basic realm="llama-swap"']],
    })
    expect(refusalIn(relay)).toMatchObject({
      status: 502,
      settled: ['upstream-failed: upstream-key-refused'],
    })
    expect(relay.client.headers.map(([name]) => name)).not.toContain('www-authenticate')
  })

  test('an event stream of theirs is passed on frame by frame and believed when it ends', () => {
    const relay = startRelay(page)
    relay.call.answer({ headers: STREAM_TYPE, body: 'event: logs\ndata: {}\n\n' })
    expect(relay.client.seen).toEqual({
      status: 200,
      text: 'event: logs\ndata: {}\n\n',
      ended: 'end',
    })
  })
})

test('an error whose text trickles is given up after ten seconds, however often it shows life', async () => {
  const relay = startRelay()
  relay.call.head(500, JSON_HEADERS)
  for (let second = 0; second < 9; second++) {
    relay.call.chunk(' ')
    await relay.clock.advance(SECOND)
  }
  expect(relay.client.acts).toEqual([])
  await relay.clock.advance(SECOND)
  expect(outcomeOf(relay)).toMatchObject({
    settled: [{ outcome: 'upstream-failed', status: 502, reason: 'upstream-broken' }],
  })
})

describe('an overflow', () => {
  test.each([
    ['openai', { prompt: 4923, context: 256 }],
    ['anthropic', { prompt: 4923, context: 256 }],
  ] as const)('is told with its numbers to whom it teaches, in %s', (dialect, told) => {
    const overflows: unknown[] = []
    const { call, settled } = startRelay({
      dialect,
      overflowed: (seen) => void overflows.push(seen),
    })
    call.answer(overflow)
    expect([overflows, settled.length]).toEqual([[told], 1])
  })

  test('of a gate behind this one is told, too', () => {
    const overflows: unknown[] = []
    const { call } = startRelay({
      errors: 'passed-on',
      overflowed: (seen) => void overflows.push(seen),
    })
    const mark = ['swapgate-error', 'prompt-too-long'] as const
    call.answer({ ...overflow, headers: [...(overflow.headers ?? []), mark] })
    expect(overflows).toEqual([{ prompt: 4923, context: 256 }])
  })

  test('may be told as something else', () => {
    const { call, client, settled } = startRelay({
      overflowed: () => ({ kind: 'overflow-loop' }),
    })
    call.answer(overflow)
    expect([client.status, settled.map(({ status, reason }) => [status, reason])]).toEqual([
      400,
      [[400, 'overflow-loop']],
    ])
    expect(client.text).not.toContain('exceeds the available context size')
  })
})
