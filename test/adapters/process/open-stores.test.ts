import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openStores, type Stores } from '../../../adapters/process/open-stores.ts'
import type { Admission } from '../../../src/limit/limit-store.ts'
import { usageRecord } from '../../contracts/usage-record.ts'
import { limitsOf } from '../../src/limit/limits.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const LIMITS = limitsOf({ tokensPerDay: 1000 })
const ADMISSION: Admission = {
  keyId: 'laptop',
  limits: LIMITS,
  leaseId: 'r-1',
  tokens: 300,
  maxLeases: undefined,
}
const QUERY = { since: 0, by: 'key', keyId: undefined } as const

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'swapgate-stores-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

type Opened = { stores: Stores; warnings: string[] }

async function open(folder: string, file: string | null): Promise<Opened> {
  const warnings: string[] = []
  const stores = await openStores(
    { usage: { file, keepDays: 36_500 } },
    { configFile: join(folder, 'config.json'), clock: fakeClock() },
    (message) => void warnings.push(message),
  )
  return { stores, warnings }
}

/** Uses both stores; gives what they hold. */
async function use({ stores }: Opened): Promise<unknown> {
  await stores.limits.admit(ADMISSION)
  stores.usage.append(usageRecord({ keyId: 'laptop' }))
  await stores.usage.flush()
  return held(stores)
}

async function held({ limits, usage }: Stores): Promise<unknown> {
  const { tokens } = await limits.peek('laptop', LIMITS)
  const totals = await usage.totals(QUERY)
  return { remaining: tokens?.remaining, requests: totals.map(({ requests }) => requests) }
}

const USED = { remaining: 700, requests: [1] }
const UNUSED = { remaining: 1000, requests: [] }

test('a file beside the configuration keeps usage and limits over a restart, and its folder is made', async () => {
  const folder = temporaryFolder()
  const before = await open(folder, './data/usage.sqlite')
  expect(await use(before)).toEqual(USED)
  await before.stores.close()
  expect(existsSync(join(folder, 'data/usage.sqlite'))).toBe(true)

  const after = await open(folder, './data/usage.sqlite')
  expect(await held(after.stores)).toEqual(USED)
  await after.stores.close()
  expect([before.warnings, after.warnings]).toEqual([[], []])
})

test('without a file both are kept in memory, which is not worth a word', async () => {
  const folder = temporaryFolder()
  const opened = await open(folder, null)
  expect(await use(opened)).toEqual(USED)
  await opened.stores.close()
  expect(await held((await open(folder, null)).stores)).toEqual(UNUSED)
  expect(opened.warnings).toEqual([])
})

test('a file that cannot be had is told, and the gate goes on in memory', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'usage.sqlite'))
  const opened = await open(folder, 'usage.sqlite')
  expect(await use(opened)).toEqual(USED)
  await opened.stores.close()
  expect(opened.warnings).toEqual([
    expect.stringContaining('usage.sqlite'),
    'usage and limits are kept in memory only, until the next start.',
  ])
})

test('a folder that cannot be made is told, too', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'data'), 'a file')
  const opened = await open(folder, './data/usage.sqlite')
  expect(await use(opened)).toEqual(USED)
  expect(opened.warnings.at(-1)).toBe(
    'usage and limits are kept in memory only, until the next start.',
  )
})

test('a second gate on the same file runs in memory, says why, and leaves the first one’s counters alone', async () => {
  const folder = temporaryFolder()
  const first = await open(folder, 'usage.sqlite')
  await use(first)
  const second = await open(folder, 'usage.sqlite')
  expect(await held(second.stores)).toEqual(UNUSED)
  expect(await use(second)).toEqual(USED)
  await second.stores.close()
  expect([first.warnings, second.warnings]).toEqual([
    [],
    [
      `Another gate is using ${join(folder, 'usage.sqlite')}. Stop it, or give this one a usage.file of its own.`,
      'usage and limits are kept in memory only, until the next start.',
    ],
  ])
  await first.stores.close()

  const third = await open(folder, 'usage.sqlite')
  expect([await held(third.stores), third.warnings]).toEqual([USED, []])
  await third.stores.close()
})

test('a file that could not be used is free for another gate', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'usage.sqlite'), 'no database at all\n'.repeat(100))
  const first = await open(folder, 'usage.sqlite')
  expect(first.warnings).toHaveLength(2)
  rmSync(join(folder, 'usage.sqlite'))
  const second = await open(folder, 'usage.sqlite')
  expect(second.warnings).toEqual([])
  await second.stores.close()
})

test('a path that begins with ~/ is one in the home directory', async () => {
  const [folder, home] = [temporaryFolder(), temporaryFolder()]
  vi.stubEnv('HOME', home)
  onTestFinished(() => void vi.unstubAllEnvs())
  const { stores } = await open(folder, '~/state/usage.sqlite')
  await stores.close()
  expect([existsSync(join(home, 'state/usage.sqlite')), existsSync(join(folder, '~'))]).toEqual([
    true,
    false,
  ])
})

test('what cannot be written at the end is told as lost', async () => {
  const folder = temporaryFolder()
  const { stores, warnings } = await open(folder, 'usage.sqlite')
  const other = new DatabaseSync(join(folder, 'usage.sqlite'))
  onTestFinished(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  await stores.limits.admit(ADMISSION)
  stores.usage.append(usageRecord())
  await stores.close()
  expect(warnings).toEqual([
    'what is left of the limits cannot be saved: database is locked; the next start will not know all that 1 keys have used',
    'usage cannot be written: database is locked; 1 records are lost',
  ])
})
