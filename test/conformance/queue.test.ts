import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ConfigFile } from '../../src/config/schema.ts'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import type { Behaviour } from '../support/look-alike/behaviour.ts'
import { openRaw, sendRaw, type RawConnection } from '../support/raw-http.ts'
import { headerValue, textOf, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawJsonPost } from '../support/raw-http/raw-request.ts'
import { callsTo, harnesses } from './gates.ts'

const CHAT = '/v1/chat/completions'
const MESSAGES = '/v1/messages'
const FIRST = 'gpt-oss-120b'
const SECOND = 'glm-4.7-flash'
const THIRD = 'qwen3-coder-next'

function secretOf(id: string): string {
  return `sk-${id}-0123456789abcdef0123456789`
}

function keyOf(id: string, more: object = {}) {
  return { id, secret: secretOf(id), ...more }
}

/** Keys that need no queue: they may load any model and put others out. */
const FREE_KEYS = [
  keyOf('alice'),
  keyOf('bob'),
  keyOf('short', { limits: { waiting: 1 } }),
  keyOf('single', { limits: { concurrent: 1, waiting: 0 } }),
  keyOf('edge', { edge: true, limits: { concurrent: 1, waiting: 8 } }),
]
const KEYS = [...FREE_KEYS, keyOf('use', { swap: 'use' }), keyOf('load', { swap: 'load' })]
const COMMON = {
  keys: KEYS,
  limits: { requestsPerMinute: null },
  usage: { file: null },
} satisfies ConfigFile

const HELD: Behaviour = { kind: 'never-headers' }
/** Long enough for a request to go wherever it will go at once. */
const SETTLED_MS = 150

/** What may become of an answer. */
const ENDINGS: Behaviour[] = [
  { kind: 'answer', status: 500, body: 'out of memory' },
  { kind: 'answer', status: 429, body: 'too many' },
  { kind: 'empty', status: 204 },
  { kind: 'redirect', status: 307, location: '/elsewhere' },
  { kind: 'reset-before-headers' },
  { kind: 'normal' },
  { kind: 'close-before-headers' },
  { kind: 'normal' },
  { kind: 'reset-mid-stream', frames: 1 },
  { kind: 'close-mid-stream', frames: 1 },
  { kind: 'cut-mid-stream', frames: 1 },
  { kind: 'error-frame', frames: 1 },
  { kind: 'short-body' },
  { kind: 'gzip' },
]

type Ask = {
  key?: string
  /** The client that a gate in front tells of. */
  toldKey?: string
  model?: string
  path?: string
  says?: string
  streamed?: boolean
}

function post({
  key = 'alice',
  toldKey,
  model = FIRST,
  path = CHAT,
  says = '',
  streamed = false,
}: Ask = {}) {
  const messages = [{ role: 'user', content: says }]
  const body = { model, messages, max_tokens: 4, stream: streamed }
  return rawJsonPost(path, body, {
    Authorization: `Bearer ${secretOf(key)}`,
    ...(toldKey !== undefined && { 'swapgate-client': `"192.0.2.1";key="${toldKey}"` }),
  })
}

/** What a refused client is told, without the sentence. */
function refusalIn(answer: RawAnswer) {
  const { type, code } = JSON.parse(textOf(answer)).error
  const retryAfter = headerValue(answer, 'retry-after')
  return {
    status: answer.status,
    type,
    code,
    retryAfter,
    shouldRetry: headerValue(answer, 'x-should-retry'),
  }
}

const QUEUED = harnesses.filter(({ cannot }) => cannot.queue === undefined)
const UNQUEUED = harnesses.filter(({ cannot }) => cannot.queue !== undefined)

describe.each(QUEUED)('the queue on $name', (harness) => {
  let upstream: LookAlike
  let narrow: Running
  let full: Running
  let unqueued: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    const common = { upstream: { url: upstream.url }, ...COMMON }
    ;[narrow, full, unqueued] = await Promise.all([
      harness.start({ ...common, queue: { slotsPerModel: 2, slots: { [SECOND]: 1 } } }),
      harness.start({
        ...common,
        heartbeat: { afterMs: 100, everyMs: 100 },
        queue: { slotsPerModel: 1, maxWaiting: 1, maxWaitMs: 600 },
      }),
      harness.start({ ...common, keys: FREE_KEYS, queue: false }),
    ])
  })
  afterEach(() => upstream.reset())
  afterAll(() => Promise.all([narrow, full, unqueued, upstream].map((one) => one.stop())))

  function calls(): string[] {
    return upstream.requests.filter(({ url }) => url !== '/running').map(saidIn)
  }

  function held(count: number): Promise<unknown> {
    return upstream.waitFor(() => upstream.held() === count)
  }

  /** Takes the places of a model and keeps them until `release`. */
  async function occupy(gate: Running, asks: Ask[]): Promise<RawConnection[]> {
    upstream.behave(...asks.map(() => HELD))
    const clients = await Promise.all(asks.map((ask) => openRaw(gate.url, post(ask))))
    await held(asks.length)
    return clients
  }

  test('keeps what is over the slots of a model, and upstream never sees more at a time', async () => {
    upstream.behave(
      ...Array.from({ length: 12 }, (): Behaviour => ({ kind: 'slow-headers', ms: 20 })),
    )
    const asks = Array.from({ length: 12 }, () => sendRaw(narrow.url, post()))
    const answers = await Promise.all(asks)
    expect([answers.map(({ status }) => status), upstream.peak()]).toEqual([
      answers.map(() => 200),
      2,
    ])
  })

  test('turned off lets upstream see all at once', async () => {
    upstream.behave(...Array.from({ length: 6 }, () => HELD))
    const clients = await Promise.all(
      Array.from({ length: 6 }, () => openRaw(unqueued.url, post())),
    )
    await held(6)
    upstream.release()
    const answers = await Promise.all(clients.map((client) => client.answer()))
    expect([answers.map(({ status }) => status), upstream.peak()]).toEqual([
      answers.map(() => 200),
      6,
    ])
  })

  test("serves a key's first request before another key's backlog", async () => {
    // More than was estimated for any of them.
    const tokens = { prompt: 200, cached: 0, completion: 4 }
    upstream.behave({ kind: 'normal', tokens, paceMs: 2 * SETTLED_MS })
    const asks: Promise<RawAnswer>[] = []
    for (const says of ['a1', 'a2', 'a3', 'b1']) {
      const key = says.startsWith('a') ? 'alice' : 'bob'
      asks.push(sendRaw(narrow.url, post({ key, model: SECOND, says })))
      await sleep(SETTLED_MS / 3)
    }
    const answers = await Promise.all(asks)
    expect([calls(), answers.map(({ status }) => status)]).toEqual([
      ['a1', 'b1', 'a2', 'a3'],
      [200, 200, 200, 200],
    ])
  })

  test.each([
    { way: 'by FIN', leave: (client: RawConnection) => client.close() },
    { way: 'by RST', leave: (client: RawConnection) => client.destroy() },
  ])('forgets who leaves $way while waiting, and upstream never hears of it', async ({ leave }) => {
    const holder = await occupy(narrow, [{ model: SECOND, says: 'held' }])
    const gone = await openRaw(narrow.url, post({ model: SECOND, says: 'gone', streamed: true }))
    const stays = await openRaw(narrow.url, post({ model: SECOND, says: 'stays' }))
    await sleep(SETTLED_MS)
    leave(gone)
    await sleep(SETTLED_MS)
    upstream.release()
    const answers = [await holder[0]!.answer(), await stays.answer()]
    expect([answers.map(({ status }) => status), calls()]).toEqual([
      [200, 200],
      ['held', 'stays'],
    ])
  })

  test("refuses what is over a key's own waiting room, and nobody else", async () => {
    const holder = await occupy(narrow, [{ model: SECOND }])
    const ask = { key: 'short', model: SECOND }
    const first = await openRaw(narrow.url, post(ask))
    await sleep(SETTLED_MS)
    const second = await sendRaw(narrow.url, post(ask))
    const anthropic = await sendRaw(narrow.url, post({ ...ask, path: MESSAGES }))
    const other = await openRaw(narrow.url, post({ key: 'bob', model: SECOND }))
    await sleep(SETTLED_MS)
    upstream.release()
    const rest = await Promise.all([...holder, first, other].map((client) => client.answer()))
    expect([refusalIn(second), refusalIn(anthropic), rest.map(({ status }) => status)]).toEqual([
      {
        status: 429,
        type: 'rate_limit_error',
        code: 'rate_limit_exceeded',
        retryAfter: '5',
        shouldRetry: undefined,
      },
      {
        status: 429,
        type: 'rate_limit_error',
        code: undefined,
        retryAfter: '5',
        shouldRetry: undefined,
      },
      [200, 200, 200],
    ])
  })

  test('lets counts of tokens wait beside the chats of their key, not in their places', async () => {
    const holder = await occupy(narrow, [{ model: SECOND }])
    const ask = { key: 'short', model: SECOND }
    const path = '/v1/messages/count_tokens'
    const counts = Array.from({ length: 20 }, () => sendRaw(narrow.url, post({ ...ask, path })))
    await sleep(SETTLED_MS)
    const chat = sendRaw(narrow.url, post(ask))
    await sleep(SETTLED_MS)
    upstream.release()
    const answers = [await holder[0]!.answer(), ...(await Promise.all([...counts, chat]))]
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  })

  test('gives the place back however an answer ends', async () => {
    for (const streamed of [false, true]) {
      for (const behaviour of ENDINGS) {
        upstream.behave(behaviour)
        await sendRaw(narrow.url, post({ key: 'single', model: SECOND, streamed }))
      }
    }
    const answer = await sendRaw(narrow.url, post({ key: 'single', model: SECOND }))
    expect([answer.status, upstream.peak(), calls().length > 2 * ENDINGS.length]).toEqual([
      200,
      1,
      true,
    ])
  })

  test('lets the key of a gate in front run as many as it may, whoever they are for', async () => {
    upstream.behave(
      ...Array.from({ length: 6 }, (): Behaviour => ({ kind: 'slow-headers', ms: 20 })),
    )
    const asks = Array.from({ length: 6 }, (_, i) => ({ key: 'edge', toldKey: `client-${i}` }))
    const answers = await Promise.all(asks.map((ask) => sendRaw(narrow.url, post(ask))))
    expect([answers.map(({ status }) => status), upstream.peak()]).toEqual([
      answers.map(() => 200),
      1,
    ])
  })

  test('refuses when it is full, and says when to come back', async () => {
    const holder = await occupy(full, [{}])
    const waiting = await openRaw(full.url, post({ key: 'bob' }))
    await sleep(SETTLED_MS)
    const refused = await sendRaw(full.url, post({ key: 'bob' }))
    upstream.release()
    const rest = await Promise.all([...holder, waiting].map((client) => client.answer()))
    expect([refusalIn(refused), rest.map(({ status }) => status)]).toEqual([
      {
        status: 503,
        type: 'server_error',
        code: 'queue_full',
        retryAfter: '5',
        shouldRetry: undefined,
      },
      [200, 200],
    ])
  })

  test('refuses who has waited too long', async () => {
    const holder = await occupy(full, [{}])
    const refused = await sendRaw(full.url, post({ key: 'bob' }))
    upstream.release()
    expect([refusalIn(refused), (await holder[0]!.answer()).status, calls()]).toEqual([
      {
        status: 503,
        type: 'server_error',
        code: 'queue_timeout',
        retryAfter: '5',
        shouldRetry: undefined,
      },
      200,
      [''],
    ])
  })

  describe.each([
    {
      path: CHAT,
      beat: ': keep-alive\n\n',
      error:
        /^data: \{"error":\{"message":"[^"]+","type":"server_error","param":null,"code":"queue_timeout"\}\}\n\n$/,
    },
    {
      path: MESSAGES,
      beat: 'event: ping\ndata: {"type": "ping"}\n\n',
      error:
        /^event: error\ndata: \{"type":"error","error":\{"type":"overloaded_error","message":"[^"]+"\}\}\n\n$/,
    },
  ])('a streamed client at $path', ({ path, beat, error }) => {
    test('gets heartbeats while it waits, and then the answer in the same stream', async () => {
      const holder = await occupy(full, [{}])
      const client = await openRaw(full.url, post({ key: 'bob', path, streamed: true }))
      await client.readUntil(beat)
      const before = calls().length
      upstream.release()
      const answer = await client.answer()
      await holder[0]!.answer()
      const usual = textOf(await sendRaw(upstream.url, post({ path, streamed: true })))
      const text = textOf(answer)
      expect([before, answer.status, text.replaceAll(beat, ''), answer.ending]).toEqual([
        1,
        200,
        usual,
        'complete',
      ])
      expect(text.startsWith(beat)).toBe(true)
    })

    test('gets an error frame and a broken connection when it is refused after that', async () => {
      const holder = await occupy(full, [{}])
      const client = await openRaw(full.url, post({ key: 'bob', path, streamed: true }))
      const answer = await client.answer()
      upstream.release()
      await holder[0]!.answer()
      expect([answer.status, answer.ending === 'complete', calls().length]).toEqual([200, false, 1])
      expect(textOf(answer).replaceAll(beat, '')).toMatch(error)
    })
  })

  test('is not upset by requests that do not come through it', async () => {
    const holder = await occupy(narrow, [{ model: SECOND, says: 'held' }])
    const foreign = await Promise.all([
      sendRaw(upstream.url, post({ model: SECOND, says: 'foreign' })),
      sendRaw(upstream.url, post({ model: THIRD, says: 'foreign' })),
    ])
    const own = await openRaw(narrow.url, post({ model: SECOND, says: 'own' }))
    await sleep(SETTLED_MS)
    const before = calls()
    upstream.release()
    const answers = [...foreign, await holder[0]!.answer(), await own.answer()]
    expect([before.includes('own'), answers.map(({ status }) => status), calls().at(-1)]).toEqual([
      false,
      [200, 200, 200, 200],
      'own',
    ])
  })
})

describe.each(QUEUED)('swaps on $name', (harness) => {
  const folder = mkdtempSync(join(tmpdir(), 'swapgate-groups-'))
  const configFile = join(folder, 'config.yaml')
  let rights: Box
  let groups: Box
  let queued: Box
  let unqueued: Box
  beforeAll(async () => {
    writeFileSync(
      configFile,
      `groups:\n  pair:\n    swap: false\n    members: [${SECOND}, ${THIRD}]\n`,
    )
    const fast = { maxModelWaitMs: 500, minResidencyMs: 300, idleMs: 0 }
    ;[rights, groups, queued, unqueued] = await Promise.all([
      open({ queue: fast }),
      open({ queue: fast, upstream: { configFile } }),
      open({ queue: fast }),
      open({ keys: FREE_KEYS, queue: false }),
    ])
  })
  afterAll(async () => {
    const boxes = [rights, groups, queued, unqueued]
    await Promise.all(boxes.flatMap(({ gate, box }) => [gate.stop(), box.stop()]))
    rmSync(folder, { recursive: true })
  })

  async function open({ upstream, ...config }: ConfigFile): Promise<Box> {
    const box = await startLookAlike({ swapMs: 200, together: [SECOND, THIRD] })
    const gate = await harness.start({
      ...COMMON,
      ...config,
      upstream: { ...upstream, url: box.url },
    })
    return { box, gate }
  }

  // Each has a gate and a box of its own.
  test.concurrent('are only for keys that may: use what is loaded, load into free room, put others out', async () => {
    const { box, gate } = rights
    const told: unknown[] = []
    const ask = async (key: string, model: string): Promise<void> => {
      const answer = await sendRaw(gate.url, post({ key, model }))
      const code = answer.status === 200 ? undefined : refusalIn(answer).code
      told.push([key, model, answer.status, code, [...box.loads()]])
    }
    await ask('use', FIRST)
    await ask('use', SECOND)
    await ask('load', SECOND)
    await ask('alice', SECOND)
    await ask('use', SECOND)
    await ask('use', FIRST)
    await sendRaw(box.url, Buffer.from('GET /unload HTTP/1.1\r\nHost: box\r\n\r\n'))
    // What is loaded was seen a moment ago; the gate looks again after a second.
    await sleep(1100)
    await ask('use', SECOND)
    await ask('load', THIRD)
    await ask('use', THIRD)
    expect(told).toEqual([
      ['use', FIRST, 200, undefined, []],
      ['use', SECOND, 503, 'model_not_loaded', []],
      ['load', SECOND, 503, 'model_not_loaded', []],
      ['alice', SECOND, 200, undefined, [SECOND]],
      ['use', SECOND, 200, undefined, [SECOND]],
      ['use', FIRST, 503, 'model_not_loaded', [SECOND]],
      ['use', SECOND, 503, 'model_not_loaded', []],
      ['load', THIRD, 200, undefined, [THIRD]],
      ['use', THIRD, 200, undefined, [THIRD]],
    ])
  })

  test.concurrent('are not needed for models that a group of config.yaml keeps beside each other', async () => {
    const { box, gate } = groups
    for (const model of [SECOND, THIRD]) await sendRaw(gate.url, post({ model }))
    box.behave(HELD, HELD)
    const clients = await Promise.all(
      [SECOND, THIRD].map((model) => openRaw(gate.url, post({ model }))),
    )
    // Both are under way together, though nothing ends.
    await box.waitFor(() => box.held() === 2)
    const models = openCalls(box)
    box.release()
    const answers = await Promise.all(clients.map((client) => client.answer()))
    expect([models.toSorted(), answers.map(({ status }) => status), box.loads()]).toEqual([
      [SECOND, THIRD],
      [200, 200],
      [SECOND, THIRD],
    ])
  })

  test.concurrent('come to who waits for them, though another key keeps the loaded model busy on and on', async () => {
    const [fair, bare] = await Promise.all([starve(queued), starve(unqueued)])
    console.log(
      `${harness.name}: bob waited ${fair.bobMs} ms with the queue, ${bare.bobMs} ms without, while alice went on for ${ALICE_MS} ms`,
    )
    expect([fair, bare]).toEqual([
      {
        bobMs: expect.any(Number),
        statuses: [200],
        isBobServedWhileAliceGoesOn: true,
        isAliceServedAfterBob: true,
        loads: [SECOND, FIRST],
      },
      {
        bobMs: expect.any(Number),
        statuses: [200],
        isBobServedWhileAliceGoesOn: false,
        isAliceServedAfterBob: false,
        loads: [SECOND],
      },
    ])
  })
})

/** How long alice goes on. */
const ALICE_MS = 4000
/** One of her streams. */
const STREAM_MS = 1000
/** So many overlap, each begun a while after the one before: a busy machine must not leave a gap between all of them. */
const STREAMS = 4

/** A gate and the box behind it. */
type Box = { box: LookAlike; gate: Running }

/** Alice keeps one model busy with overlapping streams, bob asks for another model once. */
async function starve({ box, gate }: Box) {
  const begun = performance.now()
  const aliceEnds: number[] = []
  const statuses = new Set<number>()
  let aliceStops = 0
  async function alice(): Promise<void> {
    while (performance.now() - begun < ALICE_MS) {
      // Eight frames, with a pause before each.
      box.behaveAt(CHAT, { kind: 'normal', paceMs: STREAM_MS / 8 })
      const answer = await sendRaw(gate.url, post({ streamed: true }), { withinMs: 10_000 })
      statuses.add(answer.status)
      aliceEnds.push(performance.now() - begun)
    }
    aliceStops = performance.now() - begun
  }
  async function bob(): Promise<{ askedAt: number; servedAt: number }> {
    await sleep(STREAM_MS)
    const askedAt = performance.now() - begun
    const ask = post({ key: 'bob', model: SECOND, path: MESSAGES, streamed: true })
    const client = await openRaw(gate.url, ask)
    await client.readUntil('message_start', 20_000)
    const servedAt = performance.now() - begun
    statuses.add((await client.answer()).status)
    return { askedAt, servedAt }
  }
  const alices = Array.from({ length: STREAMS }, (_, i) =>
    sleep((i * STREAM_MS) / STREAMS).then(alice),
  )
  const [{ askedAt, servedAt }] = await Promise.all([bob(), ...alices])
  return {
    bobMs: Math.round(servedAt - askedAt),
    statuses: [...statuses],
    isBobServedWhileAliceGoesOn: servedAt < aliceStops,
    isAliceServedAfterBob: aliceEnds.some((at) => at > servedAt),
    loads: [...box.loads()],
  }
}

describe.each(UNQUEUED)('the queue on $name', (harness) => {
  test(`is still off: ${harness.cannot.queue}`, async () => {
    const upstream = await startLookAlike()
    const gate = await harness.start({
      ...COMMON,
      keys: FREE_KEYS,
      upstream: { url: upstream.url },
      queue: { slotsPerModel: 1 },
    })
    upstream.behave(HELD, HELD)
    const clients = [await openRaw(gate.url, post()), await openRaw(gate.url, post())]
    await upstream.waitFor(() => upstream.peak() === 2)
    upstream.release()
    const answers = await Promise.all(clients.map((client) => client.answer()))
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    await Promise.all([gate.stop(), upstream.stop()])
  })

  test('is what some rights of keys need: with one of them the gate refuses all, and its log says why', async () => {
    const upstream = await startLookAlike()
    const gate = await harness.start({ ...COMMON, upstream: { url: upstream.url } })
    const place = KEYS.findIndex(({ id }) => id === 'use')
    const answers = [
      await sendRaw(gate.url, post({ key: 'use', model: SECOND })),
      await sendRaw(gate.url, post()),
    ]
    expect(answers.map((answer) => [answer.status, JSON.parse(textOf(answer))])).toEqual(
      answers.map(() => [
        503,
        {
          error: {
            message: 'This gate is not configured. Its owner can see why in its log.',
          },
        },
      ]),
    )
    await expect
      .poll(() => gate.output())
      .toContain(`keys[${place}].swap: "use" is kept by the queue, and a Worker has none.`)
    expect(callsTo(upstream)).toEqual([])
    await Promise.all([gate.stop(), upstream.stop()])
  })
})

/** What a recorded call's user says, by which a test knows it again. */
function saidIn({ body }: { body: Buffer }): string {
  return /"content":"([^"]*)"/.exec(body.toString())?.[1] ?? ''
}

/** The models of the calls that are under way. */
function openCalls(box: LookAlike): string[] {
  return box.requests.flatMap(({ state, model }) => (state === 'open' && model ? [model] : []))
}
