import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { ConfigFile } from '../../src/config/schema.ts'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import type { Behaviour } from '../support/look-alike/behaviour.ts'
import { openRaw, sendRaw, type RawConnection } from '../support/raw-http.ts'
import { headerValue, textOf } from '../support/raw-http/answer.ts'
import { rawJsonPost, rawRequest } from '../support/raw-http/raw-request.ts'
import { harnesses } from './gates.ts'

const CHAT = '/v1/chat/completions'
const MODEL = 'gpt-oss-120b'
const STREAMS = 20
const DAY = 100_000
/** What is taken is on the disk after half a second; this is much more. */
const SAVED = { timeout: 5000 }

const KEYS = [
  { id: 'streams', limits: { concurrent: STREAMS, waiting: 0, tokensPerDay: DAY } },
  { id: 'day', limits: { tokensPerDay: DAY } },
  // One token flows in every second.
  { id: 'minute', limits: { tokensPerMinute: 60 } },
  { id: 'requests', limits: { requestsPerMinute: 10 } },
  { id: 'status', scopes: ['status' as const] },
].map((key) => ({ ...key, secret: secretOf(key.id) }))

function secretOf(id: string): string {
  return `sk-${id}-0123456789abcdef0123456789`
}

function authorizationOf(key: string): Record<string, string> {
  return { Authorization: `Bearer ${secretOf(key)}` }
}

function post(key: string, stream = false): Buffer {
  const body = { model: MODEL, messages: [{ role: 'user', content: 'hi' }], max_tokens: 4, stream }
  return rawJsonPost(CHAT, body, authorizationOf(key))
}

function get(key: string, target: string): Buffer {
  return rawRequest({ target, headers: authorizationOf(key) })
}

describe.each(harnesses)('on $name', (harness) => {
  const folder = mkdtempSync(join(tmpdir(), 'swapgate-restart-'))
  let upstream: LookAlike
  let gate: Running | undefined
  let files = 0
  let file = ''
  beforeAll(async () => {
    upstream = await startLookAlike()
  })
  afterEach(async () => {
    await gate?.stop()
    gate = undefined
    upstream.reset()
  })
  afterAll(async () => {
    await upstream.stop()
    rmSync(folder, { recursive: true })
  })

  /** The next test begins with nothing. */
  function newFile(): void {
    files++
    file = join(folder, `usage-${files}.sqlite`)
  }

  async function start(config: ConfigFile = {}): Promise<Running> {
    gate = await harness.start({
      upstream: { url: upstream.url },
      keys: KEYS,
      limits: { requestsPerMinute: null },
      queue: { slotsPerModel: 100 },
      usage: { file },
      ...config,
    })
    return gate
  }

  const noFile = harness.cannot['usage-file']

  /** Waits until the file holds so many open requests of each key; objects answer only once they have written. */
  async function savedWith(leases: Record<string, number>): Promise<void> {
    const isSaved = (): boolean => isDeepStrictEqual(savedLeases(file), leases)
    if (noFile === undefined) await vi.waitUntil(isSaved, SAVED)
  }

  test('a gate that is killed and started again goes on with the counts of the day and of the minute, and with the usage', async () => {
    newFile()
    const first = await start()
    const tokens = { prompt: 40, cached: 0, completion: 4 }
    for (const key of ['day', 'minute', 'requests']) {
      upstream.behave({ kind: 'normal', tokens })
      await sendRaw(first.url, post(key))
    }
    const usage = ['day', 'minute', 'requests'].map((key) => [key, 1, 1, 44])
    // An answer is out before its request is settled.
    await expect.poll(() => usageOf(first.url)).toEqual(usage)
    await expect.poll(() => standings(first.url)).toMatchObject({ day: DAY - 44, requests: 9 })
    const before = await standings(first.url)
    await savedWith({ day: 0, minute: 0, requests: 0 })
    await first.stop()
    const second = await start()
    const after = await standings(second.url)
    expect([after.day, after.requests]).toEqual([before.day, before.requests])
    // What flows in while the gate is started, but never all of it.
    expect(after.minute).toBeGreaterThanOrEqual(before.minute)
    expect(after.minute).toBeLessThan(60)
    expect(await usageOf(second.url)).toEqual(usage)
  })

  describe.each(noFile === undefined ? ['killed'] : [])(
    'a gate that is %s and started again',
    () => {
      test('holds none of the places that its streams had, and keeps what they used', async () => {
        newFile()
        const first = await start()
        upstream.behave(...endless(STREAMS))
        await openStreams(first.url, 'streams')
        const full = await sendRaw(first.url, post('streams'))
        const before = await left(first.url, 'streams', 'tokens')
        await savedWith({ streams: STREAMS })
        await first.stop()
        await upstream.waitFor(() => upstream.requests.every(({ state }) => state !== 'open'))
        const second = await start()
        const after = await left(second.url, 'streams', 'tokens')
        upstream.behave(...endless(STREAMS))
        const clients = await openStreams(second.url, 'streams')
        upstream.release()
        const answers = await Promise.all(clients.map((client) => client.answer()))
        expect(answers.map(({ status, ending }) => [status, ending])).toEqual(
          answers.map(() => [200, 'complete']),
        )
        // Nobody knows what the killed streams used, so what was reserved for them stays taken.
        expect([full.status, after, before < DAY]).toEqual([429, before, true])
        expect(integrity(file)).toEqual([{ integrity_check: 'ok' }])
      })

      test('loses no usage that was finished before a signal to stop', async () => {
        newFile()
        const first = await start()
        upstream.behave({ kind: 'endless', everyMs: 20 })
        const client = await openRaw(first.url, post('day', true))
        await client.readUntil('data:')
        await sendRaw(first.url, post('requests'))
        const child = first.process!
        const exit = once(child, 'exit')
        child.kill('SIGTERM')
        upstream.release()
        const answer = await client.answer()
        expect([answer.ending, (await exit)[0]]).toEqual(['complete', 0])
        const second = await start()
        expect(await usageOf(second.url)).toEqual([
          ['day', 1, 1, 29],
          ['requests', 1, 1, 29],
        ])
        expect(await standings(second.url)).toMatchObject({ day: DAY - 5, requests: 9 })
      })

      test.each([
        {
          what: 'a path below a regular file',
          make: () => {
            writeFileSync(join(folder, 'regular'), '')
            return join(folder, 'regular', 'usage.sqlite')
          },
        },
        {
          what: 'a folder in its place',
          make: () => {
            mkdirSync(join(folder, 'taken.sqlite'))
            return join(folder, 'taken.sqlite')
          },
        },
        {
          what: 'a file that is no database',
          make: () => {
            writeFileSync(join(folder, 'notes.txt'), 'Not a database, but long enough to be read.')
            return join(folder, 'notes.txt')
          },
        },
      ])('serves, counts in memory and says so once where its file is $what', async ({ make }) => {
        file = make()
        const running = await start()
        const statuses: number[] = []
        for (let count = 0; count < 3; count++)
          statuses.push((await sendRaw(running.url, post('requests'))).status)
        const warnings = running
          .output()
          .split('\n')
          .filter((line) => line.includes(file) || line.includes('kept in memory only, until'))
        expect([statuses, await standings(running.url), await usageOf(running.url)]).toEqual([
          [200, 200, 200],
          { day: DAY, minute: 60, requests: 7 },
          [['requests', 3, 3, 87]],
        ])
        expect(warnings).toEqual([
          expect.stringContaining(`swapgate: ${file} `),
          'swapgate: usage and limits are kept in memory only, until the next start.',
        ])
      })
    },
  )

  describe.each(noFile === undefined ? [] : [noFile])('a gate that still has no file: %s', () => {
    test('writes none', async () => {
      newFile()
      const { url } = await start()
      await sendRaw(url, post('requests'))
      await expect.poll(() => usageOf(url)).toEqual([['requests', 1, 1, 29]])
      expect(existsSync(file)).toBe(false)
    })

    test('has the places of its streams taken for as long as their leases last, also when it is started again', async () => {
      newFile()
      const first = await start()
      upstream.behave(...endless(STREAMS))
      await openStreams(first.url, 'streams')
      const before = await left(first.url, 'streams', 'tokens')
      await first.stop()
      const second = await start()
      const full = await sendRaw(second.url, post('streams'))
      const after = await left(second.url, 'streams', 'tokens')
      expect([full.status, after, before < DAY]).toEqual([429, before, true])
    })

    test('has the places of finished requests free when it is started again', async () => {
      newFile()
      const first = await start()
      const answers = Array.from({ length: STREAMS }, () => sendRaw(first.url, post('streams')))
      await Promise.all(answers)
      await expect
        .poll(() => usageOf(first.url))
        .toEqual([['streams', STREAMS, STREAMS, 29 * STREAMS]])
      await first.stop()
      const second = await start()
      upstream.behave(...endless(STREAMS))
      const clients = await openStreams(second.url, 'streams')
      upstream.release()
      const endings = await Promise.all(clients.map((client) => client.answer()))
      expect(endings.map(({ status }) => status)).toEqual(endings.map(() => 200))
    })
  })
})

/** Opens streams until each has begun. */
async function openStreams(url: string, key: string): Promise<RawConnection[]> {
  const clients = await Promise.all(
    Array.from({ length: STREAMS }, () => openRaw(url, post(key, true))),
  )
  await Promise.all(clients.map((client) => client.readUntil('data:')))
  return clients
}

function endless(count: number): Behaviour[] {
  return Array.from({ length: count }, () => ({ kind: 'endless', everyMs: 20 }))
}

/** What the gate says is left of one limit of a key. */
async function left(url: string, key: string, of: 'tokens' | 'requests'): Promise<number> {
  const answer = await sendRaw(url, get(key, '/v1/models'))
  return Number(headerValue(answer, `x-ratelimit-remaining-${of}`))
}

async function standings(url: string) {
  return {
    day: await left(url, 'day', 'tokens'),
    minute: await left(url, 'minute', 'tokens'),
    requests: await left(url, 'requests', 'requests'),
  }
}

/** How many requests of each key had not ended when its limits were last saved. */
function savedLeases(file: string): Record<string, number> {
  return withDatabase(file, (database) => {
    const rows = database.prepare('SELECT key_id, text FROM limit_state ORDER BY key_id').all()
    return Object.fromEntries(
      rows.map(({ key_id, text }) => [String(key_id), JSON.parse(String(text)).leases.length]),
    )
  })
}

function integrity(file: string): unknown {
  return withDatabase(file, (database) => database.prepare('PRAGMA integrity_check').all())
}

function withDatabase<T>(file: string, read: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    return read(database)
  } finally {
    database.close()
  }
}

/** Requests, completed ones and tokens of each key. */
async function usageOf(url: string): Promise<unknown[]> {
  const answer = await sendRaw(url, get('status', '/usage?by=key'))
  const { data }: { data: Record<string, unknown>[] } = JSON.parse(textOf(answer))
  return data.map((sum) => [sum['key'], sum['requests'], sum['completed'], sum['total_tokens']])
}
