import { describe, expect, test } from 'vitest'
import type { QueueConfig } from '../../../src/config/queue-schema.ts'
import { NO_MODEL_CONFIG, type ModelConfig } from '../../../src/llama-swap/model-config.ts'
import { NO_NAMES } from '../../../src/llama-swap/model-names.ts'
import type { FakeClock } from '../../support/fake-clock.ts'
import { jsonAnswer, type FakeUpstream, type WholeAnswer } from '../../support/fake-upstream.ts'
import { KEYS, openGate, post, type OpenGate } from '../http/open-gate.ts'

const EMBEDDINGS = '/v1/embeddings'

/** A gate with a queue; inference is answered by the test, all else by llama-swap's look-alike of a few lines. */
type Box = OpenGate & {
  /** Models whose requests are at upstream, in the order in which they came. */
  atUpstream: () => string[]
  send: (model: string, key?: string) => void
  /** Ends the oldest request that is at upstream. */
  answerFirst: () => Promise<void>
  /** What `/running` answers from now on. */
  running: WholeAnswer
}

const QUEUE: QueueConfig = {
  slotsPerModel: 2,
  slots: {},
  maxWaiting: 100,
  maxWaitMs: 600_000,
  maxModelWaitMs: 600_000,
  minResidencyMs: 600_000,
  idleMs: 600_000,
  quantumTokens: 0,
}

async function openBox(queue: Partial<QueueConfig>, read: Partial<ModelConfig>): Promise<Box> {
  const opened = await openGate(
    {
      queue: { ...QUEUE, ...queue },
      keys: [
        { id: 'user', secret: KEYS.user },
        { id: 'other', secret: KEYS.all },
        { id: 'guest', secret: KEYS.limited, swap: 'use' },
      ],
    },
    { modelConfig: { read: async () => ({ ...NO_MODEL_CONFIG, ...read }) } },
  )
  const box: Box = {
    ...opened,
    running: jsonAnswer({ running: [] }),
    atUpstream: () => liveCalls(opened.upstream).map(({ request }) => modelOf(request.body)),
    send: (model, key = KEYS.user) => void opened.ask(EMBEDDINGS, post(key, { model })),
    async answerFirst() {
      liveCalls(opened.upstream)[0]?.answer(jsonAnswer({ ok: true }))
      await settle(opened.clock)
    },
  }
  const data = ['a', 'b', 'c', 'cloud/x'].map((id) => ({ id }))
  opened.upstream.onCall = (call) => {
    const { target } = call.request
    if (target === '/v1/models') call.answer(jsonAnswer({ object: 'list', data }))
    else if (target === '/running') call.answer(box.running)
  }
  return box
}

function liveCalls(upstream: FakeUpstream): FakeUpstream['calls'] {
  return upstream.calls.filter((call) => call.isLive && call.request.target === EMBEDDINGS)
}

function modelOf(body: Uint8Array | undefined): string {
  const value: { model: string } = JSON.parse(new TextDecoder().decode(body))
  return value.model
}

async function settle(clock: FakeClock): Promise<void> {
  await clock.advance(0)
  await clock.advance(0)
}

async function sentOf(box: Box, ...models: string[]): Promise<string[]> {
  for (const model of models) {
    box.send(model)
    await settle(box.clock)
  }
  return box.atUpstream()
}

describe('a model answers as many requests at a time', () => {
  test.each<[string, Partial<QueueConfig>, number | undefined, number]>([
    ['as every model has slots', {}, undefined, 2],
    ['as it has slots itself', { slots: { a: 3, b: 1 } }, undefined, 3],
    ['as llama-swap takes, where that is less', { slots: { a: 3 } }, 1, 1],
    ['as it has slots, where llama-swap takes more', {}, 10, 2],
  ])('%s', async (...row) => {
    const [, queue, limit, count] = row
    const concurrency = new Map(limit === undefined ? [] : [['a', limit]])
    const box = await openBox(queue, { concurrency })
    expect(await sentOf(box, 'a', 'a', 'a', 'a')).toHaveLength(count)
    await box.answerFirst()
    expect(box.atUpstream()).toHaveLength(count)
    expect(liveCalls(box.upstream)).toHaveLength(count)
  })
})

describe('slots that are written for another name of a model', () => {
  const names = { ...NO_NAMES, aliases: new Map([['fast', 'a']]) }

  test.each<[string, Record<string, number>, string, number]>([
    ['count for the model', { fast: 3 }, 'a', 3],
    ['count where a request uses that name', { fast: 3 }, 'fast', 3],
    ['are not those of another model', { fast: 3 }, 'b', 2],
    ['come after what was written first', { a: 1, fast: 3 }, 'a', 1],
    ['come before what was written later', { fast: 3, a: 1 }, 'a', 3],
  ])('%s', async (...row) => {
    const [, slots, model, count] = row
    const box = await openBox({ slots }, { names })
    expect(await sentOf(box, model, model, model, model)).toHaveLength(count)
  })
})

describe('models that can be loaded together do not wait for each other', () => {
  test('unless nothing says so', async () => {
    const box = await openBox({}, {})
    expect(await sentOf(box, 'a', 'b')).toEqual(['a'])
  })

  test('in a group that does not swap', async () => {
    const group = { id: 'g', swap: false, exclusive: true, persistent: false, members: ['a', 'b'] }
    const box = await openBox({}, { groups: [group] })
    expect(await sentOf(box, 'a', 'b', 'c')).toEqual(['a', 'b'])
  })

  test('where one of them runs on another box', async () => {
    const box = await openBox({}, { remote: new Set(['cloud/x']) })
    expect(await sentOf(box, 'a', 'cloud/x', 'b')).toEqual(['a', 'cloud/x'])
  })

  test('where nobody knows one of them, so that nothing is loaded for it', async () => {
    const box = await openBox({}, {})
    expect(await sentOf(box, 'a', 'nobody', 'b', 'nobody else')).toEqual([
      'a',
      'nobody',
      'nobody else',
    ])
  })

  test('from when llama-swap’s configuration says so', async () => {
    const config: { groups: ModelConfig['groups'] } = { groups: [] }
    const box = await openBox({}, {})
    const opened = await openGate(
      { queue: QUEUE, keys: [{ id: 'user', secret: KEYS.user }] },
      { modelConfig: { read: async () => ({ ...NO_MODEL_CONFIG, ...config }) } },
    )
    opened.upstream.onCall = box.upstream.onCall
    const send = async (model: string): Promise<number> => {
      void opened.ask(EMBEDDINGS, post(KEYS.user, { model }))
      await settle(opened.clock)
      return liveCalls(opened.upstream).length
    }
    expect([await send('a'), await send('b')]).toEqual([1, 1])
    config.groups = [
      { id: 'g', swap: false, exclusive: true, persistent: false, members: ['a', 'b'] },
    ]
    await opened.clock.advance(30_001)
    // The first finds the names old and has them read again; it is too early for it to gain by that.
    await send('a')
    expect(await send('b')).toBeGreaterThan(2)
  })
})

const refusals = (box: Box): unknown[] => box.events.map(({ status, reason }) => [status, reason])

describe('what llama-swap says of loaded models', () => {
  test.each([
    ['ready', 1],
    ['starting', 1],
    ['stopping', 0],
    ['stopped', 0],
    ['shutdown', 0],
  ])('a model that is %s is there %d time for a key that loads none', async (state, count) => {
    const box = await openBox({}, {})
    box.running = jsonAnswer({ running: [{ model: 'a', state }] })
    box.send('a', KEYS.limited)
    await settle(box.clock)
    expect([box.atUpstream().length, refusals(box)]).toEqual([
      count,
      count === 1 ? [] : [[503, 'model-not-loaded']],
    ])
  })

  test('a model is kept from new requests for another one from when it is ready, not before', async () => {
    const box = await openBox({ slotsPerModel: 9, maxModelWaitMs: 1000, minResidencyMs: 0 }, {})
    box.running = jsonAnswer({ running: [{ model: 'a', state: 'starting' }] })
    expect(await sentOf(box, 'a', 'b')).toEqual(['a'])
    await box.clock.advance(5000)
    expect(await sentOf(box, 'a')).toEqual(['a', 'a'])
    box.running = jsonAnswer({ running: [{ model: 'a', state: 'ready' }] })
    await box.clock.advance(2000)
    expect(await sentOf(box, 'a')).toEqual(['a', 'a'])
  })

  test.each<[string, WholeAnswer, number, string]>([
    ['an error', { status: 500 }, 502, 'upstream-broken'],
    ['no list', jsonAnswer({ ok: true }), 502, 'upstream-not-llama-swap'],
  ])('%s refuses such a key with the reason', async (...row) => {
    const [, running, status, reason] = row
    const box = await openBox({}, {})
    box.running = running
    box.send('a', KEYS.limited)
    await settle(box.clock)
    expect(refusals(box)).toEqual([[status, reason]])
  })
})

test('the queue that is turned off sends everything at once and asks nothing of /running', async () => {
  const { ask, upstream, clock } = await openGate({ queue: false })
  const listing = upstream.onCall
  upstream.onCall = (call) => {
    if (call.request.target !== EMBEDDINGS) listing?.(call)
  }
  for (let i = 0; i < 20; i++)
    void ask(EMBEDDINGS, post(KEYS.user, { model: i % 2 ? 'glm-4.7-flash' : 'gpt-oss-120b' }))
  await settle(clock)
  expect(liveCalls(upstream)).toHaveLength(20)
  expect(upstream.calls.filter(({ request }) => request.target === '/running')).toEqual([])
})
