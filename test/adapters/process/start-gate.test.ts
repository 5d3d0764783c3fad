import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { harness } from '../../../adapters/node/harness.ts'
import { sha256 } from '../../../adapters/process/sha256.ts'
import { startGate, type Listening } from '../../../adapters/process/start-gate.ts'
import { createSqliteLimitArchive } from '../../../adapters/sqlite/limit-archive.ts'
import { createSqliteUsageStore } from '../../../adapters/sqlite/usage-store.ts'
import type { Gate } from '../../../src/app.ts'
import { parseConfig } from '../../../src/config/parse-config.ts'
import type { ConfigFile } from '../../../src/config/schema.ts'
import { createMemoryLimitStore } from '../../../src/limit/memory-store.ts'
import type { Running } from '../../harness.ts'
import { limitsOf } from '../../src/limit/limits.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { FakeUpstream, jsonAnswer } from '../../support/fake-upstream.ts'
import { openTemporary, temporaryFolder } from '../sqlite/open-temporary.ts'

const SECRET = 'sk-0123456789abcdef0123456789'

const started: Running[] = []
afterEach(() => Promise.all(started.splice(0).map((gate) => gate.stop())))

async function outputWith(models: string[]): Promise<string> {
  const key = { id: 'k', secret: 'sk-0123456789abcdef0123456789', models }
  const config: ConfigFile = { keys: [key], upstream: { configFile: './nowhere.yaml' } }
  const gate = await harness.start(config)
  started.push(gate)
  return gate.output()
}

test('a limited key without the file of llama-swap is warned of: pins of profiles are not known', async () => {
  expect(await outputWith(['glm-4.7-flash'])).toContain('nowhere.yaml is not there')
})

test('a folder of such files is as good, and nothing is said', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'a.yaml'), 'models: {}')
  const running = await startWith({
    keys: [{ id: 'k', secret: SECRET, models: ['a'] }],
    upstream: { configFile: join(folder, 'nowhere.yaml'), configDir: folder },
    usage: { file: null },
    log: { level: 'silent' },
  })
  running.stopListening = async () => {}
  await running.stop(0)
  expect(running.warnings).toEqual([])
})

test('a key for all models needs no such file, and nothing is said', async () => {
  expect(await outputWith(['*'])).not.toContain('nowhere.yaml')
})

const TOKENS_PER_DAY = 1000
const CHAT_OF_45 = jsonAnswer({
  choices: [],
  usage: { prompt_tokens: 25, completion_tokens: 20 },
})

type Served = Listening & {
  gate: Gate
  upstream: FakeUpstream
  warnings: string[]
  /** What is done when the runtime is to stop listening. */
  stopListening: () => Promise<void>
}

/** A gate without sockets that keeps what it counts in `file`, and whose last chat ends while it is being stopped. */
function startOn(file: string, queue: ConfigFile['queue'] = {}): Promise<Served> {
  const key = { id: 'laptop', secret: SECRET, limits: { tokensPerDay: TOKENS_PER_DAY } }
  return startWith({
    keys: [key],
    upstream: { configFile: `${file}.yaml` },
    usage: { file },
    queue,
    log: { level: 'silent' },
  })
}

/** A gate without sockets. */
async function startWith(config: ConfigFile): Promise<Served> {
  const written = { name: 'config.json', text: JSON.stringify(config) }
  const parsed = await parseConfig({ file: written, env: {}, readFile: undefined }, sha256)
  if (!parsed.ok) throw new Error(parsed.message)
  const upstream = new FakeUpstream()
  const warnings: string[] = []
  const { promise: served, resolve } = Promise.withResolvers<Gate>()
  const listening = await startGate(
    {
      name: 'none',
      createUpstream: () => upstream,
      async serve(gate) {
        resolve(gate)
        return {
          url: 'http://gate.test',
          stop: () => running.stopListening(),
        }
      },
    },
    parsed.config,
    (message) => void warnings.push(message),
  )
  const running: Served = {
    ...listening,
    gate: await served,
    upstream,
    warnings,
    stopListening: async () => void upstream.last.answer(CHAT_OF_45),
  }
  return running
}

/** A chat as a client sends it. */
function chat(model = 'a'): Request {
  return new Request('http://gate.test/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, max_tokens: 20 }),
  })
}

/** What another process finds in the file at the moment `now`. */
async function keptIn(file: string, now: number): Promise<unknown> {
  const database = await openTemporary(file)
  const clock = fakeClock(now)
  const warnings: string[] = []
  const warn = (message: string): void => void warnings.push(message)
  const usage = createSqliteUsageStore({ database, clock, keepDays: 90, warn })
  const archive = createSqliteLimitArchive(database, clock)
  const limits = createMemoryLimitStore({ clock, archive })
  const { tokens } = await limits.peek('laptop', limitsOf({ tokensPerDay: TOKENS_PER_DAY }))
  const totals = await usage.totals({ since: 0, by: 'key', keyId: undefined })
  return {
    remaining: tokens?.remaining,
    usage: totals.map(({ group, completed, promptTokens, completionTokens }) => ({
      group,
      completed,
      promptTokens,
      completionTokens,
    })),
    warnings,
  }
}

test('who stops it finds usage and limits in the file, those of a request that ended last included', async () => {
  const file = join(temporaryFolder(), 'data/usage.sqlite')
  const running = await startOn(file)
  const { gate, upstream, warnings } = running
  const asked = Promise.withResolvers<void>()
  upstream.onCall = (call) => {
    if (call.request.method === 'POST') asked.resolve()
    else call.answer(jsonAnswer({ object: 'list', data: [], running: [] }))
  }
  const answer = gate.fetch(chat(), {})
  await asked.promise
  const now = Date.now()
  await running.stop(0)
  expect([(await answer).status, warnings]).toEqual([200, []])
  expect(await keptIn(file, now)).toEqual({
    remaining: TOKENS_PER_DAY - 45,
    usage: [{ group: 'laptop', completed: 1, promptTokens: 25, completionTokens: 20 }],
    warnings: [],
  })
})

test('who stops it has who waits refused before it stops listening, and what runs can end', async () => {
  const running = await startOn(join(temporaryFolder(), 'usage.sqlite'), { slotsPerModel: 1 })
  const { gate, upstream } = running
  const asked = Promise.withResolvers<void>()
  upstream.onCall = (call) => {
    if (call.request.method === 'POST') asked.resolve()
    else call.answer(jsonAnswer({ object: 'list', data: [{ id: 'a' }], running: [] }))
  }
  const first = gate.fetch(chat(), {})
  await asked.promise
  const told: unknown[] = []
  const refused = Promise.resolve(gate.fetch(chat(), {})).then(async (answer) => {
    const { error } = JSON.parse(await answer.text())
    told.push([answer.status, error.code])
  })
  const { call, stopListening } = { call: upstream.last, ...running }
  running.stopListening = async () => {
    await refused
    told.push('stops listening')
    call.answer(CHAT_OF_45)
    return stopListening()
  }
  await running.stop(0)
  told.push((await first).status)
  expect(told).toEqual([[503, 'gate_stopping'], 'stops listening', 200])
})

test('who stops it has what still runs after the time for that refused and aborted', async () => {
  const running = await startOn(join(temporaryFolder(), 'usage.sqlite'))
  const asked = Promise.withResolvers<void>()
  running.upstream.onCall = (call) => {
    if (call.request.method === 'POST') asked.resolve()
    else call.answer(jsonAnswer({ object: 'list', data: [{ id: 'a' }], running: [] }))
  }
  const answer = Promise.resolve(running.gate.fetch(chat(), {}))
  await asked.promise
  const call = running.upstream.last
  const told: unknown[] = []
  running.stopListening = async () => {
    const cut = await answer
    const { error } = JSON.parse(await cut.text())
    told.push([cut.status, error.code, call.aborts])
  }
  await running.stop(0)
  expect(told).toEqual([[503, 'gate_stopping', 1]])
})

const POSTS = 100
/** Long enough that reading it takes a while. */
const PINNED = [
  'profiles: { work: { pins: { small: big } } }',
  'models:',
  ...['small', 'big', ...Array.from({ length: 300 }, (_, i) => `m${i}`)].map(
    (id) => `  ${id}: { cmd: "llama-server --port \${PORT}" }`,
  ),
].join('\n')

test('requests that come together right after the start reach nothing that a profile pins', async () => {
  const file = join(temporaryFolder(), 'config.yaml')
  writeFileSync(file, PINNED)
  const running = await startWith({
    keys: [{ id: 'friend', secret: SECRET, models: ['small'] }],
    upstream: { configFile: file },
    usage: { file: null },
    log: { level: 'silent' },
  })
  const { gate, upstream } = running
  upstream.onCall = (call) => {
    if (call.request.method === 'POST') call.answer(CHAT_OF_45)
    else
      call.answer(
        jsonAnswer({ object: 'list', data: [{ id: 'small' }, { id: 'big' }], running: [] }),
      )
  }
  const send = async (request: Request): Promise<number> => (await gate.fetch(request, {})).status
  const { headers } = chat()
  const lists = Array.from({ length: 4 }, () =>
    send(new Request('http://gate.test/v1/models', { headers })),
  )
  const asked: Promise<number>[] = []
  for (let i = 0; i < POSTS; i++) {
    asked.push(send(chat('small')))
    // The file is being read meanwhile.
    await setImmediate()
  }
  const statuses = await Promise.all(asked)
  await Promise.all(lists)
  const posts = upstream.calls.filter(({ request }) => request.method === 'POST')
  await running.stop(0)
  expect([statuses, posts.length]).toEqual([Array.from({ length: POSTS }, () => 404), 0])
})

test.each([
  ['localhost', '127.0.0.1'],
  ['127.0.0.2', '127.0.0.2'],
  ['::', '::'],
])('a gate on %s listens on %s', async (host, address) => {
  const config = { listen: { host }, keys: [SECRET], usage: { file: null } }
  const written = { name: 'config.json', text: JSON.stringify(config) }
  const parsed = await parseConfig({ file: written, env: {}, readFile: undefined }, sha256)
  if (!parsed.ok) throw new Error(parsed.message)
  const served: string[] = []
  const runtime = {
    name: 'none',
    createUpstream: () => new FakeUpstream(),
    serve: async (_gate: Gate, options: { host: string }) => {
      served.push(options.host)
      return { url: 'http://gate.test', stop: async () => {} }
    },
  }
  const listening = await startGate(runtime, parsed.config, () => {})
  await listening.stop(0)
  expect(served).toEqual([address])
})
