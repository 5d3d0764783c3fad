import { waitUntil } from 'cloudflare:workers'
import type { KeyLimits } from '../../src/limit/key-limits.ts'
import type { Lease, LimitStore, Standing } from '../../src/limit/limit-store.ts'
import { askObject } from './ask-object.ts'
import type { LimitObject } from './limit-object.ts'
import { retryOnce } from './retry-once.ts'
import type { Patience } from './within-time.ts'

type LimitStub = DurableObjectStub<LimitObject>

/** A namespace, as far as a store needs it. */
type Limits = Pick<DurableObjectNamespace<LimitObject>, 'get' | 'idFromName'>

const NOTHING_TO_TELL: Standing = { requests: undefined, tokens: undefined }

/**
 * Keeps limits in one Durable Object per key, so that they hold over all machines that run the Worker.
 *
 * @param patience when an object that does not answer is given up
 */
export function createObjectLimitStore(namespace: Limits, patience: Patience): LimitStore {
  // A stub belongs to the request that got it.
  const objectOf = (keyId: string): LimitStub => namespace.get(namespace.idFromName(keyId))
  const tell = (keyId: string, say: (object: LimitStub) => Promise<void>): Promise<void> => {
    const told = retryOnce(() => say(objectOf(keyId)))
    // The end of a request is told when its answer is out, or its client gone: nothing else keeps it alive for this.
    waitUntil(told.catch(() => undefined))
    return told
  }
  const ask = <T>(keyId: string, question: (object: LimitStub) => Promise<T>): Promise<T> =>
    askObject(() => question(objectOf(keyId)), patience)
  const release = (lease: Lease): Promise<void> =>
    tell(lease.keyId, (object) => object.release(lease))
  return {
    async admit(admission) {
      const { keyId, limits, leaseId } = admission
      try {
        return await ask(keyId, async (object) => object.admit(admission))
      } catch (error) {
        // Only the answer may have been lost: what was taken is given back. It fails where this did.
        release({ keyId, limits, leaseId }).catch(() => {})
        throw error
      }
    },
    renew: (lease) => tell(lease.keyId, (object) => object.renew(lease)),
    settle: (lease, tokens) => tell(lease.keyId, (object) => object.settle(lease, tokens)),
    release,
    peek: (keyId, limits) =>
      hasSomethingToTell(limits)
        ? ask(keyId, async (object) => object.peek(limits))
        : NOTHING_TO_TELL,
  }
}

/** Whether any of the limits has a standing; how many requests run at the same time has none. */
function hasSomethingToTell({
  requestsPerMinute,
  tokensPerMinute,
  tokensPerDay,
}: KeyLimits): boolean {
  return (requestsPerMinute ?? tokensPerMinute ?? tokensPerDay) !== undefined
}
