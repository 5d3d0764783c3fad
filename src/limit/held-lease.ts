import type { Deps } from '../deps.ts'
import type { Awaitable, Lease } from './limit-store.ts'
import { LEASE_MS } from './policy.ts'

/** A lease for as long as its request lives: it ends once, by one of the two. */
export type HeldLease = {
  /** The request used so many tokens. */
  settle(tokens: number): void
  /** The request never got anywhere: what it took is given back. */
  release(): void
}

/** Renews a lease until its request has ended. A process that was killed renews nothing, so what it held becomes free. */
export function holdLease(
  { limits, clock, logger }: Pick<Deps, 'limits' | 'clock' | 'logger'>,
  lease: Lease,
): HeldLease {
  let cancel: (() => void) | undefined
  let isOver = false
  const arm = (): void => {
    cancel = clock.setTimer(LEASE_MS / 2, () => {
      void run(() => limits.renew(lease))
      arm()
    })
  }
  arm()
  // A store that fails must not fail the answer; what it did not learn ends with the lease.
  const run = async (step: () => Awaitable<void>): Promise<void> => {
    try {
      await step()
    } catch (error) {
      logger.failure(lease.leaseId, error)
    }
  }
  const once = (end: () => Awaitable<void>): void => {
    if (isOver) return
    isOver = true
    cancel?.()
    void run(end)
  }
  return {
    settle: (tokens) => once(() => limits.settle(lease, tokens)),
    release: () => once(() => limits.release(lease)),
  }
}
