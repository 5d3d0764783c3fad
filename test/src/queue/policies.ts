import type { Arrival, Decision, QueueRules } from '../../../src/queue/arrival.ts'
import { FairQueue } from '../../../src/queue/fair-queue.ts'
import { createResidency } from '../../../src/queue/residency.ts'

/** The part of the queue that a simulation drives. */
export type Policy = Pick<FairQueue, 'arrive' | 'answered' | 'finish' | 'wake' | 'nextWakeAt'>

/** The gate's own queue with one model in memory at a time. */
export function fairQueue(rules: Pick<QueueRules, 'maxModelWaitMs' | 'minResidencyMs'>): Policy {
  const fixed = { maxWaiting: Infinity, maxWaitMs: Infinity, idleMs: 2_000, quantumTokens: 8_000 }
  const residency = createResidency([], () => false)
  return new FairQueue(
    { slotsFor: () => SLOTS, limitFor: () => Infinity, ...fixed, ...rules },
    residency,
  )
}

/** Requests that one model answers at the same time. */
export const SLOTS = 2

/** llama-swap's rule: the loaded model is served for as long as anybody wants it; others wait until it has nothing to do. */
export function loadedFirst(): Policy {
  return inOrder((waiting, loaded) => waiting.find(({ model }) => model === loaded) ?? waiting[0])
}

/** Nobody overtakes anybody. */
export function firstInFirstOut(): Policy {
  return inOrder((waiting) => waiting[0])
}

type Choose = (waiting: readonly Arrival[], loaded: string | undefined) => Arrival | undefined

/** Starts what `choose` names whenever its model is loaded and has a free slot, or nothing runs. */
function inOrder(choose: Choose): Policy {
  const waiting: Arrival[] = []
  const running = new Set<string>()
  let loaded: string | undefined
  function startAll(): Decision[] {
    const decisions: Decision[] = []
    for (;;) {
      const next = choose(waiting, loaded)
      if (!next || running.size >= (next.model === loaded ? SLOTS : 1)) return decisions
      loaded = next.model
      waiting.splice(waiting.indexOf(next), 1)
      running.add(next.id)
      decisions.push({ kind: 'start', id: next.id })
    }
  }
  return {
    arrive(arrival) {
      waiting.push(arrival)
      return startAll()
    },
    finish(id) {
      running.delete(id)
      return startAll()
    },
    answered: () => [],
    wake: () => [],
    nextWakeAt: () => undefined,
  }
}
