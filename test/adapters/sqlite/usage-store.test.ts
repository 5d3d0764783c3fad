import * as fc from 'fast-check'
import type { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import {
  createSqliteUsageStore,
  type SqliteUsageStore,
} from '../../../adapters/sqlite/usage-store.ts'
import { RETRY_MS } from '../../../adapters/sqlite/write-behind.ts'
import { createMemoryUsageStore } from '../../../src/usage/memory-usage-store.ts'
import type { UsageRecord } from '../../../src/usage/record.ts'
import { AT, usageRecord } from '../../contracts/usage-record.ts'
import { describeUsageStore, usageTotal } from '../../contracts/usage-store.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { openTemporary } from './open-temporary.ts'

const DAY_MS = 86_400_000
const ALL = { since: 0, by: 'model', keyId: undefined } as const

type Opened = {
  store: SqliteUsageStore
  database: DatabaseSync
  clock: FakeClock
  warnings: string[]
}

async function openStore(on?: Partial<Opened>): Promise<Opened> {
  const database = on?.database ?? (await openTemporary())
  const clock = on?.clock ?? fakeClock(AT)
  const warnings: string[] = []
  const warn = (message: string): void => void warnings.push(message)
  return {
    store: createSqliteUsageStore({ database, clock, keepDays: 30, warn }),
    database,
    clock,
    warnings,
  }
}

/** Rows on the disk, whatever still waits in memory. */
function rowsIn(database: DatabaseSync): unknown {
  return database.prepare('SELECT count(*) AS rows FROM usage_record').get()?.['rows']
}

describeUsageStore('a store in SQLite', async () => (await openStore()).store)

describe('a record', () => {
  test('is written half a second later, in a transaction with others', async () => {
    const { store, database, clock } = await openStore()
    store.append(usageRecord())
    store.append(usageRecord())
    expect(rowsIn(database)).toBe(0)
    await clock.advance(500)
    expect([rowsIn(database), clock.pending()]).toEqual([2, 0])
  })

  test('is kept with all that is known of it', async () => {
    const { store, database } = await openStore()
    store.append(usageRecord())
    await store.flush()
    expect({ ...database.prepare('SELECT * FROM usage_record').get() }).toEqual({
      request_id: 'r',
      at: AT,
      day: '2026-01-01',
      key_id: 'laptop',
      model: 'glm',
      dialect: 'openai',
      route: 'POST /v1/chat/completions',
      outcome: 'completed',
      status: 200,
      prompt_tokens: 100,
      cached_tokens: 40,
      completion_tokens: 7,
      estimated: 0,
      queue_ms: 5,
      ttft_ms: 20,
      duration_ms: 1_000,
      bytes_in: 300,
      bytes_out: 900,
    })
  })

  test('is still there for a store that is opened later', async () => {
    const { store, database } = await openStore()
    store.append(usageRecord())
    await store.flush()
    const later = await openStore({ database })
    expect(await later.store.totals(ALL)).toEqual([usageTotal('glm', 1)])
  })

  test.each([[Number.NaN], [Infinity], [-Infinity], [1e300]])(
    'with the impossible number %d counts as 0 there and holds nothing up',
    async (number) => {
      const { store, warnings } = await openStore()
      store.append(usageRecord({ durationMs: number, queueMs: 2.4 }))
      expect([await store.totals(ALL), warnings]).toEqual([
        [usageTotal('glm', 1, { durationMs: 0, queueMs: 2 })],
        [],
      ])
    },
  )

  test('with an impossible number counts as 0 while it waits, too', async () => {
    const { store, database } = await openStore()
    database.exec('PRAGMA query_only = 1')
    store.append(usageRecord({ durationMs: Number.NaN, queueMs: 2.4 }))
    expect(await store.totals(ALL)).toEqual([usageTotal('glm', 1, { durationMs: 0, queueMs: 2 })])
  })

  test('is found through an index', async () => {
    const { database } = await openStore()
    const planOf = (where: string): unknown =>
      database.prepare(`EXPLAIN QUERY PLAN SELECT * FROM usage_record WHERE ${where}`).get()?.[
        'detail'
      ]
    expect([planOf('at >= 1'), planOf("at >= 1 AND key_id = 'a'"), planOf('at < 1')]).toEqual([
      'SEARCH usage_record USING INDEX usage_record_at (at>?)',
      'SEARCH usage_record USING INDEX usage_record_key_at (key_id=? AND at>?)',
      'SEARCH usage_record USING INDEX usage_record_at (at<?)',
    ])
  })
})

const anyRecord: fc.Arbitrary<UsageRecord> = fc
  .record({
    at: fc.integer({ min: AT - 5, max: AT + 5 }),
    day: fc.constantFrom('2026-01-01', '2026-01-02'),
    keyId: fc.constantFrom('a', 'b', 'c'),
    model: fc.constantFrom(undefined, 'x', 'y', 'Z'),
    outcome: fc.constantFrom('completed', 'client-closed', 'upstream-failed', 'refused'),
    tokens: fc.option(
      fc.record({ prompt: fc.nat(), cached: fc.nat(), completion: fc.nat(), exact: fc.boolean() }),
      { nil: undefined },
    ),
    queueMs: fc.option(fc.nat(), { nil: undefined }),
    durationMs: fc.nat(),
    bytesIn: fc.nat(),
    bytesOut: fc.nat(),
  })
  .map((fields) => usageRecord(fields))

test.each([
  ['whatever happened', false],
  ['also of records that wait because the disk fails', true],
])('sums are those of a store in memory, %s', async (_, isFailing) => {
  const { store, database } = await openStore()
  const anyQuery = fc.record({
    since: fc.integer({ min: AT - 6, max: AT + 6 }),
    by: fc.constantFrom('key', 'model', 'day'),
    keyId: fc.constantFrom(undefined, 'a', 'd'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(anyRecord), fc.nat(), anyQuery, async (records, cut, query) => {
      database.exec('PRAGMA query_only = 0')
      await store.flush()
      database.exec('DELETE FROM usage_record')
      const memory = createMemoryUsageStore()
      for (const [index, record] of records.entries()) {
        if (index === cut % records.length) {
          await store.flush()
          database.exec(`PRAGMA query_only = ${Number(isFailing)}`)
        }
        store.append(record)
        memory.append(record)
      }
      expect(await store.totals(query)).toEqual(await memory.totals(query))
    }),
  )
})

describe('records older than keepDays', () => {
  test('are deleted when the store is opened, to the millisecond', async () => {
    const { store, database, clock } = await openStore()
    store.append(usageRecord({ at: AT, model: 'old' }))
    store.append(usageRecord({ at: AT + 1, model: 'young' }))
    await store.flush()
    await clock.advance(30 * DAY_MS + 1)
    const later = await openStore({ database, clock })
    expect(await later.store.totals(ALL)).toEqual([usageTotal('young', 1)])
  })

  test('are deleted once a day while the store is open', async () => {
    const { store, database, clock } = await openStore()
    const agesIn = (): unknown[] =>
      database
        .prepare('SELECT at FROM usage_record ORDER BY at')
        .all()
        .map(({ at }) => (Number(at) - AT) / DAY_MS)
    const appendAt = async (days: number): Promise<void> => {
      store.append(usageRecord({ at: AT + days * DAY_MS }))
      await store.flush()
    }
    await appendAt(-29.5)
    await appendAt(-28.5)
    await clock.advance(0.75 * DAY_MS)
    await appendAt(0.75)
    expect(agesIn()).toEqual([-29.5, -28.5, 0.75])
    await clock.advance(0.25 * DAY_MS)
    await appendAt(1)
    expect(agesIn()).toEqual([-28.5, 0.75, 1])
    await clock.advance(0.75 * DAY_MS)
    await appendAt(1.75)
    expect(agesIn()).toEqual([-28.5, 0.75, 1, 1.75])
    await clock.advance(0.25 * DAY_MS)
    await appendAt(2)
    expect([agesIn(), clock.pending()]).toEqual([[0.75, 1, 1.75, 2], 0])
  })

  test('that cannot be deleted are told, and deleted when it works again', async () => {
    const { store, database, clock } = await openStore()
    store.append(usageRecord())
    await store.flush()
    await clock.advance(31 * DAY_MS)
    database.exec('PRAGMA query_only = 1')
    const later = await openStore({ database, clock })
    expect(later.warnings).toEqual([
      'old usage cannot be deleted: attempt to write a readonly database',
    ])
    database.exec('PRAGMA query_only = 0')
    later.store.append(usageRecord({ at: clock.now(), model: 'new' }))
    await later.store.flush()
    expect([await later.store.totals(ALL), later.warnings.length]).toEqual([
      [usageTotal('new', 1)],
      1,
    ])
  })
})

function pagesOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA page_count').get()?.['page_count'])
}

describe('a disk that fails', () => {
  test('because it is full never stops a request, is told, and loses nothing when there is room', async () => {
    const { store, database, clock, warnings } = await openStore()
    store.append(usageRecord())
    await store.flush()
    database.exec(`PRAGMA max_page_count = ${pagesOf(database)}`)
    for (let i = 0; i < 1_000; i++) store.append(usageRecord())
    await clock.advance(500)
    await store.flush()

    expect([await store.totals(ALL), warnings]).toEqual([
      [usageTotal('glm', 1_001)],
      ['usage cannot be written: database or disk is full; 1000 records wait'],
    ])

    database.exec('PRAGMA max_page_count = 100000')
    await clock.advance(RETRY_MS)
    expect([rowsIn(database), clock.pending()]).toEqual([1_001, 0])
    expect([await store.totals(ALL), warnings.slice(1)]).toEqual([
      [usageTotal('glm', 1_001)],
      ['usage is written again'],
    ])
  })

  test.each<[string, string, string, string]>([
    [
      'read-only',
      'PRAGMA query_only = 1',
      'PRAGMA query_only = 0',
      'attempt to write a readonly database',
    ],
    [
      'without the table',
      'ALTER TABLE usage_record RENAME TO moved',
      'ALTER TABLE moved RENAME TO usage_record',
      'no such table: usage_record',
    ],
  ])('because it is %s never stops a request and heals', async (...row) => {
    const [, harm, heal, cause] = row
    const { store, database, clock, warnings } = await openStore()
    database.exec(harm)
    store.append(usageRecord())
    await store.flush()
    expect(warnings).toEqual([`usage cannot be written: ${cause}; 1 records wait`])
    database.exec(heal)
    await clock.advance(RETRY_MS)
    expect(await store.totals(ALL)).toEqual([usageTotal('glm', 1)])
  })

  test('at the end is told with the number of records that are lost', async () => {
    const { store, database, warnings } = await openStore()
    database.exec('PRAGMA query_only = 1')
    store.append(usageRecord())
    await store.flush()
    store.append(usageRecord())
    store.close()
    expect(warnings).toEqual([
      'usage cannot be written: attempt to write a readonly database; 1 records wait',
      'usage cannot be written: attempt to write a readonly database; 2 records are lost',
    ])
  })

  test('because another process holds it is waited for only a moment', async () => {
    const { store, database, clock, warnings } = await openStore()
    const file = String(database.prepare('PRAGMA database_list').get()?.['file'])
    const other = await openTemporary(file)
    other.exec('BEGIN IMMEDIATE')
    store.append(usageRecord())
    await store.flush()
    expect(database.prepare('PRAGMA busy_timeout').get()).toEqual({ timeout: 50 })
    expect(warnings).toEqual(['usage cannot be written: database is locked; 1 records wait'])
    other.exec('ROLLBACK')
    await clock.advance(RETRY_MS)
    expect(rowsIn(database)).toBe(1)
  })

  test('even for good, after the database was closed, never stops a request', async () => {
    const { store, database, warnings } = await openStore()
    database.close()
    store.append(usageRecord())
    await store.flush()
    expect(warnings).toEqual([
      expect.stringMatching(/^usage cannot be written: .+; 1 records wait$/),
    ])
    await expect(store.totals(ALL)).rejects.toThrow('database is not open')
  })
})
