import { describe, expect, test } from 'vitest'
import type { HostBindings } from '../../../src/deps.ts'
import { CountersUnavailable } from '../../../src/errors/counters-unavailable.ts'
import type { Lease } from '../../../src/limit/limit-store.ts'
import { createMemoryLimitStore } from '../../../src/limit/memory-store.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import {
  answerEverything,
  codeOf,
  KEYS,
  openGate,
  openWarmGate,
  post,
  requestOf,
  type Answer,
} from './open-gate.ts'
import { answerInference, answerUsing, limitFieldsOf, withLimits } from './limited-key.ts'

const CHAT = '/v1/chat/completions'
const ONE = { requestsPerMinute: 60, burst: 1 }
const asked = post(KEYS.user, { model: 'glm-4.7-flash', max_tokens: 10 })
const remaining = ({ headers }: Answer, what = 'requests'): string | undefined =>
  headers[`x-ratelimit-remaining-${what}`]

describe('a request over the rate', () => {
  test('is refused in the words of OpenAI, with all that its clients read', async () => {
    const { ask, upstream } = await openGate(withLimits(ONE))
    const answers = [await ask(CHAT, asked), await ask(CHAT, asked)]
    expect(answers.map(({ status }) => status)).toEqual([200, 429])
    const refusal = answers[1]!
    expect([JSON.parse(refusal.text), limitFieldsOf(refusal)]).toEqual([
      {
        error: {
          message:
            'Rate limit: requests of this key come faster than limits.requestsPerMinute and limits.burst allow. The next one may come in 1 s.',
          type: 'rate_limit_error',
          param: null,
          code: 'rate_limit_exceeded',
        },
      },
      {
        'retry-after': '1',
        'retry-after-ms': '1000',
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '1s',
      },
    ])
    expect(upstream.calls.filter(({ request }) => request.target === CHAT)).toHaveLength(1)
  })

  test('is refused in the words of Anthropic on its routes', async () => {
    const { ask } = await openGate(withLimits(ONE))
    await ask('/v1/messages', asked)
    const refusal = await ask('/v1/messages', asked)
    expect([refusal.status, JSON.parse(refusal.text), limitFieldsOf(refusal)]).toEqual([
      429,
      {
        type: 'error',
        error: {
          type: 'rate_limit_error',
          message:
            'Rate limit: requests of this key come faster than limits.requestsPerMinute and limits.burst allow. The next one may come in 1 s.',
        },
      },
      {
        'anthropic-ratelimit-requests-limit': '60',
        'anthropic-ratelimit-requests-remaining': '0',
        'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:01Z',
        'retry-after': '1',
        'retry-after-ms': '1000',
      },
    ])
  })

  test('passes when it was told to come again, and not much earlier', async () => {
    const { ask, clock } = await openGate(withLimits(ONE))
    await ask(CHAT, asked)
    await clock.advance(990)
    const early = await ask(CHAT, asked)
    await clock.advance(10)
    expect([early.status, (await ask(CHAT, asked)).status]).toEqual([429, 200])
  })

  test('takes nothing: neither of this limit nor of another', async () => {
    const { ask, clock } = await openGate(withLimits({ ...ONE, tokensPerDay: 1000 }))
    const first = await ask(CHAT, asked)
    for (let i = 0; i < 20; i++) await ask(CHAT, asked)
    await clock.advance(1000)
    const later = await ask(CHAT, asked)
    expect([first, later].map(({ status }) => status)).toEqual([200, 200])
    const reserved = 1000 - Number(remaining(first, 'tokens'))
    // Neither answer told of tokens, so both keep what was estimated, and nothing else was taken.
    expect(Number(remaining(later, 'tokens'))).toBe(1000 - 2 * reserved)
  })

  test('does not touch another key', async () => {
    const { ask } = await openGate({
      keys: [
        { id: 'a', secret: KEYS.user, limits: ONE },
        { id: 'b', secret: KEYS.all, limits: ONE },
      ],
    })
    const statuses = []
    for (const key of [KEYS.user, KEYS.user, KEYS.all, KEYS.all])
      statuses.push((await ask(CHAT, { ...asked, key })).status)
    expect(statuses).toEqual([200, 429, 200, 429])
  })
})

describe('a request over the tokens', () => {
  test('of a minute is refused by what it may become, and told when there are enough', async () => {
    const { ask, clock, upstream } = await openGate(withLimits({ tokensPerMinute: 600 }))
    upstream.onCall = answerInference(answerUsing(500, 0, 100))
    expect((await ask(CHAT, asked)).status).toBe(200)
    const refusal = await ask(CHAT, asked)
    expect([refusal.status, codeOf(refusal)]).toEqual([429, 'rate_limit_exceeded'])
    // Its prompt counts by what the one before has taught, its answer for what it may be at most.
    const waitMs = Number(refusal.headers['retry-after-ms'])
    expect(waitMs % 100).toBe(0)
    expect(limitFieldsOf(refusal)).toEqual({
      'retry-after': String(Math.ceil(waitMs / 1000)),
      'retry-after-ms': String(waitMs),
      'x-ratelimit-limit-tokens': '600',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '1m0s',
    })
    await clock.advance(waitMs)
    expect((await ask(CHAT, asked)).status).toBe(200)
  })

  test('of the day is final: it says so, and names no time in which to come again soon', async () => {
    const { ask, upstream } = await openGate(withLimits({ tokensPerDay: 600 }))
    upstream.onCall = answerInference(answerUsing(500, 0, 100))
    await ask(CHAT, asked)
    const refusal = await ask(CHAT, asked)
    expect([refusal.status, JSON.parse(refusal.text).error, limitFieldsOf(refusal)]).toEqual([
      429,
      {
        message:
          'This key has used what it may use in a day (limits.tokensPerDay). It may go on at midnight; the owner of the gate can raise the limit.',
        type: 'insufficient_quota',
        param: null,
        code: 'insufficient_quota',
      },
      {
        'retry-after': '86400',
        'retry-after-ms': '86400000',
        'x-ratelimit-limit-tokens': '600',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '24h0m0s',
        'x-should-retry': 'false',
      },
    ])
  })

  test('of the day passes after midnight in the zone of the configuration', async () => {
    const { ask, clock, upstream } = await openGate({
      ...withLimits({ tokensPerDay: 600 }),
      limits: { requestsPerMinute: null, timeZone: 'Europe/Berlin' },
    })
    upstream.onCall = answerInference(answerUsing(500, 0, 100))
    await ask(CHAT, asked)
    // It is one o'clock in Berlin.
    await clock.advance(23 * 3_600_000 - 1)
    const before = await ask(CHAT, asked)
    await clock.advance(1)
    expect([before.status, (await ask(CHAT, asked)).status]).toEqual([429, 200])
  })
})

describe('the log', () => {
  test.each([
    ['requests-per-minute', ONE],
    ['tokens-per-minute', { tokensPerMinute: 1 }],
    ['tokens-per-day', { tokensPerDay: 1 }],
    ['concurrent', { concurrent: 1 }],
  ])('names the limit that refused: %s', async (reason, limits) => {
    const { gate, ask, clock, upstream, events } = await openWarmGate(withLimits(limits))
    upstream.onCall = undefined
    const running = gate.fetch(requestOf(CHAT, asked), {})
    await clock.advance(0)
    await ask(CHAT, asked)
    expect(events.map((event) => [event.outcome, event.status, event.reason])).toEqual([
      ['refused', 429, reason],
    ])
    upstream.last.answer({ body: '{}' })
    expect((await running).status).toBe(200)
  })
})

describe('what counts for nothing', () => {
  test.each<[string, object | undefined]>([
    ['/v1/models', undefined],
    ['/models', undefined],
    ['/usage', undefined],
    ['/health', undefined],
    ['/props?model=glm-4.7-flash', undefined],
    ['/v1/messages/count_tokens', { model: 'glm-4.7-flash' }],
  ])('%s passes when every limit is reached, and takes nothing', async (path, body) => {
    const { ask } = await openGate(withLimits({ ...ONE, tokensPerDay: 600, concurrent: 1 }))
    const get = { key: KEYS.user }
    const free = body === undefined ? get : post(KEYS.user, body)
    expect((await ask(path, free)).status).toBe(200)
    expect((await ask(CHAT, asked)).status).toBe(200)
    expect((await ask(CHAT, asked)).status).toBe(429)
    expect((await ask(path, free)).status).toBe(200)
  })

  test('sound and pictures are a request without tokens', async () => {
    const { ask } = await openGate(withLimits({ requestsPerMinute: 60, tokensPerDay: 1000 }))
    const answer = await ask('/v1/images/generations', post(KEYS.user, { model: 'a' }))
    expect([remaining(answer), remaining(answer, 'tokens')]).toEqual(['9', '1000'])
  })

  test('a request that is refused for its form takes nothing', async () => {
    const { ask } = await openGate(withLimits({ ...ONE, maxOutputTokens: 5 }))
    const tooMany = await ask(CHAT, post(KEYS.user, { model: 'a', n: 6 }))
    const broken = await ask(CHAT, { ...asked, body: '{' })
    expect([tooMany.status, broken.status, (await ask(CHAT, asked)).status]).toEqual([
      400, 400, 200,
    ])
  })

  test('a key without limits is told nothing and never stopped', async () => {
    const { ask } = await openGate(withLimits({ requestsPerMinute: null }))
    const statuses = []
    for (let i = 0; i < 300; i++) statuses.push((await ask(CHAT, asked)).status)
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(limitFieldsOf(await ask(CHAT, asked))).toEqual({})
  })
})

describe('requests at the same time', () => {
  test('without a queue are refused at once beyond the number', async () => {
    const { ask, clock, upstream } = await openWarmGate(withLimits({ concurrent: 1 }))
    upstream.onCall = undefined
    const first = ask(CHAT, asked)
    await clock.advance(0)
    const refusal = await ask(CHAT, asked)
    expect([refusal.status, codeOf(refusal), limitFieldsOf(refusal)]).toEqual([
      429,
      'concurrency_limit_exceeded',
      { 'retry-after': '1', 'retry-after-ms': '1000' },
    ])
    upstream.last.answer({ body: '{}' })
    expect((await first).status).toBe(200)
    upstream.onCall = answerEverything
    expect((await ask(CHAT, asked)).status).toBe(200)
  })
})

describe('the store of limits', () => {
  const clock = fakeClock()
  const store = createMemoryLimitStore({ clock })

  test('may answer later', async () => {
    const later = {
      ...store,
      admit: async (...given: Parameters<typeof store.admit>) => store.admit(...given),
    }
    const { ask } = await openGate(withLimits(ONE), { limits: later, clock })
    expect([(await ask(CHAT, asked)).status, (await ask(CHAT, asked)).status]).toEqual([200, 429])
  })

  test('that fails is a fault of the gate', async () => {
    const fault = new Error('disk')
    const { ask, failures } = await openGate(withLimits(ONE), {
      limits: {
        ...store,
        admit: () => Promise.reject(fault),
        peek: (keyId, limits) => store.peek(keyId, limits),
      },
    })
    expect((await ask(CHAT, asked)).status).toBe(500)
    expect(failures).toEqual([{ requestId: expect.any(String), error: fault }])
  })

  const gone = new CountersUnavailable(new Error('the store is gone'))
  const unreachable = {
    ...store,
    admit: () => Promise.reject(gone),
    peek: () => Promise.reject(gone),
  }

  test.each([CHAT, '/v1/messages/count_tokens'])(
    'that cannot be reached lets nothing through to %s, and is asked and logged once',
    async (path) => {
      const asks: string[] = []
      const counted = {
        ...unreachable,
        admit: () => (asks.push('admit'), unreachable.admit()),
        peek: () => (asks.push('peek'), unreachable.peek()),
      }
      const gate = await openWarmGate(withLimits(ONE), { limits: counted, clock })
      asks.length = 0
      gate.failures.length = 0
      const answer = await gate.ask(path, asked)
      expect([answer.status, answer.headers['swapgate-error'], limitFieldsOf(answer)]).toEqual([
        503,
        'counters-unavailable',
        { 'retry-after': '5', 'retry-after-ms': '5000' },
      ])
      expect([asks.length, gate.upstream.calls, gate.failures]).toEqual([
        1,
        [],
        [{ requestId: answer.headers['x-request-id'], error: gone }],
      ])
      expect(gate.events.map(({ status, outcome, reason }) => [status, outcome, reason])).toEqual([
        [503, 'refused', 'counters-unavailable'],
      ])
    },
  )

  test('that cannot be reached says so in the words of both dialects, and nothing of why', async () => {
    const { ask } = await openGate(withLimits(ONE), { limits: unreachable, clock })
    const message =
      'This gate cannot reach its counters of limits and usage right now, and lets nothing through without them. Try again in a moment.'
    const texts = [(await ask(CHAT, asked)).text, (await ask('/v1/messages', asked)).text]
    expect(texts.map((text) => JSON.parse(text))).toEqual([
      { error: { message, type: 'server_error', param: null, code: 'counters_unavailable' } },
      { type: 'error', error: { type: 'overloaded_error', message } },
    ])
  })

  test('is not waited for to give back what a fault of the gate has left taken', async () => {
    const released: string[] = []
    const silent = {
      ...store,
      release: (lease: Lease) => (released.push(lease.keyId), new Promise<void>(() => {})),
    }
    const host: HostBindings = {
      openClient() {
        throw new Error('no socket')
      },
    }
    const config = withLimits({ requestsPerMinute: 60, burst: 9 })
    const { ask } = await openGate(config, { limits: silent })
    expect([(await ask(CHAT, { ...asked, host })).status, released]).toEqual([500, ['laptop']])
  })
})

describe('the cap on the answer', () => {
  const CAPPED = withLimits({ requestsPerMinute: null, maxOutputTokens: 100 })

  test.each([
    [CHAT, '{"model":"a"}', '{"max_tokens":100,"model":"a"}'],
    [CHAT, '{"model":"a","max_tokens":7}', '{"model":"a","max_tokens":7}'],
    [CHAT, '{"model":"a","n_predict":-1}', '{"model":"a","n_predict":100}'],
    ['/v1/completions', '{"model":"a","n":2}', '{"max_tokens":50,"model":"a","n":2}'],
    ['/v1/responses', '{"model":"a"}', '{"max_output_tokens":100,"model":"a"}'],
    ['/v1/messages', '{"model":"a","max_tokens":9999}', '{"model":"a","max_tokens":100}'],
    ['/completion', '{"model":"a"}', '{"n_predict":100,"model":"a"}'],
    ['/v1/embeddings', '{"model":"a"}', '{"model":"a"}'],
    ['/v1/messages/count_tokens', '{"model":"a"}', '{"model":"a"}'],
    ['/v1/images/generations', '{"model":"a","n":1000}', '{"model":"a","n":1000}'],
  ])('of %s for %s sends %s', async (path, body, sent) => {
    const { ask, upstream } = await openGate(CAPPED)
    await ask(path, { ...post(KEYS.user, {}), body })
    expect([upstream.lastBody, upstream.last.request.target]).toEqual([sent, path])
  })

  test('refuses more answers than there are tokens', async () => {
    const { ask, upstream } = await openGate(CAPPED)
    const answer = await ask(CHAT, post(KEYS.user, { model: 'a', n: 101 }))
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      400,
      {
        error: {
          message:
            'This request asks for 101 answers, but this key may have 100 tokens in all (limits.maxOutputTokens).',
          type: 'invalid_request_error',
          param: 'n',
          code: 'invalid_request',
        },
      },
    ])
    expect(upstream.calls.filter(({ request }) => request.target === CHAT)).toEqual([])
  })
})
