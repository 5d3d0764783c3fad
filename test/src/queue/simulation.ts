import type { Decision } from '../../../src/queue/arrival.ts'
import { arrival } from './arrivals.ts'
import type { Policy } from './policies.ts'

/** One who sends requests of one size to one model. `everyMs` is the mean time between two, or from an end to the next. */
export type Client = {
  group: string
  keyId: string
  model: string
  promptTokens: number
  outputTokens: number
  everyMs: number
  /** An agent sends its next request when the last one has ended; a crowd does not wait for answers. */
  isAgent: boolean
}

/** What became of the requests of one group. Waits are in milliseconds, from arrival until the model works on it. */
export type GroupResult = { sent: number; served: number; waits: number[] }

export type Result = { outputTokens: number; swaps: number; groups: Map<string, GroupResult> }

type Request = { client: Client; arrivedAt: number }
type Event = { at: number; run: () => void }

const PROMPT_TOKENS_PER_MS = 2
const OUTPUT_TOKENS_PER_MS = 0.04
/** How long it takes to put a model in the place of another. */
export const SWAP_MS = 20_000

const HEAVY_AGENT: Client = {
  group: 'heavy',
  keyId: 'heavy',
  model: 'a',
  promptTokens: 4_000,
  outputTokens: 600,
  everyMs: 0,
  isAgent: true,
}

/** The load of a small household: one user's four agents, a chat on the same model, and somebody on another model. */
export const HOUSEHOLD: Client[] = [
  HEAVY_AGENT,
  HEAVY_AGENT,
  HEAVY_AGENT,
  HEAVY_AGENT,
  {
    group: 'chat',
    keyId: 'chat',
    model: 'a',
    promptTokens: 1_000,
    outputTokens: 300,
    everyMs: 40_000,
    isAgent: false,
  },
  {
    group: 'b',
    keyId: 'b',
    model: 'b',
    promptTokens: 2_000,
    outputTokens: 400,
    everyMs: 90_000,
    isAgent: false,
  },
]

/** How long one request keeps its slot, in milliseconds. */
export function serviceMs({ promptTokens, outputTokens }: Client): number {
  return promptTokens / PROMPT_TOKENS_PER_MS + outputTokens / OUTPUT_TOKENS_PER_MS
}

/** Plays `ms` of virtual time with one policy in front of a box that holds one model at a time. */
export function simulate(policy: Policy, clients: readonly Client[], run: Run): Result {
  return new Simulation(policy, run).play(clients)
}

export type Run = { seed: number; ms: number }

class Simulation {
  readonly #policy: Policy
  readonly #endAt: number
  readonly #random: () => number
  readonly #events: Event[] = []
  readonly #requests = new Map<string, Request>()
  readonly #result: Result = { outputTokens: 0, swaps: 0, groups: new Map() }
  #now = 0
  #ids = 0
  #loaded: string | undefined
  #readyAt = 0
  #running = 0

  constructor(policy: Policy, { seed, ms }: Run) {
    this.#policy = policy
    this.#endAt = ms
    this.#random = randomFrom(seed)
  }

  play(clients: readonly Client[]): Result {
    for (const client of clients) {
      this.#result.groups.set(client.group, { sent: 0, served: 0, waits: [] })
      this.#later(this.#pause(client), () => this.#send(client))
    }
    for (;;) {
      const event = this.#next()
      const wakeAt = this.#policy.nextWakeAt() ?? Infinity
      const at = Math.min(event?.at ?? Infinity, wakeAt)
      if (at > this.#endAt) return this.#result
      if (wakeAt < this.#now) throw new Error('the policy wants to be woken in the past')
      this.#now = at
      if (event?.at === at) {
        this.#events.splice(this.#events.indexOf(event), 1)
        event.run()
      } else this.#apply(this.#policy.wake(at))
    }
  }

  #next(): Event | undefined {
    let first: Event | undefined
    for (const event of this.#events) if (first === undefined || event.at < first.at) first = event
    return first
  }

  #later(ms: number, run: () => void): void {
    this.#events.push({ at: this.#now + Math.max(1, Math.round(ms)), run })
  }

  #pause({ everyMs }: Client): number {
    return -Math.log(1 - this.#random()) * everyMs
  }

  #groupOf({ group }: Client): GroupResult {
    const found = this.#result.groups.get(group)
    if (found === undefined) throw new Error(`no group ${group}`)
    return found
  }

  #send(client: Client): void {
    const { keyId, model, promptTokens, outputTokens } = client
    const id = `${this.#ids++}`
    this.#requests.set(id, { client, arrivedAt: this.#now })
    this.#groupOf(client).sent++
    if (!client.isAgent) this.#later(this.#pause(client), () => this.#send(client))
    // An estimate knows the prompt, and of the answer only that it may be long.
    const tokens = promptTokens + Math.round(outputTokens * (0.5 + this.#random()))
    this.#apply(this.#policy.arrive(arrival(id, { keyId, model, tokens }), this.#now))
  }

  #apply(decisions: readonly Decision[]): void {
    for (const { kind, id } of decisions) {
      if (kind === 'refuse') throw new Error('nobody is refused in a simulation')
      this.#start(id)
    }
  }

  #start(id: string): void {
    const { client, arrivedAt } = this.#take(id)
    if (client.model !== this.#loaded) {
      if (this.#running > 0) throw new Error('a model was put out while it was busy')
      if (this.#loaded !== undefined) this.#result.swaps++
      this.#loaded = client.model
      this.#readyAt = this.#now + SWAP_MS
    }
    this.#running++
    const begins = Math.max(0, this.#readyAt - this.#now)
    this.#groupOf(client).waits.push(this.#now + begins - arrivedAt)
    this.#later(begins + client.promptTokens / PROMPT_TOKENS_PER_MS, () => {
      this.#apply(this.#policy.answered(id, this.#now))
    })
    this.#later(begins + serviceMs(client), () => this.#finish(id, client))
  }

  #take(id: string): Request {
    const request = this.#requests.get(id)
    if (request === undefined) throw new Error(`${id} is started twice`)
    this.#requests.delete(id)
    return request
  }

  #finish(id: string, client: Client): void {
    this.#running--
    this.#result.outputTokens += client.outputTokens
    this.#groupOf(client).served++
    if (client.isAgent) this.#later(this.#pause(client), () => this.#send(client))
    const tokens = client.promptTokens + client.outputTokens
    this.#apply(this.#policy.finish(id, tokens, this.#now))
  }
}

/** The value below which `share` of the values lie; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const ordered = values.toSorted((one, other) => one - other)
  return ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * share))] ?? 0
}

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
