import type { LimitStore } from '../../../src/limit/limit-store.ts'
import type { UsageRecord } from '../../../src/usage/record.ts'
import type { UsageStore } from '../../../src/usage/usage-store.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'
import type { Call, Looked, Question } from './programs/stores.ts'
import { bundle, startWorker } from './start-worker.ts'

/** The stores of a Worker, which run on workerd and go by a test's clock. */
export type TimedStores = {
  /** An empty store. */
  limits(
    clock: FakeClock,
  ): LimitStore & { look: (keyId: string, ring?: 'alarm') => Promise<Looked> }
  /** An empty store; without a clock its time stands still. */
  usage(clock?: FakeClock): UsageStore & { look: (ring?: 'alarm') => Promise<Looked> }
  stop(): Promise<void>
}

/** Starts a Worker that does nothing but call the stores. Each call is a request of its own. */
export async function startTimedStores(): Promise<TimedStores> {
  const { script } = await bundle({ entryPoints: ['test/adapters/cloudflare/programs/stores.ts'] })
  const worker = await startWorker({ script })
  let opened = 0

  async function ask(question: Question) {
    // A connection each: workerd closes one that it has not read from for five seconds, even if it was too busy to read.
    const headers = { connection: 'close' }
    const body = JSON.stringify(question)
    const answer = await fetch(worker.url, { method: 'POST', headers, body })
    if (!answer.ok) throw new Error(await answer.text())
    return JSON.parse(await answer.text())
  }
  function asker(clock: FakeClock) {
    const prefix = `${opened++}/`
    return (call: Call) => ask({ ...call, prefix, now: clock.now() })
  }

  return {
    limits(clock) {
      const call = asker(clock)
      return {
        admit: (admission) => call({ call: 'admit', admission }),
        renew: (lease) => call({ call: 'renew', lease }),
        settle: (lease, tokens) => call({ call: 'settle', lease, tokens }),
        release: (lease) => call({ call: 'release', lease }),
        peek: (keyId, limits) => call({ call: 'peek', keyId, limits }),
        look: (keyId, ring) => call({ call: 'look', keyId, alarm: ring === 'alarm' }),
      }
    },
    usage(clock = fakeClock()) {
      const call = asker(clock)
      // Requests may overtake each other on their way to the Worker; the calls of a test may not.
      let last: Promise<unknown> = Promise.resolve()
      let appended: UsageRecord[] = []
      const inTurn = (next: () => Call) => {
        const answered = last.then(() => call(next()))
        last = answered
        return answered
      }
      return {
        append(record) {
          // What is appended at once goes in one request.
          if (appended.push(record) > 1) return
          void inTurn(() => {
            const records = appended
            appended = []
            return { call: 'append', records }
          })
        },
        totals: (query) => inTurn(() => ({ call: 'totals', query })),
        flush: () => inTurn(() => ({ call: 'flush' })),
        look: (ring) => inTurn(() => ({ call: 'look', keyId: undefined, alarm: ring === 'alarm' })),
      }
    },
    stop: () => worker.stop(),
  }
}
