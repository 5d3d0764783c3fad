import { LimitObject } from '../../../../adapters/cloudflare/limit-object.ts'
import { createObjectLimitStore } from '../../../../adapters/cloudflare/limit-store.ts'
import { UsageObject } from '../../../../adapters/cloudflare/usage-object.ts'
import { createObjectUsageStore } from '../../../../adapters/cloudflare/usage-store.ts'
import { workerClock } from '../../../../adapters/cloudflare/worker-clock.ts'
import { PATIENCE_MS } from '../../../../adapters/cloudflare/within-time.ts'
import type { KeyLimits } from '../../../../src/limit/key-limits.ts'
import type { Admission, Lease } from '../../../../src/limit/limit-store.ts'
import type { UsageRecord } from '../../../../src/usage/record.ts'
import type { UsageQuery } from '../../../../src/usage/usage-store.ts'

/** A Worker that lets a test call the real stores, whose objects go by the test's time. */

/** One call; the members are named as the parameters of the stores' functions. */
export type Call =
  | { call: 'admit'; admission: Admission }
  | { call: 'renew' | 'release'; lease: Lease }
  | { call: 'settle'; lease: Lease; tokens: number }
  | { call: 'peek'; keyId: string; limits: KeyLimits }
  | { call: 'append'; records: UsageRecord[] }
  | { call: 'totals'; query: UsageQuery }
  | { call: 'flush' }
  /** Looks into the object of a key, or of the usage, once its alarm has rung. */
  | { call: 'look'; keyId: string | undefined; alarm: boolean }

/** `now` in epoch milliseconds; names of objects begin with `prefix`. */
export type Question = Call & { now: number; prefix: string }

/** What an object keeps: its usage records and its other values. */
export type Looked = { hasAlarm: boolean; rows: number }

let now = 0
const clock = { now: () => now }

const PATIENCE = { ms: PATIENCE_MS, clock: workerClock }

class TimedLimitObject extends LimitObject {
  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env, clock)
  }

  look(alarm: boolean): Promise<Looked> {
    return look(this.ctx, alarm ? () => this.alarm() : undefined)
  }
}

class TimedUsageObject extends UsageObject {
  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env, clock)
  }

  look(alarm: boolean): Promise<Looked> {
    return look(this.ctx, alarm ? () => this.alarm() : undefined)
  }
}

/** Rings the alarm, which is hours away, where one is given. */
async function look(
  { storage }: DurableObjectState,
  alarm: (() => Promise<void>) | undefined,
): Promise<Looked> {
  if (alarm) await storage.deleteAlarm()
  await alarm?.()
  const tables = storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'usage_record'")
  const isEmpty = tables.toArray().length === 0
  const records = isEmpty ? [] : storage.sql.exec('SELECT 1 FROM usage_record').toArray()
  return {
    hasAlarm: (await storage.getAlarm()) !== null,
    rows: records.length + [...storage.kv.list()].length,
  }
}

// The names of wrangler.toml.
export { TimedLimitObject as LimitObject, TimedUsageObject as UsageObject }

type Env = {
  LIMITS: DurableObjectNamespace<TimedLimitObject>
  USAGE: DurableObjectNamespace<TimedUsageObject>
}

async function answer(question: Question, { LIMITS, USAGE }: Env): Promise<unknown> {
  const { prefix } = question
  const limits = createObjectLimitStore(
    {
      get: (id) => LIMITS.get(id),
      idFromName: (name) => LIMITS.idFromName(prefix + name),
    },
    PATIENCE,
  )
  const usage = createObjectUsageStore({
    namespace: {
      get: (id) => USAGE.get(id),
      idFromName: (name) => USAGE.idFromName(prefix + name),
    },
    keepDays: 30,
    patience: PATIENCE,
    warn: (message) => console.error(message),
  })
  switch (question.call) {
    case 'admit':
      return limits.admit(question.admission)
    case 'renew':
      return limits.renew(question.lease)
    case 'release':
      return limits.release(question.lease)
    case 'settle':
      return limits.settle(question.lease, question.tokens)
    case 'peek':
      return limits.peek(question.keyId, question.limits)
    case 'append':
      return question.records.forEach((record) => usage.append(record))
    case 'totals':
      return usage.totals(question.query)
    case 'flush':
      return usage.flush()
    case 'look':
      return question.keyId === undefined
        ? USAGE.get(USAGE.idFromName(`${prefix}usage`)).look(question.alarm)
        : LIMITS.get(LIMITS.idFromName(prefix + question.keyId)).look(question.alarm)
  }
}

const handler: ExportedHandler<Env> = {
  async fetch(request, env) {
    const question = await request.json<Question>()
    now = question.now
    const answered = await answer(question, env)
    return Response.json(answered ?? null)
  },
}

// oxlint-disable-next-line import/no-default-export -- the platform asks for it
export default handler
