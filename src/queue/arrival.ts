export const SWAP_RIGHTS = ['use', 'load', 'evict'] as const

/** What a key may do to models that are not loaded: only use loaded ones, load into free room, or put others out. */
export type SwapRight = (typeof SWAP_RIGHTS)[number]

/** A request that wants to be sent to upstream. */
export type Arrival = {
  id: string
  /** Who takes turns: the key, or its client where the key is that of a gate in front and tells of clients. */
  keyId: string
  /** The key that was presented; `maxRunning` counts all that it brings, whoever it is for. */
  presentedKey: string
  /** Share of the box relative to other keys. */
  weight: number
  /** Requests of one session share a prompt prefix in llama-server's cache. */
  session: string | undefined
  /** The model's own id. */
  model: string
  /** False for what upstream answers beside its slots, such as a count of tokens. */
  needsSlot: boolean
  /** Estimated tokens of the prompt and the answer. */
  tokens: number
  swap: SwapRight
  /** How many of the key's requests may wait, those that are allowed more of them not counted. */
  maxWaiting: number
  /** How many requests of the presented key may be answered at the same time; undefined: any number. */
  maxRunning: number | undefined
}

/** Why a request does not get its turn. */
export type QueueRefusal = 'queue-full' | 'key-queue-full' | 'waited-too-long' | 'model-not-loaded'

/** What is to happen now. */
export type Decision =
  | { kind: 'start'; id: string }
  | { kind: 'refuse'; id: string; why: QueueRefusal }

/** What llama-swap has in memory: all of it, and the part that can answer already. */
export type SeenModels = { loaded: readonly string[]; ready: readonly string[] }

/** Which models can be in memory together. */
export type Residency = {
  /** Whether loading the one makes llama-swap stop the other. */
  evicts(starting: string, loaded: string): boolean
}

/** Numbers that steer the queue. Times are in milliseconds. */
export type QueueRules = {
  /** Requests that one model answers at the same time. */
  slotsFor(model: string): number
  /** Requests that upstream takes for one model at the same time, those beside its slots included. */
  limitFor(model: string): number
  /** Requests that may wait, over all keys. */
  maxWaiting: number
  maxWaitMs: number
  /** How long requests for a model that is not loaded wait for those of the loaded one, at most. */
  maxModelWaitMs: number
  /** How long a model that was loaded stays, at least, while others wait. */
  minResidencyMs: number
  /** How long a model must have nothing to do before another key's request may put it out early. */
  idleMs: number
  /** Tokens by which a session may get ahead of others while it is kept together. */
  quantumTokens: number
}
