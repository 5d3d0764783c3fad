import type { QueueRules } from './arrival.ts'
import type { ResidentModel } from './resident-models.ts'
import type { Waiter } from './waiter.ts'

/** How long a busy model stays, and how soon an idle one may go. */
type SwapRules = Pick<QueueRules, 'maxModelWaitMs' | 'minResidencyMs' | 'idleMs'>

/** From when on the models in the way have been there long enough; Infinity while one of them still loads for somebody. */
export function residencyEndsAt(inTheWay: readonly ResidentModel[], rules: SwapRules): number {
  return latest(inTheWay, (resident) =>
    // Upstream does not stop a load that has begun: to give it up would cost its whole time and serve nobody.
    resident.running > 0 && !resident.isLoaded ? Infinity : resident.since + rules.minResidencyMs,
  )
}

/** From when on models that are in the way, busy or not, get no new requests, so that they can be swapped for the waiter's. */
export function drainAt(
  waiter: Waiter,
  inTheWay: readonly ResidentModel[],
  rules: SwapRules,
): number {
  return Math.max(waiter.since + rules.maxModelWaitMs, residencyEndsAt(inTheWay, rules))
}

/** From when on models in the way that have nothing to do can be swapped for the waiter's; Infinity while one is busy. */
export function swapAt(
  waiter: Waiter,
  inTheWay: readonly ResidentModel[],
  rules: SwapRules,
): number {
  return latest(inTheWay, (resident) => {
    if (resident.running > 0) return Infinity
    if (resident.lastKey === waiter.arrival.keyId) return -Infinity
    return Math.min(resident.idleSince + rules.idleMs, resident.since + rules.minResidencyMs)
  })
}

function latest(
  models: readonly ResidentModel[],
  timeOf: (resident: ResidentModel) => number,
): number {
  return models.reduce((time, resident) => Math.max(time, timeOf(resident)), -Infinity)
}
