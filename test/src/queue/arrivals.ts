import type { Arrival, QueueRules, SeenModels } from '../../../src/queue/arrival.ts'
import type { ResidentModel } from '../../../src/queue/resident-models.ts'

/** A request of a key that may do everything; what a test is about is given. */
export function arrival(id: string, given: Partial<Arrival> = {}): Arrival {
  return {
    id,
    keyId: 'key',
    presentedKey: given.keyId ?? 'key',
    weight: 1,
    session: undefined,
    model: 'a',
    needsSlot: true,
    tokens: 100,
    swap: 'evict',
    maxWaiting: 100,
    maxRunning: undefined,
    ...given,
  }
}

/** One slot per model; 60 s of patience for the model, 45 s of residency, 5 s until a model is idle. */
export const RULES: QueueRules = {
  slotsFor: () => 1,
  limitFor: () => Infinity,
  maxWaiting: 100,
  maxWaitMs: 600_000,
  maxModelWaitMs: 60_000,
  minResidencyMs: 45_000,
  idleMs: 5_000,
  quantumTokens: 0,
}

/** A model that was loaded at 0 and has nothing to do since; what a test is about is given. */
export function resident(model: string, given: Partial<ResidentModel>): ResidentModel {
  return {
    model,
    running: 0,
    slotsTaken: 0,
    isLoaded: true,
    since: 0,
    idleSince: 0,
    lastKey: undefined,
    recent: [],
    jumpedTokens: 0,
    ...given,
  }
}

/** What upstream says where all that is loaded is ready. */
export function ready(...models: string[]): SeenModels {
  return { loaded: models, ready: models }
}
