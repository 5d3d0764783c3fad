import { waitUntil } from 'cloudflare:workers'
import type { UsageStore } from '../../src/usage/usage-store.ts'
import { askObject } from './ask-object.ts'
import { retryOnce } from './retry-once.ts'
import type { UsageObject } from './usage-object.ts'
import type { Patience } from './within-time.ts'

export type ObjectUsageOptions = {
  namespace: Pick<DurableObjectNamespace<UsageObject>, 'get' | 'idFromName'>
  /** Records older than this are deleted, once a day. */
  keepDays: number
  /** When an object that does not answer with its sums is given up. */
  patience: Patience
  /** Told when a record could not be written; nothing else comes of it, since usage must never stop a request. */
  warn: (message: string) => void
}

/** All Workers of the gate write into the same object. */
const NAME = 'usage'

/** Keeps usage in one Durable Object. Each record is on its way at once, and nobody waits for it. */
export function createObjectUsageStore({
  namespace,
  keepDays,
  patience,
  warn,
}: ObjectUsageOptions): UsageStore {
  // A stub belongs to the request that got it.
  const object = (): DurableObjectStub<UsageObject> => namespace.get(namespace.idFromName(NAME))
  const lost = (error: unknown): void => warn(`a usage record is lost: ${String(error)}`)
  return {
    append(record) {
      try {
        const write = (isAgain: boolean): Promise<void> =>
          object().append(record, keepDays, isAgain)
        waitUntil(retryOnce(write).catch(lost))
      } catch (error) {
        lost(error)
      }
    },
    totals: (query) => askObject(async () => object().totals(query), patience),
    // Promises of other requests must not be waited for here; what they wrote is on its way.
    flush: async () => {},
  }
}
