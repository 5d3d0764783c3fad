import { describe, expect, test } from 'vitest'
import type { UsageRecord } from '../../../src/usage/record.ts'
import { jsonAnswer, STREAM_TYPE } from '../../support/fake-upstream.ts'
import { CHAT as CHAT_STREAM } from '../../support/sse-samples.ts'
import { KEYS, openGate, openWarmGate, post, requestOf } from './open-gate.ts'
import { answerInference, answerUsing, withLimits } from './limited-key.ts'

const CHAT = '/v1/chat/completions'
const AT = Date.UTC(2026, 0, 1)

/** Tokens of an answer that tells of none: the prompt by its length, and the answer as nothing was learned yet. */
function estimated(prompt: number, completion = 1024): UsageRecord['tokens'] {
  return { prompt, cached: 0, completion, exact: false }
}

/** The record of a chat request that upstream answered at once. */
function record(fields: Partial<UsageRecord>): UsageRecord {
  return {
    requestId: expect.any(String),
    at: AT,
    day: '2026-01-01',
    keyId: 'user',
    model: 'glm-4.7-flash',
    dialect: 'openai',
    route: `POST ${CHAT}`,
    outcome: 'completed',
    status: 200,
    tokens: undefined,
    queueMs: 0,
    ttftMs: 0,
    durationMs: 0,
    bytesIn: expect.any(Number),
    bytesOut: expect.any(Number),
    ...fields,
  }
}

describe('a request for a model leaves one record', () => {
  const body = { model: 'glm-4.7-flash' }

  test('with its tokens, under the id that the client and the log know', async () => {
    const { ask, upstream, records, events } = await openGate()
    const answer = answerUsing(1000, 900, 50)
    upstream.onCall = answerInference(answer)
    const { headers } = await ask(CHAT, post(KEYS.user, body))
    expect(records).toEqual([
      record({
        requestId: String(headers['x-request-id']),
        tokens: { prompt: 1000, cached: 900, completion: 50, exact: true },
        bytesIn: JSON.stringify(body).length,
        bytesOut: String(answer.body).length,
      }),
    ])
    expect(events).toMatchObject([
      {
        requestId: headers['x-request-id'],
        promptTokens: 1000,
        cachedTokens: 900,
        completionTokens: 50,
      },
    ])
  })

  test('under the id of the model where the request named an alias, and so does the log', async () => {
    const { ask, records, events } = await openGate()
    await ask(CHAT, post(KEYS.user, { model: 'big' }))
    expect(records).toEqual([record({ model: 'gpt-oss-120b', tokens: estimated(4) })])
    expect(events).toMatchObject([{ model: 'gpt-oss-120b' }])
  })

  test('when its stream has ended, with its times', async () => {
    const { gate, upstream, clock, records } = await openWarmGate()
    upstream.onCall = undefined
    const answering = gate.fetch(
      requestOf('/v1/chat/completions', post(KEYS.user, { ...body, stream: true })),
      {},
    )
    await clock.advance(1000)
    upstream.last.head(200, STREAM_TYPE)
    const response = await answering
    await clock.advance(1000)
    upstream.last.chunk(CHAT_STREAM.bytes)
    await clock.advance(1000)
    expect(records).toEqual([])
    upstream.last.end()
    await response.text()
    expect(records).toEqual([
      record({
        tokens: { prompt: 25, cached: expect.any(Number), completion: 3, exact: true },
        ttftMs: 2000,
        durationMs: 3000,
        bytesOut: CHAT_STREAM.bytes.length,
      }),
    ])
  })

  test('on its own day, in the zone of the configuration', async () => {
    const { ask, clock, records } = await openGate({
      limits: { requestsPerMinute: null, timeZone: 'America/New_York' },
    })
    await ask(CHAT, post(KEYS.user, body))
    await clock.advance(5 * 3_600_000)
    await ask(CHAT, post(KEYS.user, body))
    expect(records.map(({ day }) => day)).toEqual(['2025-12-31', '2026-01-01'])
  })

  test.each<[string, string, object, Partial<UsageRecord>]>([
    ['for messages', '/v1/messages', {}, { dialect: 'anthropic', tokens: estimated(7) }],
    ['for counting', '/v1/messages/count_tokens', {}, { dialect: 'anthropic' }],
    ['for embeddings', '/v1/embeddings', { input: 'x' }, { tokens: estimated(10, 0) }],
    ['for a picture', '/v1/images/generations', { prompt: 'x' }, {}],
  ])('%s', async (...row) => {
    const [, path, extra, fields] = row
    const { ask, records } = await openGate()
    await ask(path, post(KEYS.user, { ...body, ...extra }))
    expect(records).toEqual([record({ route: `POST ${path}`, ...fields })])
  })

  test('for a question of a model in the query', async () => {
    const { ask, records } = await openGate()
    await ask('/props?model=glm-4.7-flash', { key: KEYS.user })
    expect(records).toEqual([record({ route: 'GET /props', bytesIn: 0 })])
  })

  test('when upstream fails', async () => {
    const { ask, upstream, records } = await openWarmGate()
    upstream.onCall = (call) => void call.failure('unreachable')
    await ask(CHAT, post(KEYS.user, body))
    expect(records).toEqual([
      record({ outcome: 'upstream-failed', status: 503, ttftMs: undefined }),
    ])
  })
})

describe('a request that was refused leaves a record, too', () => {
  const UNSENT = { outcome: 'refused' as const, queueMs: undefined, ttftMs: undefined }

  test('by the limits of its key', async () => {
    const { ask, records } = await openGate(withLimits({ requestsPerMinute: 60, burst: 1 }))
    for (let i = 0; i < 2; i++) await ask(CHAT, post(KEYS.user, { model: 'big' }))
    expect(records).toEqual([
      record({ keyId: 'laptop', model: 'gpt-oss-120b', tokens: estimated(4) }),
      record({ keyId: 'laptop', model: 'gpt-oss-120b', status: 429, ...UNSENT }),
    ])
  })

  test('but sixty of a key in a minute at most; its log has them all, and whoever is served his record', async () => {
    const { ask, clock, events, records } = await openGate()
    const refused = post(KEYS.limited, { model: 'gpt-oss-120b' })
    for (let i = 0; i < 65; i++) await ask(CHAT, refused)
    expect([events.length, records.length]).toEqual([65, 60])
    await ask(CHAT, post(KEYS.limited, { model: 'glm-4.7-flash' }))
    await ask(CHAT, post(KEYS.user, {}))
    expect(records.slice(60).map(({ keyId, status }) => [keyId, status])).toEqual([
      ['limited', 200],
      ['user', 400],
    ])
    await clock.advance(60_000)
    await ask(CHAT, refused)
    expect([events.length, records.length]).toEqual([68, 63])
  })

  test('but sixty by the gate and by upstream together', async () => {
    const { ask, events, records, upstream } = await openWarmGate()
    for (let i = 0; i < 60; i++) await ask(CHAT, post(KEYS.user, {}))
    upstream.onCall = (call) => void call.answer(jsonAnswer({ error: { message: 'no' } }, 400))
    await ask(CHAT, post(KEYS.user, { model: 'glm-4.7-flash' }))
    const last = events.at(-1)
    expect([last?.outcome, last?.reason, records.length]).toEqual([
      'refused',
      'upstream-refused',
      60,
    ])
  })

  test('but all that used tokens, such as the streams that a stop cuts', async () => {
    const { gate, clock, records, upstream } = await openWarmGate()
    const frame = 'data: {"id":"x","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
    upstream.onCall = (call) => void call.head(200, STREAM_TYPE).chunk(frame)
    const asked = post(KEYS.user, { model: 'glm-4.7-flash', stream: true })
    for (let i = 0; i < 65; i++) void gate.fetch(requestOf(CHAT, asked), {})
    await clock.advance(0)
    gate.cut()
    const cut = records.filter(({ outcome, tokens }) => outcome === 'refused' && tokens)
    expect(cut).toHaveLength(65)
  })

  test('for a model that it may not use, by the name that it gave', async () => {
    const { ask, records } = await openGate()
    await ask(CHAT, post(KEYS.limited, { model: 'gpt-oss-120b' }))
    expect(records).toEqual([
      record({ keyId: 'limited', model: 'gpt-oss-120b', status: 404, ...UNSENT }),
    ])
  })

  test('for a body without a model', async () => {
    const { ask, records } = await openGate()
    await ask(CHAT, post(KEYS.user, {}))
    expect(records).toEqual([record({ model: undefined, status: 400, ...UNSENT })])
  })
})

test.each<[string, Parameters<typeof requestOf>[1]]>([
  ['/health', {}],
  ['/v1/models', { key: KEYS.all }],
  ['/usage', { key: KEYS.all }],
  ['/running', { key: KEYS.all }],
  ['/logs', { key: KEYS.all }],
  ['/v1/embeddings', post('sk-unknown', { model: 'a' })],
  ['/v1/embeddings', { method: 'GET', key: KEYS.all }],
  ['/nothing', { key: KEYS.all }],
])('%s leaves none', async (path, asked) => {
  const { ask, events, records } = await openGate()
  await ask(path, asked)
  expect([events.length, records]).toEqual([1, []])
})

test('no record holds a word of the prompt, of the answer, or a key', async () => {
  const { ask, upstream, records } = await openGate()
  upstream.onCall = answerInference({ body: '{"choices":[{"text":"a secret answer"}]}' })
  const asked = post(KEYS.user, { model: 'a', messages: [{ content: 'a secret prompt' }] })
  await ask(`${CHAT}?key=${KEYS.user}`, asked)
  await ask(CHAT, post(KEYS.user, { model: KEYS.user }))
  const written = JSON.stringify(records)
  expect(['secret', KEYS.user].filter((word) => written.includes(word))).toEqual([])
  expect(records).toHaveLength(2)
})

test.each([
  ['a key for every model', ['*'], 200],
  ['a key for one, which is refused', ['a'], 404],
])(
  'a key that was typed into the wrong field ends in neither log nor usage, however it looks: %s',
  async (_, models, status) => {
    const byHand = 'correct-horse-battery'
    const { ask, upstream, events, records } = await openGate({
      keys: [{ id: 'k', secret: byHand, models }],
    })
    upstream.onCall = answerInference({ body: '{"data":[]}' })
    await ask(CHAT, post(byHand, { model: byHand }))
    await ask(CHAT, post(byHand, { model: `x/${byHand}` }))
    const told = [
      { model: '…', status },
      { model: 'x/…', status },
    ]
    expect([events, records]).toMatchObject([told, told])
  },
)

test('what is recorded is what a key is told of its usage', async () => {
  const { ask, upstream } = await openGate()
  upstream.onCall = answerInference(answerUsing(1000, 900, 50))
  await ask(CHAT, post(KEYS.user, { model: 'big' }))
  const { text } = await ask('/usage', { key: KEYS.user })
  expect(text).toContain('gpt-oss-120b')
  expect(text).toContain('1000')
})
