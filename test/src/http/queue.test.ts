import { describe, expect, test } from 'vitest'
import type { ConfigFile } from '../../../src/config/schema.ts'
import type { Deps } from '../../../src/deps.ts'
import { NO_MODEL_CONFIG } from '../../../src/llama-swap/model-config.ts'
import { NO_NAMES } from '../../../src/llama-swap/model-names.ts'
import { readModelConfig } from '../../../src/llama-swap/config/read-config.ts'
import { JSON_HEADERS, jsonAnswer, STREAM_TYPE } from '../../support/fake-upstream.ts'
import { RecordingClient } from '../../support/recording-client.ts'
import { CHAT as CHAT_STREAM } from '../../support/sse-samples.ts'
import { answerUsing, limitFieldsOf } from './limited-key.ts'
import {
  answerEverything,
  codeOf,
  KEYS,
  LISTING,
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
  deps?: Partial<Deps>,
): Promise<OpenGate> {
  const config: ConfigFile = {
    queue: { slotsPerModel: 1, ...queue },
    keys: [
      { id: 'laptop', secret: KEYS.user, ...fields },
      { id: 'other', secret: KEYS.all },
    ],
  }
  const opened = await openGate(config, deps)
  opened.upstream.onCall = (call) => {
    if (call.request.target !== CHAT) answerEverything(call)
  }
  return opened
}

function chats({ upstream }: OpenGate): OpenGate['upstream']['calls'] {
  return upstream.calls.filter(({ request }) => request.target === CHAT)
}

/** Sends a request and lets it come as far as it can. */
async function send(opened: OpenGate, question = asked, path = CHAT): Promise<RecordingClient> {
  const client = new RecordingClient()
  void opened.gate.fetch(requestOf(path, question), { openClient: () => client.opened })
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
    await box.clock.advance(3000)
    leaver.leave()
    chats(box)[0]?.answer(jsonAnswer({}))
    chats(box)[1]?.answer(jsonAnswer({}))
    expect([chats(box).length, next.status]).toEqual([2, 200])
    expect(box.records[0]).toMatchObject({
      outcome: 'client-closed',
      status: 499,
      tokens: undefined,
      queueMs: 3000,
    })
  })

  test('is refused when it has waited too long', async () => {
    const box = await openBox({}, { maxWaitMs: 10_000 })
    await send(box)
    const waiting = await send(box)
    await box.clock.advance(10_000)
    expect([waiting.status, JSON.parse(waiting.text).error.code]).toEqual([503, 'queue_timeout'])
    expect(Object.fromEntries(waiting.headers)).toMatchObject({ 'retry-after': '5' })
    expect(box.events).toMatchObject([
      { outcome: 'refused', reason: 'waited-too-long', status: 503, queueMs: 10_000 },
    ])
    expect(box.records).toMatchObject([{ outcome: 'refused', status: 503, queueMs: 10_000 }])
  })

  test('is refused as well in a stream that began with heartbeats', async () => {
    const box = await openBox({}, { maxWaitMs: 31_000 })
    await send(box)
    const waiting = await send(box, streamed)
    await box.clock.advance(31_000)
    expect([waiting.status, waiting.ended]).toEqual([200, 'break'])
    expect(waiting.text).toMatch(/^: keep-alive\n\ndata: \{.*"queue_timeout"\}\}\n\n$/)
    expect(box.events).toMatchObject([
      { outcome: 'refused', reason: 'waited-too-long', status: 200, queueMs: 31_000 },
    ])
    expect(box.records).toMatchObject([{ outcome: 'refused', status: 200, queueMs: 31_000 }])
  })
})

describe('a gate that is being stopped', () => {
  const refused = { outcome: 'refused', reason: 'draining' }

  test('refuses who waits at once, streamed or not, and lets what runs end', async () => {
    const box = await openBox()
    const running = await send(box)
    const plain = await send(box)
    const begun = await send(box, streamed)
    await box.clock.advance(29_000)
    const stream = await send(box, streamed)
    await box.clock.advance(1000)
    box.gate.drain()
    expect([plain.status, stream.status]).toEqual([503, 503])
    expect(
      [plain, stream].map(({ text, headers }) => [
        JSON.parse(text).error.code,
        new Map(headers).get('retry-after'),
      ]),
    ).toEqual([
      ['gate_stopping', '5'],
      ['gate_stopping', '5'],
    ])
    expect([begun.status, begun.ended]).toEqual([200, 'break'])
    expect(begun.text).toMatch(/^: keep-alive\n\ndata: \{.*"gate_stopping"\}\}\n\n$/)
    expect(box.events).toMatchObject([
      { ...refused, status: 503, queueMs: 30_000 },
      { ...refused, status: 200, queueMs: 30_000 },
      { ...refused, status: 503, queueMs: 1000 },
    ])
    expect([running.status, chats(box).length]).toEqual([undefined, 1])
    chats(box)[0]?.answer(jsonAnswer({ ok: true }))
    expect([running.seen, chats(box).length, box.clock.pending()]).toEqual([
      { status: 200, text: '{"ok":true}', ended: 'end' },
      1,
      0,
    ])
  })

  test('refuses who comes for a model, though there is room, and answers all else', async () => {
    const box = await openBox()
    box.gate.drain()
    const refusal = await box.ask(CHAT, asked)
    expect([refusal.status, codeOf(refusal), limitFieldsOf(refusal)]).toEqual([
      503,
      'gate_stopping',
      { 'retry-after': '5', 'retry-after-ms': '5000' },
    ])
    expect(chats(box)).toEqual([])
    expect((await box.ask('/v1/models', { key: KEYS.user })).status).toBe(200)
    expect((await box.ask('/health')).status).toBe(200)
  })

  test('without a queue has nobody who waits, and sends what comes', async () => {
    const { gate, ask } = await openGate()
    gate.drain()
    expect((await ask(CHAT, asked)).status).toBe(200)
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
    expect(box.events).toMatchObject([
      { outcome: 'refused', reason: 'queue-full', status: 503, queueMs: 0 },
    ])
    expect(box.records).toMatchObject([{ outcome: 'refused', status: 503, queueMs: 0 }])
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
    expect(box.events).toMatchObject([{ outcome: 'refused', reason: 'model-not-loaded' }])
    expect(box.records).toMatchObject([{ outcome: 'refused', status: 503 }])
  })

  test('reaches one by its alias', async () => {
    const box = await openBox({ swap: 'use' })
    box.upstream.onCall = answerEverything
    const answer = await box.ask(CHAT, post(KEYS.user, { model: 'big' }))
    expect([answer.status, box.upstream.lastBody]).toEqual([200, '{"model":"big"}'])
  })
})

describe('a key that may only use loaded models and asks for one that is never seen as loaded', () => {
  const peer = post(KEYS.user, { model: 'cloud/x' })

  test('has it at once when it is a peer of config.yaml', async () => {
    const modelConfig = {
      read: () => Promise.resolve(readModelConfig(['peers: { cloud: { models: [x, y] } }'], {})),
    }
    const box = await openBox({ swap: 'use' }, {}, { modelConfig })
    box.upstream.onCall = answerEverything
    const answers = [
      await box.ask(CHAT, peer),
      await box.ask(CHAT, post(KEYS.user, { model: 'y' })),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(box.records.map(({ model, queueMs }) => [model, queueMs])).toEqual([
      ['cloud/x', 0],
      ['cloud/y', 0],
    ])
    expect(box.upstream.calls.map(({ request }) => request.target)).not.toContain('/running')
  })

  test('has it at once when the listing calls it a peer', async () => {
    const box = await openBox({ swap: 'use' })
    box.upstream.onCall = answerEverything
    expect((await box.ask(CHAT, peer)).status).toBe(200)
    expect(box.upstream.calls.map(({ request }) => request.target)).not.toContain('/running')
  })

  test('is refused when nobody says that it is one', async () => {
    const box = await openBox({ swap: 'use' })
    box.upstream.onCall = answerEverything
    const refusal = await box.ask(CHAT, post(KEYS.user, { model: 'cloud/z' }))
    expect([refusal.status, codeOf(refusal)]).toEqual([503, 'model_not_loaded'])
  })
})

const NOT_FOUND = jsonAnswer(
  { src: 'llama-swap', error: { message: 'model not found', type: 'server_error' } },
  404,
)

/** A box whose only loaded model is busy with one request and has room for a second one. */
async function openBusyBox(deps?: Partial<Deps>, listing = jsonAnswer(LISTING)): Promise<OpenGate> {
  const box = await openBox({}, { slotsPerModel: 2 }, deps)
  box.upstream.onCall = (call) => {
    const { target } = call.request
    if (target === '/v1/models') call.answer(listing)
    if (target === '/running')
      call.answer(jsonAnswer({ running: [{ model: MODEL, state: 'ready' }] }))
  }
  await send(box)
  // A model that has not answered is still being loaded, and kept until it is.
  chats(box)[0]?.head(200, JSON_HEADERS)
  return box
}

/** How many requests for the busy model upstream takes beside the first one, when others could be kept for a swap. */
async function takenLater(box: OpenGate): Promise<number> {
  // Longer than anybody waits for a model.
  await box.clock.advance(120_000)
  const before = chats(box).length
  await send(box)
  return chats(box).length - before
}

describe('a name that nobody knows', () => {
  const typo = post(KEYS.user, { model: 'gml-4.7-flash' })

  test('is sent at once, for llama-swap to say so, and nobody else waits for it', async () => {
    const box = await openBusyBox()
    const client = await send(box, typo)
    expect(chats(box)).toHaveLength(2)
    chats(box)[1]?.answer(NOT_FOUND)
    expect([client.status, JSON.parse(client.text).error.code]).toEqual([404, 'model_not_found'])
    expect(box.events).toMatchObject([{ outcome: 'refused', status: 404, queueMs: 0 }])
    expect(await takenLater(box)).toBe(1)
  })

  test('makes nobody wait, however long llama-swap takes to say so, and takes nobody’s place', async () => {
    const box = await openBusyBox()
    await send(box, typo)
    await send(box, post(KEYS.user, { model: 'gml' }))
    expect(chats(box)).toHaveLength(3)
    expect(await takenLater(box)).toBe(1)
  })

  test('waits like a model where the list could not be read', async () => {
    const box = await openBusyBox({}, jsonAnswer({ error: 'no' }, 500))
    await send(box, typo)
    expect(chats(box)).toHaveLength(1)
    expect(await takenLater(box)).toBe(0)
  })
})

describe('a name that somebody knows waits for its model, and the loaded one is emptied for it', () => {
  const names = { ...NO_NAMES, ids: new Set(['hidden']), aliases: new Map([['h', 'hidden']]) }
  const modelConfig = { read: () => Promise.resolve({ ...NO_MODEL_CONFIG, names }) }

  test.each([
    ['in the list', 'gpt-oss-120b'],
    ['in the list, as an alias', 'big'],
    ['in config.yaml only', 'hidden'],
    ['in config.yaml only, as an alias', 'h'],
  ])('%s', async (_where, model) => {
    const box = await openBusyBox({ modelConfig })
    const client = await send(box, post(KEYS.user, { model }))
    expect(chats(box)).toHaveLength(1)
    expect(await takenLater(box)).toBe(0)
    chats(box)[0]?.chunk('{}').end()
    expect(chats(box)).toHaveLength(2)
    chats(box)[1]?.answer(jsonAnswer({ ok: true }))
    expect([client.status, client.text]).toEqual([200, '{"ok":true}'])
  })
})

/** Sends eight requests, all but the first of which must wait; gives the sessions in the order in which they were served. */
async function served(field: string, quantumTokens: number): Promise<string> {
  const box = await openBox({}, { quantumTokens })
  for (const session of 'abababab')
    await send(box, {
      ...asked,
      headers: { 'content-type': 'application/json', [field]: session },
    })
  // Nothing is learned from such answers: each request counts as a little more than 1000 tokens of the quantum.
  for (let done = 0; done < 8; done++) chats(box)[done]?.answer(jsonAnswer({}))
  const names = chats(box).map(({ request }) => new Map(request.headers).get(field))
  return names.join('')
}

describe('two sessions of one key that ask by turns', () => {
  describe.each(['x-session-id', 'x-claude-code-session-id'])('named by %s', (field) => {
    test.each([
      ['go by turns without a quantum', 0, 'abababab'],
      ['go before the turn of the other once within a small one', 1000, 'aabbbaab'],
      ['go before the turn of the other twice within twice as much', 2000, 'aaabbbba'],
      ['go on to their end within a large one', 8000, 'aaaabbbb'],
    ])('%s', async (_, quantumTokens, order) => {
      expect(await served(field, quantumTokens)).toBe(order)
    })
  })

  test('go by turns where another field names them', async () => {
    expect(await served('x-session', 8000)).toBe('abababab')
  })
})

const COUNT = '/v1/messages/count_tokens'
const counted = (box: OpenGate): OpenGate['upstream']['calls'] =>
  box.upstream.calls.filter(({ request }) => request.target === COUNT)

/** A box of two slots that answers neither counts nor chats by itself, for a key of which four requests may wait. */
async function openSmallBox(): Promise<OpenGate> {
  const box = await openBox({ limits: { waiting: 4 } }, { slotsPerModel: 2 })
  box.upstream.onCall = (call) => {
    if (call.request.method === 'GET') answerEverything(call)
  }
  return box
}

async function sendAll(box: OpenGate, paths: string[]): Promise<RecordingClient[]> {
  return Promise.all(paths.map((path) => send(box, asked, path)))
}

describe('sixty counts of tokens at once', () => {
  test('are all answered, as many at a time as llama-swap takes, however few of the key may wait', async () => {
    const box = await openSmallBox()
    const clients = await sendAll(box, Array<string>(60).fill(COUNT))
    expect(counted(box)).toHaveLength(10)
    for (let done = 0; done < 60; done++) {
      expect(counted(box).length).toBe(Math.min(60, done + 10))
      counted(box)[done]?.answer(jsonAnswer({ input_tokens: 7 }))
    }
    expect(new Set(clients.map(({ status }) => status))).toEqual(new Set([200]))
    expect(box.clock.pending()).toBe(0)
  })

  test('pass where one more chat of the key is a 429, and all that wait are answered', async () => {
    const box = await openSmallBox()
    const running = await sendAll(box, [CHAT, CHAT])
    const waiting = await sendAll(box, [CHAT, CHAT, CHAT, CHAT])
    const refusal = await box.ask(CHAT, asked)
    expect([refusal.status, codeOf(refusal)]).toEqual([429, 'rate_limit_exceeded'])
    const counts = await sendAll(box, Array<string>(60).fill(COUNT))
    const clients = [...running, ...waiting, ...counts]
    expect(new Set(clients.map(({ status }) => status))).toEqual(new Set([undefined]))
    box.upstream.onCall = answerEverything
    for (const call of [...chats(box), ...counted(box)]) call.answer(jsonAnswer({}))
    await box.clock.advance(0)
    expect(new Set(clients.map(({ status }) => status))).toEqual(new Set([200]))
    expect([chats(box).length, counted(box).length, box.clock.pending()]).toEqual([6, 60, 0])
  })
})

test('what needs no model passes a full queue', async () => {
  const box = await openBox({}, { maxWaiting: 0 })
  await send(box)
  expect((await box.ask('/v1/models', { key: KEYS.user })).status).toBe(200)
  expect((await box.ask('/usage', { key: KEYS.user })).status).toBe(200)
  expect((await box.ask('/health')).status).toBe(200)
})

test('counts that wait leave the chats of their key their places', async () => {
  const box = await openSmallBox()
  await sendAll(box, Array<string>(60).fill(COUNT))
  const clients = await sendAll(box, Array<string>(5).fill(CHAT))
  expect(clients.map(({ status }) => status)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    429,
  ])
})
