import { NO_NAMES, type ModelNames } from './model-names.ts'

/** What llama-swap takes for a model at a time where its configuration says 0 or nothing. */
export const USUAL_CONCURRENCY = 10

/** A group of models in llama-swap's configuration. */
export type ModelGroup = {
  id: string
  /** Only one member is loaded at a time. */
  swap: boolean
  /** Loading a member puts the models of other groups out. */
  exclusive: boolean
  /** Members are never put out by other groups. */
  persistent: boolean
  members: readonly string[]
}

/** What llama-swap's configuration file says of its models. */
export type ModelConfig = {
  names: ModelNames
  groups: readonly ModelGroup[]
  /** Models on other machines: they take no memory here. */
  remote: ReadonlySet<string>
  /** Models that are run by llama.cpp's server, as their commands say. */
  llamaCpp: ReadonlySet<string>
  /** Requests that llama-swap lets through to a model at a time; it refuses more of them. */
  concurrency: ReadonlyMap<string, number>
}

export const NO_MODEL_CONFIG: ModelConfig = {
  names: NO_NAMES,
  groups: [],
  remote: new Set(),
  llamaCpp: new Set(),
  concurrency: new Map(),
}
