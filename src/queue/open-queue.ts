import type { Deps } from '../deps.ts'
import { ask, errorOfAsked, type Asking } from '../llama-swap/ask.ts'
import { USUAL_CONCURRENCY, type ModelConfig } from '../llama-swap/model-config.ts'
import type { ModelDirectory } from '../llama-swap/model-directory.ts'
import { readRunning } from '../llama-swap/read-running.ts'
import type { QueueConfig } from '../config/queue-schema.ts'
import type { QueueRules, Residency } from './arrival.ts'
import { Dispatcher, type Seen } from './dispatcher.ts'
import { FairQueue } from './fair-queue.ts'
import { createResidency } from './residency.ts'

/** The queue as it is configured, in front of llama-swap's models; undefined where it is turned off. */
export function openQueue(
  { config, clock }: Deps,
  directory: ModelDirectory,
  asking: Asking,
): Dispatcher | undefined {
  if (config.queue === false) return undefined
  const queue = new FairQueue(rulesOf(config.queue, directory), residencyOf(directory))
  return new Dispatcher(queue, clock, () => look(asking))
}

function rulesOf(queue: QueueConfig, directory: ModelDirectory): QueueRules {
  const { slots, slotsPerModel, ...rules } = queue
  const written = Object.entries(slots)
  const slotsFor = (model: string): number =>
    written.find(([name]) => directory.knownAs(name) === model)?.[1] ?? slotsPerModel
  return {
    ...rules,
    slotsFor,
    // llama-swap refuses what is over its own limit. Where its file cannot be read the owner's number is believed.
    limitFor: (model) =>
      directory.config().concurrency.get(model) ?? Math.max(USUAL_CONCURRENCY, slotsFor(model)),
  }
}

/** The rules of the groups, made again when llama-swap's configuration was read again. */
function residencyOf(directory: ModelDirectory): Residency {
  let config: ModelConfig | undefined
  let residency: Residency | undefined
  return {
    evicts(starting, loaded) {
      const latest = directory.config()
      if (latest !== config || !residency) {
        config = latest
        residency = createResidency(latest.groups, (model) => directory.isOfNoModelHere(model))
      }
      return residency.evicts(starting, loaded)
    },
  }
}

async function look(asking: Asking): Promise<Seen> {
  const answer = await ask(asking, '/running')
  const running = typeof answer === 'object' ? readRunning(answer.text) : undefined
  if (!running) return { failure: errorOfAsked(answer) }
  const inState = (...states: string[]): string[] =>
    running.filter(({ state }) => states.includes(state)).map(({ model }) => model)
  // A model that is being stopped is as good as gone.
  return { loaded: inState('starting', 'ready'), ready: inState('ready') }
}
