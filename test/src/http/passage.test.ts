import { describe, expect, test } from 'vitest'
import { Hono } from 'hono'
import type { Content, GateEnv } from '../../../src/http/gate-env.ts'
import { createPassage } from '../../../src/http/passage.ts'
import { workOf, type Work } from '../../../src/http/work-of.ts'
import { createEstimator } from '../../../src/limit/estimate.ts'
import { createMemoryLimitStore } from '../../../src/limit/memory-store.ts'
import type { Settled } from '../../../src/proxy/relay-plan.ts'
import { FREE_TURN, type Turn } from '../../../src/queue/turn.ts'
import { findRoute } from '../../../src/routes/find-route.ts'
import { LlamaCppModels } from '../../../src/usage/llama-cpp-models.ts'
import { NO_METER } from '../../../src/usage/no-meter.ts'
import type { TokenCounts } from '../../../src/usage/record.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { jsonAnswer, STREAM_TYPE } from '../../support/fake-upstream.ts'
import { CHAT as CHAT_STREAM } from '../../support/sse-samples.ts'
import {
  answerEverything,
  type Asked,
  KEYS,
  openWarmGate,
  post,
  requestOf,
  type OpenGate,
} from './open-gate.ts'
import { answerInference, answerUsing, withLimits } from './limited-key.ts'

const CHAT = '/v1/chat/completions'
const LIMITED = withLimits({ requestsPerMinute: 60, burst: 5, tokensPerDay: 10_000, concurrent: 2 })
const AT = Date.UTC(2026, 0, 1)
const NO_LOGGER = { request: () => undefined, failure: () => undefined }
const MODEL = 'glm-4.7-flash'
const NO_CONTENT: Content = {
  body: undefined,
  contentType: undefined,
  model: undefined,
  queryModel: undefined,
  streamed: false,
  members: undefined,
}
const asked = post(KEYS.user, { model: MODEL, max_tokens: 10 })
const streamed = post(KEYS.user, { model: MODEL, max_tokens: 10, stream: true })

/** What the key may still use, asked through a route that counts for nothing. */
async function left({ ask, upstream }: OpenGate): Promise<{ requests: string; tokens: string }> {
  upstream.onCall = answerEverything
  const { headers } = await ask('/v1/models', { key: KEYS.user })
  return {
    requests: headers['x-ratelimit-remaining-requests'] ?? '',
    tokens: headers['x-ratelimit-remaining-tokens'] ?? '',
  }
}

/** What is reserved for a request of a key and a model of which nothing is known. */
function plain(question: Asked): number {
  const bodyBytes = String(question.body).length
  return createEstimator().estimate('', { bodyBytes, maxOutput: undefined }).tokens
}

describe('the tokens of a request', () => {
  test('are those that upstream computed, without what came from its cache', async () => {
    const opened = await openWarmGate(LIMITED)
    opened.upstream.onCall = answerInference(answerUsing(1000, 900, 50))
    await opened.ask(CHAT, asked)
    expect(await left(opened)).toEqual({ requests: '4', tokens: '9850' })
  })

  test('are those of its stream', async () => {
    const opened = await openWarmGate(LIMITED)
    opened.upstream.onCall = (call) =>
      void call.answer({ headers: STREAM_TYPE, body: CHAT_STREAM.bytes })
    const { text } = await opened.ask(CHAT, streamed)
    expect(text).toBe(CHAT_STREAM.text)
    const { tokens } = opened.records[0] ?? {}
    expect(tokens).toEqual({ prompt: 25, cached: expect.any(Number), completion: 3, exact: true })
    const computed = 25 - (tokens?.cached ?? 0) + 3
    expect(await left(opened)).toEqual({ requests: '4', tokens: String(10_000 - computed) })
  })

  test.each([
    ['an answer', asked, jsonAnswer({ ok: true })],
    ['a stream', streamed, { headers: STREAM_TYPE, body: 'data: [DONE]\n\n' }],
  ])('are those that were guessed where the whole of %s tells nothing', async (...row) => {
    const [, question, answer] = row
    const opened = await openWarmGate(LIMITED)
    opened.upstream.onCall = answerInference(answer)
    await opened.ask(CHAT, question)
    const bodyBytes = String(question.body).length
    const { prompt, tokens } = createEstimator().estimate('', { bodyBytes, maxOutput: 10 })
    expect(opened.records).toMatchObject([
      { outcome: 'completed', tokens: { prompt, cached: 0, completion: 10, exact: false } },
    ])
    expect(await left(opened)).toEqual({ requests: '4', tokens: String(10_000 - tokens) })
  })

  test.each([
    ['is an error', jsonAnswer({ error: { message: 'no' } }, 400)],
    ['is a failure', jsonAnswer({ error: { message: 'no' } }, 500)],
  ])('are none where the answer %s, but the request was one', async (_what, answer) => {
    const opened = await openWarmGate(LIMITED)
    opened.upstream.onCall = answerInference(answer)
    await opened.ask(CHAT, asked)
    expect(await left(opened)).toEqual({ requests: '4', tokens: '10000' })
  })

  test('are none where upstream cannot be reached, but the request was one', async () => {
    const opened = await openWarmGate(LIMITED)
    opened.upstream.onCall = (call) => void call.failure('unreachable')
    expect((await opened.ask(CHAT, asked)).status).toBe(503)
    expect(await left(opened)).toEqual({ requests: '4', tokens: '10000' })
  })

  test('are all that was guessed where the client left before an answer that llama-server goes on with', async () => {
    const opened = await openWarmGate(LIMITED)
    opened.upstream.onCall = undefined
    const client = new AbortController()
    const answering = opened.gate.fetch(requestOf(CHAT, { ...asked, signal: client.signal }), {})
    await opened.clock.advance(0)
    client.abort()
    await answering
    const bodyBytes = String(asked.body).length
    const { prompt, tokens } = createEstimator().estimate('', { bodyBytes, maxOutput: 10 })
    expect(opened.records).toMatchObject([
      { outcome: 'client-closed', tokens: { prompt, cached: 0, completion: 10, exact: false } },
    ])
    expect(await left(opened)).toEqual({ requests: '4', tokens: String(10_000 - tokens) })
  })

  test('teach what the next request for the same model may cost', async () => {
    const opened = await openWarmGate(withLimits({ tokensPerDay: 1_000_000 }))
    const question = post(KEYS.user, { model: MODEL, text: 'x'.repeat(3570) })
    const size = { bodyBytes: String(question.body).length, maxOutput: undefined }
    const estimator = createEstimator()
    const habit = 'laptop'
    const reserved = async (): Promise<number> => {
      const before = Number((await left(opened)).tokens)
      opened.upstream.onCall = answerInference(answerUsing(100, 0, 2000))
      const { headers } = await opened.ask(CHAT, question)
      return before - Number(headers['x-ratelimit-remaining-tokens'])
    }
    const expected = [estimator.estimate(habit, size).tokens]
    estimator.learn(habit, { ...size, computedTokensOfPrompt: 100, completion: 2000 })
    expected.push(estimator.estimate(habit, size).tokens)
    expect([await reserved(), await reserved()]).toEqual(expected)
    expect(new Set(expected).size).toBe(2)
  })

  test('teach nothing of what another key asks of the model, nor of another model', async () => {
    const limits = { tokensPerDay: 1_000_000 }
    const opened = await openWarmGate({
      keys: [
        { id: 'laptop', secret: KEYS.user, limits },
        { id: 'phone', secret: KEYS.all, limits },
      ],
    })
    opened.upstream.onCall = answerInference(answerUsing(100, 0, 2000))
    const reserve = async (question: Asked, used: number): Promise<number> => {
      const { headers } = await opened.ask(CHAT, question)
      return 1_000_000 - used - Number(headers['x-ratelimit-remaining-tokens'])
    }
    const mine = post(KEYS.user, { model: MODEL })
    const theirs = post(KEYS.all, { model: MODEL })
    const other = post(KEYS.user, { model: 'gpt-oss-120b' })
    const reserved = [await reserve(mine, 0), await reserve(theirs, 0), await reserve(other, 2100)]
    expect(reserved).toEqual([plain(mine), plain(theirs), plain(other)])
    expect(await reserve(mine, 4200)).not.toBe(plain(mine))
  })

  test('teach no length where the answer ended at its own limit', async () => {
    const opened = await openWarmGate(withLimits({ tokensPerDay: 1_000_000 }))
    opened.upstream.onCall = answerInference(answerUsing(100, 0, 10))
    await opened.ask(CHAT, asked)
    const question = post(KEYS.user, { model: MODEL })
    const { headers } = await opened.ask(CHAT, question)
    const guessed = 1_000_000 - 110 - Number(headers['x-ratelimit-remaining-tokens'])
    expect(guessed).toBeGreaterThanOrEqual(1024)
  })
})

describe('the place of a request', () => {
  test('is free again when its answer has ended, however it ended', async () => {
    const opened = await openWarmGate(LIMITED)
    opened.upstream.onCall = undefined
    for (const end of ['end', 'reset', 'leave'] as const) {
      const client = new AbortController()
      const signal = client.signal
      const answering = opened.gate.fetch(requestOf(CHAT, { ...asked, signal }), {})
      await opened.clock.advance(1500)
      if (end === 'leave') client.abort()
      else if (end === 'reset') opened.upstream.last.failure('reset')
      else opened.upstream.last.answer({ body: '{}' })
      await answering
    }
    opened.upstream.onCall = answerEverything
    const statuses = await Promise.all(
      [asked, asked, asked].map(async (question) => (await opened.ask(CHAT, question)).status),
    )
    expect(statuses.filter((status) => status === 200)).toHaveLength(2)
  })

  test('is kept as long as the answer goes on', async () => {
    const opened = await openWarmGate(withLimits({ concurrent: 1 }))
    opened.upstream.onCall = (call) => void call.head(200, STREAM_TYPE)
    const response = await opened.gate.fetch(requestOf(CHAT, streamed), {})
    const reading = response.text()
    opened.upstream.onCall = answerEverything
    for (let minute = 0; minute < 5; minute++) {
      await opened.clock.advance(60_000)
      opened.upstream.calls[0]?.chunk(': still there\n\n')
      expect((await opened.ask(CHAT, asked)).status).toBe(429)
    }
    opened.upstream.calls[0]?.chunk('data: [DONE]\n\n').end()
    await reading
    expect((await opened.ask(CHAT, asked)).status).toBe(200)
    expect(opened.clock.pending()).toBe(0)
  })
})

function failToOpen(): never {
  throw new Error('bug')
}

test('an exception before anything was sent takes nothing', async () => {
  const opened = await openWarmGate(LIMITED)
  for (let i = 0; i < 5; i++)
    expect((await opened.ask(CHAT, { ...asked, host: { openClient: failToOpen } })).status).toBe(
      500,
    )
  expect(await left(opened)).toEqual({ requests: '5', tokens: '10000' })
})

type Ending = {
  work?: Partial<Work>
  settled?: Partial<Settled>
  /** What the queue believes of the model. */
  hasModel?: boolean
  /** How long upstream had the request. */
  heldMs?: number
}

type Taken = { share: number[]; tokens: TokenCounts | undefined }

const TOLD = { prompt: 100, cached: 60, completion: 5, exact: true }
const ESTIMATE = { prompt: 100, cached: 0, completion: 1024, exact: false }
const PROMPT = { prompt: 100, cached: 0, completion: 0, exact: false }

/** What a request took whose answer told nothing, unless a test says otherwise. */
function taken({ work = {}, settled = {}, hasModel = true, heldMs = 0 }: Ending): Taken {
  const share: number[] = []
  const turn: Turn = {
    ...FREE_TURN,
    hasModel: () => hasModel,
    leave: (tokens) => void share.push(tokens),
  }
  const clock = fakeClock(AT + heldMs)
  const admitted: Work = {
    modelId: 'a',
    body: undefined,
    hasTokens: true,
    streamed: false,
    bodyBytes: 360,
    habit: 'laptop a',
    maxOutput: undefined,
    tokens: 1124,
    share: 1124,
    prompt: 100,
    meter: NO_METER,
    ...work,
  }
  const deps = { clock, limits: createMemoryLimitStore({ clock }), logger: NO_LOGGER }
  const learned = { estimator: createEstimator(), llamaCpp: new LlamaCppModels() }
  const passage = createPassage(deps, { work: admitted, turn, lease: undefined }, learned)
  passage.begin()
  const tokens = passage.end({
    outcome: 'completed',
    status: 200,
    reason: undefined,
    firstByteAt: AT,
    bytesOut: 1,
    sentAt: AT,
    begun: true,
    queuedMs: 0,
    ...settled,
  })
  return { share, tokens }
}

const LEFT = { outcome: 'client-closed', begun: false } as const
const LEFT_IN_STREAM = { outcome: 'client-closed', begun: true } as const
const FAILED = { outcome: 'upstream-failed', status: 502, begun: false } as const

describe('what a request took', () => {
  test.each<[string, Ending, number, TokenCounts | undefined]>([
    ['is what upstream told', { work: { meter: { ...NO_METER, counts: () => TOLD } } }, 45, TOLD],
    [
      'is what upstream told before its client left',
      { work: { meter: { ...NO_METER, counts: () => TOLD } }, settled: LEFT_IN_STREAM },
      45,
      TOLD,
    ],
    ['is the guess where a whole answer told nothing', {}, 1124, ESTIMATE],
    ['is nothing where the whole answer is an error', { settled: { status: 404 } }, 0, undefined],
    ['is nothing where it failed before its first token', { settled: FAILED }, 0, undefined],
    [
      'is nothing where a stream failed before its first token',
      { work: { streamed: true }, settled: { ...FAILED, status: 200, begun: true } },
      0,
      undefined,
    ],
    ['is the guess where its client left before the answer', { settled: LEFT }, 1124, ESTIMATE],
    [
      'is nothing where its client left before its model was loaded',
      { settled: LEFT, hasModel: false },
      0,
      undefined,
    ],
    [
      'is its prompt where its client left a stream before its first frame',
      { work: { streamed: true }, settled: LEFT_IN_STREAM },
      100,
      PROMPT,
    ],
    [
      'is nothing where its client left a stream before its head, loaded model or not',
      { work: { streamed: true }, settled: LEFT },
      0,
      undefined,
    ],
    [
      'is nothing where its client left before it was sent',
      { settled: { ...LEFT, sentAt: undefined } },
      0,
      undefined,
    ],
    [
      'is that of a short answer where its work has no tokens',
      { work: { hasTokens: false, tokens: 0, share: 1000 } },
      1000,
      undefined,
    ],
  ])('%s', (...row) => {
    const [, ending, share, tokens] = row
    expect(taken(ending)).toEqual({ share: [share], tokens })
  })

  test.each<[string, Ending, number]>([
    [
      'that computed little',
      { work: { meter: { ...NO_METER, counts: () => TOLD } }, heldMs: 60_000 },
      600,
    ],
    ['that computed more', { heldMs: 60_000 }, 1124],
    ['that failed', { settled: FAILED, heldMs: 60_000 }, 600],
    ['without tokens', { work: { hasTokens: false, tokens: 0, share: 50 }, heldMs: 60_000 }, 600],
    ['that was never sent', { settled: { ...LEFT, sentAt: undefined }, heldMs: 60_000 }, 0],
  ])('is a share of at least ten tokens for each second of a slot: one %s', (...row) => {
    const [, ending, share] = row
    expect(taken(ending).share).toEqual([share])
  })
})

describe('the share of a route that has no tokens', () => {
  test.each([
    ['/v1/messages/count_tokens', 50],
    ['/v1/audio/speech', 1000],
  ])('is for %s %d', async (path, share) => {
    const found = findRoute('POST', path)
    if (found.found !== 'route') throw new Error(path)
    const works: unknown[] = []
    const app = new Hono<GateEnv>().all('*', (c) => {
      c.set('route', found.route)
      c.set('content', NO_CONTENT)
      const learned = { estimator: createEstimator(), llamaCpp: new LlamaCppModels() }
      works.push(workOf(c, 'a', learned))
      return c.body(null)
    })
    await app.request(path, { method: 'POST' })
    expect(works).toMatchObject([{ hasTokens: false, tokens: 0, share }])
  })
})
