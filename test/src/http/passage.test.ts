import { describe, expect, test } from 'vitest'
import { createPassage } from '../../../src/http/passage.ts'
import type { Work } from '../../../src/http/work-of.ts'
import { createEstimator } from '../../../src/limit/estimate.ts'
import { createMemoryLimitStore } from '../../../src/limit/memory-store.ts'
import type { Settled } from '../../../src/proxy/relay-plan.ts'
import { FREE_TURN, type Turn } from '../../../src/queue/turn.ts'
import { LlamaCppModels } from '../../../src/usage/llama-cpp-models.ts'
import { NO_METER } from '../../../src/usage/no-meter.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { jsonAnswer, STREAM_TYPE } from '../../support/fake-upstream.ts'
import { CHAT as CHAT_STREAM } from '../../support/sse-samples.ts'
import {
  answerEverything,
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
    ['tells nothing', jsonAnswer({ ok: true })],
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

  test('are those of its prompt as it was guessed where the client left before an answer', async () => {
    const opened = await openWarmGate(LIMITED)
    opened.upstream.onCall = undefined
    const client = new AbortController()
    const answering = opened.gate.fetch(requestOf(CHAT, { ...asked, signal: client.signal }), {})
    await opened.clock.advance(0)
    client.abort()
    await answering
    const bodyBytes = String(asked.body).length
    const { prompt } = createEstimator().estimate(MODEL, { bodyBytes, maxOutput: 10 })
    expect(opened.records).toMatchObject([
      { outcome: 'client-closed', tokens: { prompt, cached: 0, completion: 0, exact: false } },
    ])
    expect(await left(opened)).toEqual({ requests: '4', tokens: String(10_000 - prompt) })
  })

  test('teach what the next request for the same model may cost', async () => {
    const opened = await openWarmGate(withLimits({ tokensPerDay: 1_000_000 }))
    const question = post(KEYS.user, { model: MODEL, text: 'x'.repeat(3570) })
    const size = { bodyBytes: String(question.body).length, maxOutput: undefined }
    const estimator = createEstimator()
    const reserved = async (): Promise<number> => {
      const before = Number((await left(opened)).tokens)
      opened.upstream.onCall = answerInference(answerUsing(100, 0, 2000))
      const { headers } = await opened.ask(CHAT, question)
      return before - Number(headers['x-ratelimit-remaining-tokens'])
    }
    const expected = [estimator.estimate(MODEL, size).tokens]
    estimator.learn(MODEL, { ...size, computedTokensOfPrompt: 100, completion: 2000 })
    expected.push(estimator.estimate(MODEL, size).tokens)
    expect([await reserved(), await reserved()]).toEqual(expected)
    expect(new Set(expected).size).toBe(2)
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

describe('the share of the box that a request took', () => {
  const SETTLED: Settled = {
    outcome: 'completed',
    status: 200,
    reason: undefined,
    firstByteAt: AT,
    bytesOut: 1,
    sentAt: AT,
    queuedMs: 0,
  }
  const TOLD = { prompt: 100, cached: 60, completion: 5, exact: true }

  function shareTaken(fields: Partial<Work>, settled: Partial<Settled> = {}): number[] {
    const told: number[] = []
    const turn: Turn = { ...FREE_TURN, leave: (tokens) => void told.push(tokens) }
    const clock = fakeClock()
    const work: Work = {
      modelId: 'a',
      body: undefined,
      hasTokens: true,
      streamed: false,
      bodyBytes: 360,
      tokens: 1124,
      share: 1124,
      prompt: 100,
      meter: { ...NO_METER, counts: () => TOLD },
      ...fields,
    }
    const deps = { clock, limits: createMemoryLimitStore({ clock }), logger: NO_LOGGER }
    const learned = { estimator: createEstimator(), llamaCpp: new LlamaCppModels() }
    const passage = createPassage(deps, { work, turn, lease: undefined }, learned)
    passage.begin(() => true)
    passage.end({ ...SETTLED, ...settled })
    return told
  }

  test.each<[string, Partial<Work>, Partial<Settled>, number]>([
    ['is what upstream computed', {}, {}, 45],
    ['is nothing where upstream computed nothing', { meter: NO_METER }, {}, 0],
    [
      'is its prompt where its client left before an answer',
      { meter: NO_METER },
      { outcome: 'client-closed' },
      100,
    ],
    [
      'is nothing where its client left a stream before its first frame',
      { meter: NO_METER, streamed: true },
      { outcome: 'client-closed' },
      0,
    ],
    [
      'is nothing where it was never sent',
      { meter: NO_METER },
      { outcome: 'client-closed', sentAt: undefined },
      0,
    ],
    [
      'is that of a short answer where its work has no tokens',
      { hasTokens: false, meter: NO_METER, tokens: 0, share: 1000 },
      {},
      1000,
    ],
  ])('%s', (...row) => {
    const [, work, settled, share] = row
    expect(shareTaken(work, settled)).toEqual([share])
  })
})
