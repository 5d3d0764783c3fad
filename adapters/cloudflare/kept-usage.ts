import type { Clock } from '../../src/deps.ts'
import type { UsageRecord } from '../../src/usage/record.ts'
import type { UsageQuery, UsageTotal } from '../../src/usage/usage-store.ts'
import {
  DELETE_USAGE_BEFORE,
  INSERT_USAGE,
  inWholeNumbers,
  totalOf,
  totalsStatement,
  USAGE_TABLE,
  valuesOf,
} from '../sqlite/usage-table.ts'

type Row = Record<string, unknown>

/** Runs SQL, one or several statements, and gives the rows of the last one. */
export type Sql = (statements: string, ...values: Array<string | number | null>) => Iterable<Row>

// The first two have an index.
const FIND = 'SELECT 1 FROM usage_record WHERE key_id = ? AND at = ? AND request_id = ?'

const DAY_MS = 86_400_000

/** The usage of all keys, in a database that it has to itself. */
export class KeptUsage {
  readonly #sql: Sql
  readonly #clock: Pick<Clock, 'now'>
  #hasTable: boolean

  constructor(sql: Sql, clock: Pick<Clock, 'now'>) {
    this.#sql = sql
    this.#clock = clock
    this.#hasTable = [...sql("SELECT 1 FROM sqlite_master WHERE name = 'usage_record'")].length > 0
  }

  /** `isAgain`: it may have been written already, and the answer got lost. */
  append(record: UsageRecord, isAgain: boolean): void {
    if (!this.#hasTable) this.#sql(USAGE_TABLE)
    this.#hasTable = true
    const whole = inWholeNumbers(record)
    if (!isAgain || !this.#has(whole)) this.#sql(INSERT_USAGE, ...valuesOf(whole))
  }

  totals(query: UsageQuery): UsageTotal[] {
    if (!this.#hasTable) return []
    const { sql, values } = totalsStatement(query)
    return [...this.#sql(sql, ...values)].map(totalOf)
  }

  /** Deletes what is older than so many days. False: nothing is left, and everything can go. */
  sweep(keepDays: number): boolean {
    if (!this.#hasTable) return false
    this.#sql(DELETE_USAGE_BEFORE, this.#clock.now() - keepDays * DAY_MS)
    this.#hasTable = [...this.#sql('SELECT 1 FROM usage_record LIMIT 1')].length > 0
    return this.#hasTable
  }

  #has({ keyId, at, requestId }: UsageRecord): boolean {
    return [...this.#sql(FIND, keyId, at, requestId)].length > 0
  }
}
