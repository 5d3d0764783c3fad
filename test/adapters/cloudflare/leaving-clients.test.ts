import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { hashOf } from '../../src/config/parse.ts'
import { startLookAlike, type LookAlike } from '../../support/look-alike.ts'
import { openRaw, sendRaw, type RawConnection } from '../../support/raw-http.ts'
import { headerValue, type RawAnswer } from '../../support/raw-http/answer.ts'
import { rawJsonPost, rawRequest } from '../../support/raw-http/raw-request.ts'
import { bundle, startWorker, type RunningWorker } from './start-worker.ts'

const CHAT = '/v1/chat/completions'
const SECRET = 'sk-friend-0123456789abcdef'
const DAY = 100_000
/** Within this much the busiest machine has come to it. */
const SOON = { timeout: 10_000 }
/** What the object of a key asks for before it answers. */
const HOLD = '/health'
const NEVER = { kind: 'never-headers' } as const

let script: string
let upstream: LookAlike
let worker: RunningWorker
beforeAll(async () => {
  upstream = await startLookAlike()
  script = (await bundle({ entryPoints: ['test/adapters/cloudflare/programs/slow-limits.ts'] }))
    .script
})
afterEach(async () => {
  await worker.stop()
  upstream.reset()
})
afterAll(() => upstream.stop())

/** A Worker with one key, which may have two requests at a time. */
async function start(id: string): Promise<void> {
  const limits = { concurrent: 2, tokensPerDay: DAY, requestsPerMinute: null }
  const keys = [{ id, secret: hashOf(SECRET), limits }]
  const CONFIG = JSON.stringify({ keys, upstream: { url: upstream.url } })
  const HOLD_URL = upstream.url + HOLD
  worker = await startWorker({ script, bindings: { CONFIG, HOLD_URL } })
}

/** Two clients leave that are admitted, while the answer that says so is held. */
async function leaveWhileAdmitted(): Promise<void> {
  upstream.behaveAt(HOLD, NEVER, NEVER)
  const clients = await open(2)
  await expect.poll(() => upstream.held(), SOON).toBe(2)
  for (const client of clients) client.destroy()
  await expect.poll(() => written(/^left$/gm), SOON).toBe(2)
  upstream.release()
}

const AUTH = { Authorization: `Bearer ${SECRET}` }

const POST = rawJsonPost(
  CHAT,
  { model: 'gpt-oss-120b', messages: [], max_tokens: 4000, stream: true },
  AUTH,
)

function open(count: number): Promise<RawConnection[]> {
  return Promise.all(Array.from({ length: count }, () => openRaw(worker.url, POST)))
}

/** How often the Worker has written something. */
function written(what: RegExp): number {
  return worker.output().match(what)?.length ?? 0
}

/** What the log says of the ends of requests for models. */
function ends(): unknown[] {
  return worker
    .output()
    .split('\n')
    .filter((line) => line.includes(`"path":"${CHAT}"`))
    .map((line) => JSON.parse(line))
    .map(({ outcome, status }) => [outcome, status])
}

/** Tokens of the day that the key has left. */
async function tokensLeft(): Promise<string | undefined> {
  const answer: RawAnswer = await sendRaw(
    worker.url,
    rawRequest({ target: '/v1/models', headers: AUTH }),
  )
  return headerValue(answer, 'x-ratelimit-remaining-tokens')
}

const LEFT = ['client-closed', 499]

describe('a client that leaves a Worker', () => {
  test('while its request is being admitted frees its place and its tokens, and is logged once', async () => {
    await start('friend')
    await leaveWhileAdmitted()
    await expect.poll(ends, SOON).toEqual([LEFT, LEFT])
    await expect.poll(tokensLeft, SOON).toBe(`${DAY}`)
    const next = await Promise.all((await open(2)).map((client) => client.answer()))
    expect([next.map(({ status }) => status), ends().slice(0, 2)]).toEqual([
      [200, 200],
      [LEFT, LEFT],
    ])
  })

  test('before its admission fails frees what may have been taken, and the failure is logged', async () => {
    await start('failing')
    await leaveWhileAdmitted()
    await expect
      .poll(() => written(/"stack":"CountersUnavailable: Error: the answer got lost/g), SOON)
      .toBe(2)
    await expect.poll(tokensLeft, SOON).toBe(`${DAY}`)
    expect(ends()).toEqual([
      ['refused', 503],
      ['refused', 503],
    ])
  })

  test('while the names of models are asked for is logged once', async () => {
    await start('friend')
    upstream.behaveAt('/v1/models', NEVER)
    const [client] = await open(1)
    await expect.poll(() => upstream.held(), SOON).toBe(1)
    client?.destroy()
    await expect.poll(() => written(/^left$/gm), SOON).toBe(1)
    upstream.release()
    await expect.poll(ends, SOON).toEqual([LEFT])
    await expect.poll(tokensLeft, SOON).toBe(`${DAY}`)
  })
})
