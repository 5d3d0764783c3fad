import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ConfigFile } from '../../src/config/schema.ts'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { openRaw, sendRaw, type RawConnection } from '../support/raw-http.ts'
import { headerValue, textOf, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawJsonPost, rawRequest } from '../support/raw-http/raw-request.ts'
import { harnesses } from './gates.ts'

const CHAT = '/v1/chat/completions'
const MESSAGES = '/v1/messages'
const ASK = { model: 'gpt-oss-120b', messages: [{ role: 'user', content: 'hi' }], max_tokens: 4 }
/** What the look-alike computes for a call: one of 25 tokens of the prompt, and four of the answer. */
const COMPUTED = 5
const CAP = 50

/** Keys by what they may use. None of them gets anything back in the time of a test, unless it says so. */
const LIMITS = {
  ten: { requestsPerMinute: 10 },
  five: { requestsPerMinute: 5 },
  burst: { requestsPerMinute: 2, burst: 10 },
  soon: { requestsPerMinute: 120, burst: 1 },
  spent: { requestsPerMinute: 1 },
  minute: { requestsPerMinute: null, tokensPerMinute: 60 },
  day: { requestsPerMinute: null, tokensPerDay: 1000 },
  today: { requestsPerMinute: 10, tokensPerDay: 100 },
  free: { requestsPerMinute: 10 },
  two: { requestsPerMinute: null, concurrent: 2 },
  refused: { requestsPerMinute: 10, concurrent: 1 },
  fin: { requestsPerMinute: null, concurrent: 1, waiting: 0 },
  rst: { requestsPerMinute: null, concurrent: 1, waiting: 0 },
  capped: { requestsPerMinute: null, maxOutputTokens: CAP },
} satisfies Record<string, NonNullable<ConfigFile['limits']>>

type KeyName = keyof typeof LIMITS

function secretOf(id: string): string {
  return `sk-${id}-0123456789abcdef0123456789`
}

const CONFIG = {
  keys: Object.entries(LIMITS).map(([id, limits]) => ({ id, secret: secretOf(id), limits })),
  // Midnight is hours away, whenever the tests run.
  limits: { timeZone: new Date().getUTCHours() < 12 ? 'UTC' : 'Pacific/Auckland' },
  usage: { file: null },
} satisfies ConfigFile

type What = { path?: string | undefined; body?: object }

function post(key: KeyName, { path = CHAT, body = {} }: What = {}) {
  return rawJsonPost(path, { ...ASK, ...body }, { Authorization: `Bearer ${secretOf(key)}` })
}

function get(key: KeyName, target: string): Buffer {
  return rawRequest({ target, headers: { Authorization: `Bearer ${secretOf(key)}` } })
}

/** The words that a client goes by when it was refused. */
function refusalIn(answer: RawAnswer) {
  const { status } = answer
  const { message: _, ...error } = JSON.parse(textOf(answer)).error
  return { status, error, shouldRetry: headerValue(answer, 'x-should-retry') }
}

/** Milliseconds of `retry-after-ms`, which says the same as `retry-after`. */
function waitIn(answer: RawAnswer): number {
  const ms = Number(headerValue(answer, 'retry-after-ms'))
  expect(headerValue(answer, 'retry-after')).toBe(String(Math.ceil(ms / 1000)))
  return ms
}

const RATE = {
  status: 429,
  error: { type: 'rate_limit_error', param: null, code: 'rate_limit_exceeded' },
  shouldRetry: undefined,
}
const TOO_MANY = { ...RATE, error: { ...RATE.error, code: 'concurrency_limit_exceeded' } }
const QUOTA = {
  status: 429,
  error: { type: 'insufficient_quota', param: null, code: 'insufficient_quota' },
  shouldRetry: 'false',
}

describe.each(harnesses)('limits on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  let unqueued: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    const common = { upstream: { url: upstream.url }, ...CONFIG }
    ;[gate, unqueued] = await Promise.all([
      harness.start({ ...common, queue: { slotsPerModel: 500 } }),
      harness.start({ ...common, queue: false }),
    ])
  })
  afterEach(() => upstream.reset())
  afterAll(() => Promise.all([gate, unqueued, upstream].map((one) => one.stop())))

  function ask(key: KeyName, what: What = {}): Promise<RawAnswer> {
    return sendRaw(gate.url, post(key, what))
  }

  /** What the gate says is left of one limit. */
  async function left(key: KeyName, of: 'requests' | 'tokens'): Promise<string | undefined> {
    const answer = await sendRaw(gate.url, get(key, '/v1/models'))
    return headerValue(answer, `x-ratelimit-remaining-${of}`)
  }

  describe('requests per minute', () => {
    test('are counted for each key by itself, and each answer tells what is left', async () => {
      const told: unknown[] = []
      for (const key of ['ten', 'five', 'ten', 'ten', 'five'] as const) {
        const answer = await ask(key)
        told.push([
          key,
          headerValue(answer, 'x-ratelimit-limit-requests'),
          headerValue(answer, 'x-ratelimit-remaining-requests'),
        ])
      }
      expect(told).toEqual([
        ['ten', '10', '9'],
        ['five', '5', '4'],
        ['ten', '10', '8'],
        ['ten', '10', '7'],
        ['five', '5', '3'],
      ])
    })

    test("are told to Anthropic's clients in their own header fields", async () => {
      const before = Date.now()
      const answer = await sendRaw(unqueued.url, post('ten', { path: MESSAGES }))
      const reset = headerValue(answer, 'anthropic-ratelimit-requests-reset') ?? ''
      expect([
        headerValue(answer, 'anthropic-ratelimit-requests-limit'),
        headerValue(answer, 'anthropic-ratelimit-requests-remaining'),
        reset.replace(/\d/g, '0'),
        headerValue(answer, 'x-ratelimit-limit-requests'),
      ]).toEqual(['10', '9', '0000-00-00T00:00:00Z', undefined])
      expect(Date.parse(reset)).toBeGreaterThan(before)
    })

    test('let exactly the burst through when many come at once, and a refusal costs nothing', async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => ask('burst')))
      const refused = answers.filter(({ status }) => status === 429)
      expect([
        answers.filter(({ status }) => status === 200).length,
        refused.length,
        upstream.requests.filter(({ url }) => url === CHAT).length,
      ]).toEqual([10, 40, 10])
      // One flows in every 30 seconds: were refusals charged, the later ones would have to wait for more.
      const longest = Math.max(...refused.map(waitIn))
      expect(longest).toBeLessThanOrEqual(30_000)
      expect(longest).toBeGreaterThan(0)
    })

    test('refuse in both dialects, with the time to wait', async () => {
      await ask('spent')
      const openai = await ask('spent')
      const anthropic = await ask('spent', { path: MESSAGES })
      expect(refusalIn(openai)).toEqual(RATE)
      expect(JSON.parse(textOf(anthropic))).toEqual({
        type: 'error',
        error: { type: 'rate_limit_error', message: expect.stringMatching(/^Rate limit/) },
      })
      expect([
        anthropic.status,
        headerValue(anthropic, 'x-should-retry'),
        headerValue(anthropic, 'anthropic-ratelimit-requests-remaining'),
        headerValue(openai, 'x-ratelimit-remaining-requests'),
      ]).toEqual([429, undefined, '0', '0'])
      for (const wait of [waitIn(openai), waitIn(anthropic)]) {
        expect(wait).toBeGreaterThan(50_000)
        expect(wait).toBeLessThanOrEqual(60_000)
      }
    })

    test('let the next request through after the time that was named', async () => {
      await ask('soon')
      const refused = await ask('soon')
      const wait = waitIn(refused)
      expect([refused.status, wait <= 500]).toEqual([429, true])
      await sleep(wait)
      expect((await ask('soon')).status).toBe(200)
    })
  })

  test('counting tokens, lists, usage and health take nothing from any limit', async () => {
    const before = await left('free', 'requests')
    const counts = Array.from({ length: 60 }, () =>
      ask('free', { path: '/v1/messages/count_tokens' }),
    )
    const others = ['/v1/models', '/models', '/usage', '/health', '/'].flatMap((path) =>
      Array.from({ length: 3 }, () => sendRaw(gate.url, get('free', path))),
    )
    const answers = await Promise.all([...counts, ...others])
    expect([before, new Set(answers.map(({ status }) => status)), await left('free', 'requests')])
      // Nothing was used before, so nothing can have flown in either.
      .toEqual(['10', new Set([200]), '10'])
  })

  describe('tokens', () => {
    test('of a day are charged with what was really computed', async () => {
      const told: unknown[] = [await left('day', 'tokens')]
      for (let count = 0; count < 3; count++) {
        await ask('day')
        told.push(await left('day', 'tokens'))
      }
      expect(told).toEqual([0, 1, 2, 3].map((calls) => String(1000 - calls * COMPUTED)))
    })

    test('of a day that are used up are a quota, which no client should ask for again', async () => {
      upstream.behave({ kind: 'normal', tokens: { prompt: 100, cached: 0, completion: 4 } })
      await ask('today')
      const refused = [await ask('today'), await ask('today'), await ask('today')]
      expect(refused.map(refusalIn)).toEqual([QUOTA, QUOTA, QUOTA])
      expect(waitIn(refused[0]!)).toBeGreaterThan(60_000)
      // What the one limit refused was not taken from the other either.
      expect([
        upstream.peak(),
        await left('today', 'requests'),
        await left('today', 'tokens'),
      ]).toEqual([1, '9', '0'])
    })

    test('of a minute leave a debt when they were more than estimated', async () => {
      upstream.behave({ kind: 'normal', tokens: { prompt: 80, cached: 10, completion: 4 } })
      const first = await ask('minute')
      const refused = await ask('minute')
      expect([first.status, refusalIn(refused)]).toEqual([200, RATE])
      // The debt of 14 tokens at least; one flows in every second.
      expect(waitIn(refused)).toBeGreaterThan(10_000)
    })
  })

  describe('the cap of the output', () => {
    const rows = [
      { what: 'max_tokens', body: { max_tokens: 100 }, sent: { max_tokens: CAP } },
      {
        what: 'max_completion_tokens',
        body: { max_tokens: undefined, max_completion_tokens: 100 },
        sent: { max_tokens: undefined, max_completion_tokens: CAP },
      },
      {
        what: 'n_predict beside a smaller max_tokens',
        body: { max_tokens: 3, n_predict: 1000 },
        sent: { max_tokens: 3, n_predict: CAP },
      },
      { what: 'no limit at all', body: { max_tokens: undefined }, sent: { max_tokens: CAP } },
      { what: 'a negative one', body: { max_tokens: -1 }, sent: { max_tokens: CAP } },
      { what: 'null', body: { max_tokens: null }, sent: { max_tokens: CAP } },
      { what: 'several answers', body: { max_tokens: 40, n: 5 }, sent: { max_tokens: 10, n: 5 } },
      { what: 'less', body: { max_tokens: 7 }, sent: { max_tokens: 7 } },
      { what: 'messages', path: MESSAGES, body: { max_tokens: 99 }, sent: { max_tokens: CAP } },
      {
        what: 'responses',
        path: '/v1/responses',
        body: { max_tokens: undefined },
        sent: { max_tokens: undefined, max_output_tokens: CAP },
      },
      {
        what: 'the native path',
        path: '/completion',
        body: { max_tokens: undefined, n_predict: -1 },
        sent: { max_tokens: undefined, n_predict: CAP },
      },
    ]
    test.each(rows)('reaches upstream for $what', async ({ path, body, sent }) => {
      const answer = await ask('capped', { path, body })
      const [call] = upstream.requests.filter(({ method }) => method === 'POST')
      const expected: unknown = JSON.parse(JSON.stringify({ ...ASK, ...sent }))
      expect([answer.status, JSON.parse(call!.body.toString())]).toEqual([200, expected])
    })

    test('refuses more answers than there are tokens', async () => {
      const answer = await ask('capped', { body: { n: CAP + 1 } })
      expect(refusalIn(answer)).toEqual({
        status: 400,
        error: { type: 'invalid_request_error', param: 'n', code: 'invalid_request' },
        shouldRetry: 'false',
      })
    })
  })

  describe('requests at the same time', () => {
    test.each(harness.cannot.queue === undefined ? [harness.name] : [])(
      'wait for each other where there is a queue, and then all pass',
      async () => {
        upstream.behave(...Array.from({ length: 5 }, () => ({ kind: 'never-headers' as const })))
        const clients = await openMany(gate.url, post('two'), 5)
        for (const count of [2, 2, 1]) {
          await upstream.waitFor(() => upstream.held() === count)
          upstream.release()
        }
        const answers = await Promise.all(clients.map((client) => client.answer()))
        expect([answers.map(({ status }) => status), upstream.peak()]).toEqual([
          [200, 200, 200, 200, 200],
          2,
        ])
      },
    )

    test('are refused where there is no queue, until one has ended', async () => {
      upstream.behave({ kind: 'never-headers' }, { kind: 'never-headers' })
      const clients = await openMany(unqueued.url, post('two'), 2)
      await upstream.waitFor(() => upstream.held() === 2)
      const refused = await sendRaw(unqueued.url, post('two'))
      expect(refusalIn(refused)).toEqual(TOO_MANY)
      expect(waitIn(refused)).toBeLessThanOrEqual(1000)
      upstream.release()
      await Promise.all(clients.map((client) => client.answer()))
      expect((await sendRaw(unqueued.url, post('two'))).status).toBe(200)
    })

    test('that are refused take no request of the minute', async () => {
      upstream.behave({ kind: 'never-headers' })
      const [client] = await openMany(unqueued.url, post('refused'), 1)
      await upstream.waitFor(() => upstream.held() === 1)
      const refused = await Promise.all(
        Array.from({ length: 5 }, () => sendRaw(unqueued.url, post('refused'))),
      )
      expect(refused.map((answer) => [answer.status, remainingIn(answer)])).toEqual(
        refused.map(() => [429, '9']),
      )
      upstream.release()
      expect((await client!.answer()).status).toBe(200)
    })

    test.each([
      { way: 'by FIN', key: 'fin', leave: (client: RawConnection) => client.close() },
      { way: 'by RST', key: 'rst', leave: (client: RawConnection) => client.destroy() },
    ] as const)('are one fewer as soon as a client leaves $way', async ({ key, leave }) => {
      upstream.behave({ kind: 'endless', everyMs: 20 })
      const client = await openRaw(gate.url, post(key, { body: { stream: true } }))
      await client.readUntil('data:')
      const refused = await ask(key)
      const at = performance.now()
      leave(client)
      await expect.poll(async () => (await ask(key)).status, { interval: 10 }).toBe(200)
      expect(refused.status).toBe(429)
      expect(performance.now() - at).toBeLessThan(1000)
    })
  })
})

function remainingIn(answer: RawAnswer): string | undefined {
  return headerValue(answer, 'x-ratelimit-remaining-requests')
}

function openMany(url: string, request: Buffer, count: number): Promise<RawConnection[]> {
  return Promise.all(Array.from({ length: count }, () => openRaw(url, request)))
}
