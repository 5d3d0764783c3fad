import type { ModelTraits } from './catalogue.ts'
import type { ContextSize } from './context-size.ts'
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

/** What the configuration file says of one model of this box. */
export type ModelFacts = ModelTraits & {
  name: string | undefined
  description: string | undefined
  aliases: readonly string[]
  /** Not in llama-swap's listing, but it answers to its name. */
  isUnlisted: boolean
  /**
   * The command line with all macros replaced, as `GET /running` shows it; undefined where it cannot be known. What was
   * learned of a running model holds for the same command line only. It may hold keys and paths: never shown.
   */
  commandLine: string | undefined
  context: ContextSize
}

/** What llama-swap's configuration file says of its models. */
export type ModelConfig = {
  names: ModelNames
  groups: readonly ModelGroup[]
  /** Models on other machines: they take no memory here. */
  remote: ReadonlySet<string>
  /** Models that are run by llama.cpp's server, as their commands say. */
  llamaCpp: ReadonlySet<string>
  /** By id; only models that this box runs itself. */
  models: ReadonlyMap<string, ModelFacts>
  /** Requests that llama-swap lets through to a model at a time; it refuses more of them. */
  concurrency: ReadonlyMap<string, number>
}

export const NO_MODEL_CONFIG: ModelConfig = {
  names: NO_NAMES,
  groups: [],
  remote: new Set(),
  llamaCpp: new Set(),
  models: new Map(),
  concurrency: new Map(),
}
