import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { KeptUsage, type Sql } from '../../../adapters/cloudflare/kept-usage.ts'
import { AT, usageRecord } from '../../contracts/usage-record.ts'
import { usageTotal } from '../../contracts/usage-store.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const ALL = { since: 0, by: 'model', keyId: undefined } as const

/** SQLite as a Durable Object has it: a statement has values, or there are several of them. */
function openSql(): Sql {
  const database = new DatabaseSync(':memory:')
  return (statements, ...values) => {
    if (!statements.includes(';')) return database.prepare(statements).all(...values)
    database.exec(statements)
    return []
  }
}

describe('usage', () => {
  test('goes on where it was when its object is started again', () => {
    const sql = openSql()
    new KeptUsage(sql, fakeClock()).append(usageRecord(), false)
    const again = new KeptUsage(sql, fakeClock())
    again.append(usageRecord(), false)
    expect(again.totals(ALL)).toEqual([usageTotal('glm', 2)])
  })

  test('that is sent again is counted once, and other usage each time', () => {
    const usage = new KeptUsage(openSql(), fakeClock())
    usage.append(usageRecord({ at: AT + 0.4 }), false)
    usage.append(usageRecord({ at: AT + 0.4 }), true)
    expect(usage.totals(ALL)).toEqual([usageTotal('glm', 1)])
    usage.append(usageRecord({ requestId: 'other' }), true)
    usage.append(usageRecord({ keyId: 'other' }), true)
    usage.append(usageRecord({ at: AT + 1 }), true)
    usage.append(usageRecord(), false)
    expect(usage.totals(ALL)).toEqual([usageTotal('glm', 5)])
  })

  test('that was never heard of before is taken where it is sent again', () => {
    const usage = new KeptUsage(openSql(), fakeClock())
    usage.append(usageRecord(), true)
    expect(usage.totals(ALL)).toEqual([usageTotal('glm', 1)])
  })
})
