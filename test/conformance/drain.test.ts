import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ConfigFile } from '../../src/config/schema.ts'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { openRaw, sendRaw } from '../support/raw-http.ts'
import { headerValue, textOf, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawJsonPost } from '../support/raw-http/raw-request.ts'
import { callsTo, harnesses, KEYS, ROOMY } from './gates.ts'

const CHAT = '/v1/chat/completions'
const ASK = { model: 'gpt-oss-120b', messages: [{ role: 'user', content: 'hi' }] }
const AUTHORIZATION = { Authorization: `Bearer ${KEYS.user}` }
/** Asks for usage by itself, so that the answer is that of upstream. */
const STREAM = rawJsonPost(
  CHAT,
  { ...ASK, stream: true, stream_options: { include_usage: true } },
  AUTHORIZATION,
)
const CALL = rawJsonPost(CHAT, ASK, AUTHORIZATION)

/** A drain that no test waits for. */
const LONG_MS = 60_000
/** Long enough for a process to end on a busy machine, and far from any time-out of a runtime. */
const SOON_MS = 3000

/** Long enough for a request to have come as far as it can. */
const ARRIVED_MS = 200

const BEAT = ': keep-alive\n\n'

/** What a client is told that waited for a turn. */
const STOPPING = {
  status: 503,
  code: 'gate_stopping',
  retryAfter: '5',
  shouldRetry: undefined,
  ending: 'complete',
}

/** The frame in which a stream that has begun tells that it is broken off. */
const TOLD =
  /^data: \{"error":\{"message":"[^"]+","type":"server_error","param":null,"code":"gate_stopping"\}\}$/

const WITH_PROCESS = harnesses.filter(({ cannot }) => cannot['drain-on-signal'] === undefined)
const WITHOUT_PROCESS = harnesses.filter(({ cannot }) => cannot['drain-on-signal'] !== undefined)

describe.each(WITH_PROCESS)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running | undefined
  beforeAll(async () => {
    upstream = await startLookAlike()
  })
  afterEach(async () => {
    await gate?.stop()
    gate = undefined
    upstream.reset()
  })
  afterAll(() => upstream.stop())

  /** A gate of this test alone, since every test ends it. */
  async function startGate(config: Partial<ConfigFile> = {}): Promise<Running> {
    gate = await harness.start({
      upstream: { url: upstream.url },
      ...ROOMY,
      heartbeat: { afterMs: 0 },
      timeouts: { drainMs: LONG_MS },
      ...config,
    })
    return gate
  }

  test('a stream that is active at a signal is finished whole, and the exit code is 0', async () => {
    const { url, signal, exit } = processOf(await startGate())
    upstream.behave({ kind: 'normal', paceMs: 100 })
    const client = await openRaw(url, STREAM)
    await client.readUntil('data:')
    signal('SIGTERM')
    const answer = await client.answer()
    const usual = await sendRaw(upstream.url, STREAM)
    expect([textOf(answer), answer.ending, await exit]).toEqual([textOf(usual), 'complete', 0])
  })

  test('a call that waits for its answer at a signal gets it, streamed or not', async () => {
    const { url, signal, exit } = processOf(await startGate())
    upstream.behave({ kind: 'never-headers' }, { kind: 'never-headers' })
    const clients = [await openRaw(url, STREAM), await openRaw(url, CALL)]
    await upstream.waitFor(() => callsTo(upstream).length === 2)
    signal('SIGINT')
    await sleep(200)
    upstream.release()
    const answers = await Promise.all(clients.map((client) => client.answer()))
    const usual = [await sendRaw(upstream.url, STREAM), await sendRaw(upstream.url, CALL)]
    expect([answers.map(textOf), await exit]).toEqual([usual.map(textOf), 0])
  })

  test('who waits for a turn at a signal is refused at once, streamed or not, and what runs is finished', async () => {
    const running = await startGate({ queue: { slotsPerModel: 1 } })
    const { url, signal, exit } = processOf(running)
    upstream.behave({ kind: 'never-headers' })
    const first = await openRaw(url, CALL)
    await upstream.waitFor(() => callsTo(upstream).length === 1)
    const waiting = [await openRaw(url, CALL), await openRaw(url, STREAM)]
    await sleep(ARRIVED_MS)
    const begun = performance.now()
    signal('SIGTERM')
    const refused = await Promise.all(waiting.map((client) => client.answer()))
    expect(performance.now() - begun).toBeLessThan(SOON_MS)
    expect([refused.map(refusalIn), upstream.held()]).toEqual([[STOPPING, STOPPING], 1])
    upstream.release()
    const answer = await first.answer()
    const usual = await sendRaw(upstream.url, CALL)
    expect([answer.status, textOf(answer), answer.ending]).toEqual([200, textOf(usual), 'complete'])
    expect([await exit, outcomesIn(running.output())]).toEqual([
      0,
      ['refused', 'refused', 'completed'],
    ])
  })

  test('a stream that waits with heartbeats at a signal is told so in it, and broken off', async () => {
    const running = await startGate({
      queue: { slotsPerModel: 1 },
      heartbeat: { afterMs: 50, everyMs: 50 },
    })
    const { url, signal, exit } = processOf(running)
    upstream.behave({ kind: 'never-headers' })
    const first = await openRaw(url, CALL)
    await upstream.waitFor(() => callsTo(upstream).length === 1)
    const client = await openRaw(url, STREAM)
    await client.readUntil(BEAT)
    signal('SIGTERM')
    const answer = await client.answer()
    expect([answer.status, answer.ending === 'complete', upstream.held()]).toEqual([200, false, 1])
    expect(textOf(answer).replaceAll(BEAT, '').trimEnd()).toMatch(TOLD)
    upstream.release()
    expect([(await first.answer()).status, await exit, outcomesIn(running.output())]).toEqual([
      200,
      0,
      ['refused', 'completed'],
    ])
  })

  test('an answer that begins while draining tells that its connection ends', async () => {
    const { url, signal, exit } = processOf(await startGate())
    upstream.behave({ kind: 'never-headers' })
    const client = await openRaw(url, CALL)
    await upstream.waitFor(() => callsTo(upstream).length === 1)
    signal('SIGTERM')
    await expect.poll(() => isRefused(url)).toBe(true)
    upstream.release()
    const answer = await client.answer()
    expect([headerValue(answer, 'connection'), answer.ending]).toEqual(['close', 'complete'])
    expect(await exit).toBe(0)
  })

  test('new connections are refused while a stream is finished', async () => {
    const { url, signal, exit } = processOf(await startGate())
    upstream.behave({ kind: 'endless', everyMs: 20 })
    const client = await openRaw(url, STREAM)
    await client.readUntil('data:')
    signal('SIGTERM')
    await expect.poll(() => isRefused(url)).toBe(true)
    upstream.release()
    const answer = await client.answer()
    expect([answer.ending, await exit]).toEqual(['complete', 0])
  })

  test('a silent stream is told why and cut after the time for draining, at both of its ends', async () => {
    const { url, signal, exit } = processOf(await startGate({ timeouts: { drainMs: 400 } }))
    upstream.behave({ kind: 'silence', frames: 2 })
    const client = await openRaw(url, STREAM)
    await client.readUntil('data:')
    const call = callsTo(upstream)[0]!
    const begun = performance.now()
    signal('SIGTERM')
    const answer = await client.answer()
    const cutAfterMs = performance.now() - begun
    expect(answer.ending).not.toBe('complete')
    expect(textOf(answer).split('\n\n').at(-2)).toMatch(TOLD)
    expect(cutAfterMs).toBeGreaterThan(350)
    expect(cutAfterMs).toBeLessThan(400 + SOON_MS)
    expect([await exit, call.state]).toEqual([0, 'aborted'])
  })

  test('a stream that does not end is cut after the time for draining, too', async () => {
    const { url, signal, exit } = processOf(await startGate({ timeouts: { drainMs: 400 } }))
    upstream.behave({ kind: 'endless', everyMs: 20 })
    const client = await openRaw(url, STREAM)
    await client.readUntil('data:')
    signal('SIGTERM')
    const answer = await client.answer()
    expect([answer.ending === 'complete', await exit]).toEqual([false, 0])
  })

  test('connections that are kept open without a request do not hold the exit', async () => {
    const { url, signal, exit } = processOf(await startGate())
    const used = await openRaw(url, CALL)
    await used.answer()
    await openRaw(url)
    const begun = performance.now()
    signal('SIGTERM')
    expect(await exit).toBe(0)
    expect(performance.now() - begun).toBeLessThan(SOON_MS)
  })

  test('a connection that becomes idle while draining does not hold the exit', async () => {
    const { url, signal, exit } = processOf(await startGate())
    upstream.behave({ kind: 'silence', frames: 2 })
    const client = await openRaw(url, STREAM)
    await client.readUntil('data:')
    signal('SIGTERM')
    await sleep(200)
    upstream.release()
    await client.answer()
    const finished = performance.now()
    expect(await exit).toBe(0)
    expect(performance.now() - finished).toBeLessThan(SOON_MS)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'a %s after a SIGTERM ends the process at once',
    async (second) => {
      const { url, signal, exit } = processOf(await startGate())
      upstream.behave({ kind: 'silence', frames: 2 })
      const client = await openRaw(url, STREAM)
      await client.readUntil('data:')
      signal('SIGTERM')
      await expect.poll(() => isRefused(url)).toBe(true)
      // The same signal within half a second may be npm's echo of the first one.
      await sleep(500)
      const begun = performance.now()
      signal(second)
      expect(await exit).toBe(1)
      expect(performance.now() - begun).toBeLessThan(SOON_MS)
    },
  )

  test('the log of what was finished while draining is not lost', async () => {
    const running = await startGate()
    const { url, signal, exit } = processOf(running)
    upstream.behave({ kind: 'normal', paceMs: 30 })
    const client = await openRaw(url, STREAM)
    await client.readUntil('data:')
    signal('SIGTERM')
    await client.answer()
    await exit
    expect(outcomesIn(running.output())).toEqual(['completed'])
  })

  test('the log of what was cut is not lost either', async () => {
    const running = await startGate({ timeouts: { drainMs: 400 } })
    const { url, signal, exit } = processOf(running)
    upstream.behave({ kind: 'silence', frames: 2 })
    const client = await openRaw(url, STREAM)
    await client.readUntil('data:')
    signal('SIGTERM')
    await exit
    expect(outcomesIn(running.output())).toEqual(['refused'])
  })
})

describe.each(WITHOUT_PROCESS)('on $name', (harness) => {
  test(`nobody can send a signal: ${harness.cannot['drain-on-signal']}`, async () => {
    const gate = await harness.start({ ...ROOMY })
    expect(gate.process).toBeUndefined()
    await gate.stop()
  })
})

function refusalIn(answer: RawAnswer): unknown {
  return {
    status: answer.status,
    code: JSON.parse(textOf(answer)).error.code,
    retryAfter: headerValue(answer, 'retry-after'),
    shouldRetry: headerValue(answer, 'x-should-retry'),
    ending: answer.ending,
  }
}

/** The outcomes that a gate's log tells. */
function outcomesIn(output: string): string[] {
  const lines = output.split('\n').filter((line) => line.startsWith('{'))
  return lines.map((line) => JSON.parse(line).outcome)
}

/** Whether nobody listens at an address any more. */
async function isRefused(url: string): Promise<boolean> {
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  const refused = await Promise.race([
    once(socket, 'connect').then(() => false),
    new Promise<boolean>((resolve) => {
      socket.on('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED'))
    }),
  ])
  socket.destroy()
  return refused
}

/** A gate's process in the test's hands. */
type OwnProcess = {
  url: string
  signal: (name: NodeJS.Signals) => void
  exit: Promise<number | null>
}

function processOf({ url, process: child }: Running): OwnProcess {
  if (child === undefined) throw new Error('expected a gate with a process of its own')
  const exit = once(child, 'exit').then(([code]) => code)
  return { url, exit, signal: (name) => void child.kill(name) }
}
