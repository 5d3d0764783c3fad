import { describe, expect, test } from 'vitest'
import type { ConfigFile } from '../../../src/config/schema.ts'
import { jsonAnswer, STREAM_TYPE } from '../../support/fake-upstream.ts'
import { RecordingClient } from '../../support/recording-client.ts'
import { CHAT as CHAT_STREAM } from '../../support/sse-samples.ts'
import { answerUsing, limitFieldsOf } from './limited-key.ts'
import {
  answerEverything,
  codeOf,
  KEYS,
  openGate,
  post,
  requestOf,
  type OpenGate,
} from './open-gate.ts'

const CHAT = '/v1/chat/completions'
const MODEL = 'glm-4.7-flash'
const asked = post(KEYS.user, { model: MODEL })
const streamed = post(KEYS.user, { model: MODEL, stream: true })

type Fields = Exclude<NonNullable<ConfigFile['keys']>[number], string>

/** A gate with a queue of one slot, whose chat requests are answered by the test. */
async function openBox(
  fields: Partial<Fields> = {},
  queue: Exclude<ConfigFile['queue'], false> = {},
): Promise<OpenGate> {
  const opened = await openGate({
    queue: { slotsPerModel: 1, ...queue },
    keys: [
      { id: 'laptop', secret: KEYS.user, ...fields },
      { id: 'other', secret: KEYS.all },
    ],
  })
  opened.upstream.onCall = (call) => {
    if (call.request.target !== CHAT) answerEverything(call)
  }
  return opened
}

function chats({ upstream }: OpenGate): OpenGate['upstream']['calls'] {
  return upstream.calls.filter(({ request }) => request.target === CHAT)
}

/** Sends a request and lets it come as far as it can. */
async function send(opened: OpenGate, question = asked): Promise<RecordingClient> {
  const client = new RecordingClient()
  void opened.gate.fetch(requestOf(CHAT, question), { openClient: () => client.opened })
  await opened.clock.advance(0)
  return client
}

describe('a request that must wait', () => {
  test('is sent when the one before it has ended, and its wait is recorded', async () => {
    const box = await openBox()
    const [first, second] = [await send(box), await send(box)]
    expect([chats(box).length, second.status]).toEqual([1, undefined])
    await box.clock.advance(5000)
    chats(box)[0]?.answer(answerUsing(100, 0, 10))
    expect(chats(box)).toHaveLength(2)
    await box.clock.advance(1000)
    chats(box)[1]?.answer(answerUsing(100, 0, 10))
    expect([first.status, second.status]).toEqual([200, 200])
    expect(
      box.records.map(({ queueMs, ttftMs, durationMs }) => [queueMs, ttftMs, durationMs]),
    ).toEqual([
      [0, 5000, 5000],
      [5000, 6000, 6000],
    ])
    expect(box.events.map(({ queueMs }) => queueMs)).toEqual([0, 5000])
    expect(box.clock.pending()).toBe(0)
  })

  test('gets heartbeats when it asked for a stream', async () => {
    const box = await openBox()
    await send(box)
    const waiting = await send(box, streamed)
    await box.clock.advance(45_000)
    expect(waiting.seen).toEqual({
      status: 200,
      text: ': keep-alive\n\n: keep-alive\n\n',
      ended: undefined,
    })
    chats(box)[0]?.answer(jsonAnswer({}))
    chats(box)[1]?.answer({ headers: STREAM_TYPE, body: CHAT_STREAM.bytes })
    expect(waiting.text).toBe(`: keep-alive\n\n: keep-alive\n\n${CHAT_STREAM.text}`)
  })

  test('is never sent when its client leaves, and leaves its place to the next', async () => {
    const box = await openBox()
    await send(box)
    const leaver = await send(box)
    const next = await send(box)
    leaver.leave()
    chats(box)[0]?.answer(jsonAnswer({}))
    chats(box)[1]?.answer(jsonAnswer({}))
    expect([chats(box).length, next.status]).toEqual([2, 200])
    expect(box.records[0]).toMatchObject({
      outcome: 'client-closed',
      status: 499,
      tokens: undefined,
      queueMs: undefined,
    })
  })

  test('is refused when it has waited too long', async () => {
    const box = await openBox({}, { maxWaitMs: 10_000 })
    await send(box)
    const waiting = await send(box)
    await box.clock.advance(10_000)
    expect([waiting.status, JSON.parse(waiting.text).error.code]).toEqual([503, 'queue_timeout'])
    expect(Object.fromEntries(waiting.headers)).toMatchObject({ 'retry-after': '5' })
    expect(box.events).toMatchObject([{ reason: 'waited-too-long', status: 503 }])
  })
})

describe('a queue that is full', () => {
  test('is a 503 for everybody', async () => {
    const box = await openBox({}, { maxWaiting: 1 })
    await send(box)
    await send(box)
    const refusal = await box.ask(CHAT, { ...asked, key: KEYS.all })
    expect([refusal.status, codeOf(refusal), limitFieldsOf(refusal)]).toEqual([
      503,
      'queue_full',
      { 'retry-after': '5', 'retry-after-ms': '5000' },
    ])
  })

  test('with the requests of one key is a 429 for that key only', async () => {
    const box = await openBox({ limits: { waiting: 1 } })
    await send(box)
    await send(box)
    const refusal = await box.ask(CHAT, asked)
    expect([refusal.status, codeOf(refusal), limitFieldsOf(refusal)]).toEqual([
      429,
      'rate_limit_exceeded',
      { 'retry-after': '5', 'retry-after-ms': '5000' },
    ])
    const other = await send(box, { ...asked, key: KEYS.all })
    expect(other.status).toBeUndefined()
  })
})

describe('a key that may run one request at a time', () => {
  test('has the next one wait, and the one beyond what may wait refused', async () => {
    const box = await openBox({ limits: { concurrent: 1, waiting: 1 } }, { slotsPerModel: 9 })
    await send(box)
    const second = await send(box)
    const third = await box.ask(CHAT, asked)
    expect([chats(box).length, second.status, third.status, codeOf(third)]).toEqual([
      1,
      undefined,
      429,
      'concurrency_limit_exceeded',
    ])
    chats(box)[0]?.answer(jsonAnswer({}))
    expect(chats(box)).toHaveLength(2)
  })
})

describe('what the queue refused', () => {
  const LIMITS = { requestsPerMinute: 60, burst: 5, tokensPerDay: 100_000 }

  test('took nothing from the limits', async () => {
    const box = await openBox({ limits: { ...LIMITS, waiting: 0 } })
    await send(box)
    const before = limitFieldsOf(await box.ask('/v1/models', { key: KEYS.user }))
    expect((await box.ask(CHAT, asked)).status).toBe(429)
    expect(limitFieldsOf(await box.ask('/v1/models', { key: KEYS.user }))).toEqual(before)
  })

  test('took a request where the client left by itself, but no tokens', async () => {
    const box = await openBox({ limits: LIMITS })
    await send(box)
    const before = await box.ask('/v1/models', { key: KEYS.user })
    const waiting = await send(box)
    waiting.leave()
    const after = await box.ask('/v1/models', { key: KEYS.user })
    const left = ({ headers }: typeof before): unknown[] => [
      headers['x-ratelimit-remaining-requests'],
      headers['x-ratelimit-remaining-tokens'],
    ]
    expect(left(before)[0]).toBe('4')
    expect(left(after)).toEqual(['3', left(before)[1]])
  })
})

describe('a key that may only use loaded models', () => {
  test('is told that a model is not loaded, finally', async () => {
    const box = await openBox({ swap: 'use' })
    box.upstream.onCall = (call) => {
      if (call.request.target === '/running') call.answer(jsonAnswer({ running: [] }))
      else if (call.request.target !== CHAT) answerEverything(call)
    }
    const refusal = await box.ask(CHAT, asked)
    expect([refusal.status, codeOf(refusal), limitFieldsOf(refusal)]).toEqual([
      503,
      'model_not_loaded',
      { 'retry-after': '30', 'retry-after-ms': '30000', 'x-should-retry': 'false' },
    ])
    expect(chats(box)).toEqual([])
  })

  test('reaches one by its alias', async () => {
    const box = await openBox({ swap: 'use' })
    box.upstream.onCall = answerEverything
    const answer = await box.ask(CHAT, post(KEYS.user, { model: 'big' }))
    expect([answer.status, box.upstream.lastBody]).toEqual([200, '{"model":"big"}'])
  })
})

test('what needs no model passes a full queue', async () => {
  const box = await openBox({}, { maxWaiting: 0 })
  await send(box)
  expect((await box.ask('/v1/models', { key: KEYS.user })).status).toBe(200)
  expect((await box.ask('/usage', { key: KEYS.user })).status).toBe(200)
  expect((await box.ask('/health')).status).toBe(200)
})
