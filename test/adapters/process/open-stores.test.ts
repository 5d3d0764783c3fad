import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
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
