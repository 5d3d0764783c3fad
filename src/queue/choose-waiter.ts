import type { KeyShares } from './key-shares.ts'
import type { ResidentModel } from './resident-models.ts'
import type { Waiter } from './waiter.ts'

/** Whose turn it is. `jumps` says that somebody else's turn was put off to keep a session together. */
export type Choice = { waiter: Waiter; jumps: boolean }

export type ChoiceFacts = {
  shares: KeyShares
  /** The state of a model, where it is resident. */
  residentOf(model: string): ResidentModel | undefined
  /** Tokens by which a session may get ahead. */
  quantumTokens: number
}

/**
 * Chooses among requests that could start now, given in the order in which they came: the key that has had the least,
 * and of its requests the oldest. A session whose prompt is still in the model's cache goes first as long as that costs
 * the others no more than the quantum: neither other keys, nor other requests of the same key.
 */
export function chooseWaiter(able: readonly Waiter[], facts: ChoiceFacts): Choice | undefined {
  const first = leastServed(able, facts.shares)
  if (first === undefined) return undefined
  const resident = facts.residentOf(first.arrival.model)
  if (resident === undefined || resident.jumpedTokens >= facts.quantumTokens)
    return { waiter: first, jumps: false }
  const least = facts.shares.served(first.arrival.keyId)
  const cached = able.filter(({ arrival }) => {
    const ahead = facts.shares.served(arrival.keyId) - least
    return (
      arrival.model === resident.model &&
      ahead <= facts.quantumTokens / arrival.weight &&
      resident.recent.some(
        ({ keyId, session }) =>
          session !== undefined && session === arrival.session && keyId === arrival.keyId,
      )
    )
  })
  const waiter = leastServed(cached, facts.shares) ?? first
  return { waiter, jumps: waiter !== first }
}

/** The first of those whose key has had the least. */
function leastServed(waiters: readonly Waiter[], shares: KeyShares): Waiter | undefined {
  let best: Waiter | undefined
  let least = Infinity
  for (const waiter of waiters) {
    const served = shares.served(waiter.arrival.keyId)
    if (served >= least) continue
    best = waiter
    least = served
  }
  return best
}
