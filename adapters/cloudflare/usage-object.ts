import { DurableObject } from 'cloudflare:workers'
import type { Clock } from '../../src/deps.ts'
import type { UsageRecord } from '../../src/usage/record.ts'
import type { UsageQuery, UsageTotal } from '../../src/usage/usage-store.ts'
import { KeptUsage } from './kept-usage.ts'
import { workerClock } from './worker-clock.ts'

const KEEP_DAYS = 'keep-days'

/** Between two deletions of what is too old. */
const SWEEP_EVERY_MS = 86_400_000

/** The Durable Object that keeps all usage records, in one SQLite table. */
export class UsageObject extends DurableObject<unknown> {
  readonly #usage: KeptUsage
  #isSweepSet = false

  constructor(ctx: DurableObjectState, env: unknown, clock: Pick<Clock, 'now'> = workerClock) {
    super(ctx, env)
    const { sql } = ctx.storage
    this.#usage = new KeptUsage((statements, ...values) => sql.exec(statements, ...values), clock)
  }

  /**
   * Writes a record.
   *
   * @param keepDays how long usage is kept; only the Worker knows the configuration
   * @param isAgain it may have been written already, and the answer got lost
   */
  async append(record: UsageRecord, keepDays: number, isAgain: boolean): Promise<void> {
    this.#usage.append(record, isAgain)
    const { storage } = this.ctx
    if (storage.kv.get(KEEP_DAYS) !== keepDays) storage.kv.put(KEEP_DAYS, keepDays)
    if (this.#isSweepSet) return
    this.#isSweepSet = true
    // One that is set stays: an object that is often put to sleep would else never get to it.
    if ((await storage.getAlarm()) === null) await this.#sweepLater()
  }

  totals(query: UsageQuery): UsageTotal[] {
    return this.#usage.totals(query)
  }

  /** Deletes what is too old; where nothing is left everything goes, and costs nothing. */
  override async alarm(): Promise<void> {
    const { storage } = this.ctx
    const keepDays = storage.kv.get<number>(KEEP_DAYS)
    if (keepDays !== undefined && this.#usage.sweep(keepDays)) return this.#sweepLater()
    this.#isSweepSet = false
    await storage.deleteAll()
  }

  async #sweepLater(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + SWEEP_EVERY_MS)
  }
}
