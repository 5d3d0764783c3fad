import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { backgroundClock } from '../../../adapters/sqlite/background-clock.ts'
import { createSqliteLimitArchive } from '../../../adapters/sqlite/limit-archive.ts'
import { createSqliteUsageStore } from '../../../adapters/sqlite/usage-store.ts'
import { usageTotal } from '../../contracts/usage-store.ts'
import { openTemporary, temporaryFolder } from './open-temporary.ts'
import { PROGRAMS, RUNTIMES } from './runtimes.ts'

const NAMES = RUNTIMES.map(([name]) => name)

const ALL = { since: 0, by: 'key', keyId: undefined } as const

/** What a program must tell when these have written. */
function foundAfter(names: string[]): unknown {
  return {
    found: {
      totals: names.map((name) => usageTotal(name, 1)),
      limits: names.map((name) => ({ keyId: name, text: `of ${name}` })),
    },
    stderr: '',
    status: 0,
  }
}

test('Bun, Deno and Node read what the others wrote, and a waiting timer keeps none of them', async () => {
  const file = join(temporaryFolder(), 'usage.db')
  const outputs = RUNTIMES.map(([name, program, ...args]) => {
    const words = [...args, join(PROGRAMS, 'write-one.ts'), file, name]
    const { stdout, stderr, status } = spawnSync(program, words, {
      encoding: 'utf8',
      timeout: 20_000,
    })
    return { found: stdout === '' ? undefined : JSON.parse(stdout), stderr, status }
  })
  expect(outputs).toEqual(NAMES.map((_, index) => foundAfter(NAMES.slice(0, index + 1))))

  const database = await openTemporary(file)
  const store = createSqliteUsageStore({
    database,
    clock: backgroundClock,
    keepDays: 36_500,
    warn: (message) => expect.unreachable(message),
  })
  expect([
    await store.totals(ALL),
    createSqliteLimitArchive(database, backgroundClock).load(),
  ]).toEqual([
    NAMES.map((name) => usageTotal(name, 1)),
    NAMES.map((name) => ({ keyId: name, text: `of ${name}` })),
  ])
}, 60_000)

test('a process that is killed while it writes leaves whole batches, all that it had told of', async () => {
  const file = join(temporaryFolder(), 'usage.db')
  const child = spawn(process.execPath, [join(PROGRAMS, 'write-on.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let told = 0
  for await (const line of createInterface({ input: child.stdout })) {
    expect(line).toBe('batch')
    told += 1
    if (told === 20) child.kill('SIGKILL')
  }
  expect(await exited).toEqual([null, 'SIGKILL'])

  const database = await openTemporary(file)
  const rows = Number(database.prepare('SELECT count(*) AS rows FROM usage_record').get()?.['rows'])
  expect(rows).toBeGreaterThanOrEqual(told * 100)
  expect(rows % 100).toBe(0)
}, 30_000)
