import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hashOf } from '../../src/config/parse.ts'
import { startLookAlike, type LookAlike } from '../../support/look-alike.ts'
import { bundle, startWorker, type RunningWorker } from './start-worker.ts'

const SECRET = 'sk-friend-0123456789abcdef'
const CHAT = '/v1/chat/completions'
const SOON = { timeout: 3000 }

let script: string
let upstream: LookAlike
let worker: RunningWorker
beforeAll(async () => {
  upstream = await startLookAlike()
  script = (await bundle({ entryPoints: ['test/adapters/cloudflare/programs/dead-objects.ts'] }))
    .script
})
afterEach(async () => {
  await worker.stop()
  upstream.reset()
})
afterAll(() => upstream.stop())

/** The answer, as far as it is about limits and errors; `body` is that of a request for a model. */
async function ask(path: string, body?: unknown) {
  const answer = await fetch(worker.url + path, {
    headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  })
  const { error }: { error?: { code: string } } = JSON.parse(await answer.text())
  const names = ['retry-after', 'x-should-retry', 'x-ratelimit-limit-requests', 'swapgate-error']
  return [answer.status, error?.code, ...names.map((name) => answer.headers.get(name))]
}

/** How often the Worker has written something. */
function written(what: RegExp): number {
  return worker.output().match(what)?.length ?? 0
}

/** What the log says of the ends of requests. */
function ends(path: string): unknown[] {
  const lines = worker.output().split('\n')
  return lines
    .filter((line) => line.includes(`"path":"${path}"`))
    .map((line) => JSON.parse(line))
    .map(({ status, outcome, reason }) => [status, outcome, reason])
}

const UNAVAILABLE = [503, 'counters_unavailable', '5', null, null, 'counters-unavailable']
const REFUSED = [503, 'refused', 'counters-unavailable']

describe.each([
  ['that never answer', 'yes', 'Error: a Durable Object did not answer within 0.2 s'],
  ['that throw', 'no', 'Error: the object is broken'],
])('a Worker with Durable Objects %s', (_how, SILENT, why) => {
  const failure = new RegExp(`"stack":"CountersUnavailable: ${why}`, 'g')

  beforeEach(async () => {
    const keys = [{ id: 'friend', secret: hashOf(SECRET), limits: { requestsPerMinute: 60 } }]
    const CONFIG = JSON.stringify({ keys, upstream: { url: upstream.url } })
    worker = await startWorker({ script, bindings: { CONFIG, SILENT } })
  })

  test('lets no request through to a model, asks once, and says and logs why once', async () => {
    expect(await ask(CHAT, { model: 'gpt-oss-120b', messages: [] })).toEqual(UNAVAILABLE)
    await expect.poll(() => ends(CHAT), SOON).toEqual([REFUSED])
    expect([
      written(/^asked to admit$/gm),
      written(/^asked to peek$/gm),
      written(failure),
      upstream.requests.filter(({ method }) => method === 'POST').length,
    ]).toEqual([1, 0, 1, 0])
  })

  test('gives the answers that are ready, without what is left of the limits', async () => {
    expect([await ask('/v1/models'), await ask('/opencode.json')]).toEqual([
      [200, undefined, null, null, null, null],
      [200, undefined, null, null, null, null],
    ])
    await expect.poll(() => written(failure), SOON).toBe(2)
  })

  test('refuses as ever', async () => {
    expect(await ask('/running')).toEqual([
      403,
      'scope_missing',
      null,
      'false',
      null,
      'scope-missing',
    ])
  })

  test('says that usage cannot be had', async () => {
    expect(await ask('/usage')).toEqual(UNAVAILABLE)
    await expect.poll(() => ends('/usage'), SOON).toEqual([REFUSED])
    expect(written(failure)).toBe(1)
  })
})
