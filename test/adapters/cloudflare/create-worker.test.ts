import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { hashOf } from '../../src/config/parse.ts'
import { startLookAlike, type LookAlike } from '../../support/look-alike.ts'
import { bundle, startWorker, type RunningWorker } from './start-worker.ts'
import { wranglerFile } from './wrangler-file.ts'

const SECRET = 'sk-friend-0123456789abcdef'
const KEY = { id: 'friend', secret: hashOf(SECRET) }
const NOT_CONFIGURED = {
  status: 503,
  body: {
    error: { message: 'This gate is not configured. Its owner can see why in its log.' },
  },
}

/** What a Worker writes comes through a pipe, later than its answers. */
const SOON = { timeout: 10_000 }

/** What the docs show: a Worker that holds its configuration. */
const BUNDLED_ENTRY = `
import config from './config.json'
import { createWorker } from './adapters/cloudflare/create-worker.ts'
export { LimitObject } from './adapters/cloudflare/limit-object.ts'
export { UsageObject } from './adapters/cloudflare/usage-object.ts'
export default createWorker(JSON.stringify(config))
`

const folder = mkdtempSync(join(tmpdir(), 'swapgate-worker-'))
let upstream: LookAlike
let script: string
let worker: RunningWorker | undefined
beforeAll(async () => {
  upstream = await startLookAlike()
  script = (await bundle({ entryPoints: [wranglerFile.main] })).script
})
afterEach(async () => {
  await worker?.stop()
  worker = undefined
})
afterAll(async () => {
  await upstream.stop()
  rmSync(folder, { recursive: true })
})

async function get(url: string, secret = SECRET) {
  const answer = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${secret}` } })
  return { status: answer.status, body: await answer.json() }
}

function configText(): string {
  return JSON.stringify({ keys: [KEY], upstream: { url: upstream.url } })
}

describe('a Worker', () => {
  test('serves with its configuration in the secret CONFIG', async () => {
    worker = await startWorker({ script, bindings: { CONFIG: configText() } })
    expect((await get(worker.url)).status).toBe(200)
  })

  test('tells once what its owner should know', async () => {
    const keys = [{ ...KEY, scopes: ['status', 'admin'], models: ['some'] }]
    const CONFIG = JSON.stringify({ keys, upstream: { url: upstream.url } })
    worker = await startWorker({ script, bindings: { CONFIG } })
    const { url } = worker
    const told = /swapgate: key "friend" is limited to some models/g
    const answers = await Promise.all([get(url), get(url)])
    await expect.poll(() => worker?.output().match(told)?.length, SOON).toBe(1)
    answers.push(await get(url))
    const statuses = answers.map(({ status }) => status)
    expect([statuses, worker.output().match(told)?.length]).toEqual([[200, 200, 200], 1])
  })

  test('serves with its configuration in a bundled file', async () => {
    writeFileSync(join(folder, 'config.json'), configText())
    const contents = BUNDLED_ENTRY.replace('./config.json', join(folder, 'config.json'))
    const bundled = await bundle({ stdin: { contents, resolveDir: '.', loader: 'ts' } })
    worker = await startWorker({ script: bundled.script })
    expect((await get(worker.url)).status).toBe(200)
  })

  test('serves nothing and says what to add where it has no Durable Objects', async () => {
    const bindings = { CONFIG: configText() }
    worker = await startWorker({ script, bindings, withoutObjects: true })
    expect(await get(worker.url)).toEqual(NOT_CONFIGURED)
    await expect
      .poll(() => worker?.output(), SOON)
      .toContain('[[durable_objects.bindings]]\nname = "LIMITS"')
  })

  test('serves nothing and says once why where a key stands in clear, without the key', async () => {
    const CONFIG = JSON.stringify({ keys: [{ ...KEY, secret: SECRET }] })
    worker = await startWorker({ script, bindings: { CONFIG } })
    const { url } = worker
    const told = /npm run --silent swapgate keys new -- --id friend/g
    const answers = await Promise.all([get(url), get(url)])
    await expect.poll(() => worker?.output().match(told)?.length, SOON).toBe(1)
    answers.push(await get(url))
    const output = worker.output()
    expect([answers, output.match(told)?.length, output.includes(SECRET)]).toEqual([
      answers.map(() => NOT_CONFIGURED),
      1,
      false,
    ])
  })

  test('makes no Durable Object for a key that it does not know', async () => {
    worker = await startWorker({ script, bindings: { CONFIG: configText() }, keptIn: folder })
    const { url } = worker
    const guesses = Array.from({ length: 50 }, (_, i) => get(url, `sk-guess-${i}-0123456789`))
    const statuses = new Set((await Promise.all(guesses)).map(({ status }) => status))
    const before = objectsIn(folder)
    const known = await get(url)
    expect([[...statuses], before, known.status, objectsIn(folder)]).toEqual([[401], 0, 200, 1])
  })
})

/** How many Durable Objects have a database. */
function objectsIn(path: string): number {
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
  return files.filter((file) => /[0-9a-f]{64}\.sqlite$/.test(file)).length
}
