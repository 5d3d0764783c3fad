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

/** Something in a model's configuration that will surprise its owner. Flags and numbers only, never a path or key. */
export type ModelFault = { kind: FaultKind; message: string; fix: string }

export type FaultKind =
  /** llama-server will not start with this command. */
  | 'refused-flag'
  /** A size such as `4k`, of which llama-server reads the digits alone. */
  | 'cut-number'
  /** The same setting twice; the last one counts. */
  | 'flag-twice'
  /** The context is divided among the slots. */
  | 'divided-context'
  /** The slots share one context: long requests that run side by side end each other. */
  | 'shared-context'
  /** `capabilities.context` promises more than the command gives. */
  | 'contradicted-context'
  /** Tools need `--jinja` in builds where it is not on by itself. */
  | 'tools-without-jinja'
  /** An answer may go on for ever, and forgets its beginning. */
  | 'context-shift'

/** Tokens, and for a person what they follow from. */
export type BatchLimit = { tokens: number; why: string }

/** What the configuration file says of one model of this box. */
export type ModelFacts = ModelTraits & {
  name: string | undefined
  description: string | undefined
  aliases: readonly string[]
  /** Not in llama-swap's listing, but it answers to its name. */
  isUnlisted: boolean
  /**
   * The command line with all macros replaced, as `commandKey` of the `cmd` in `GET /running` gives it; undefined where
   * it cannot be known. What was learned of a running model holds for the same command line only. It may hold keys and
   * paths: never shown.
   */
  commandLine: string | undefined
  context: ContextSize
  /** Most tokens of one text that is answered with vectors or ranks; undefined where it is not known, or any other model. */
  batch?: BatchLimit | undefined
  /** What `swapgate check` tells the owner. */
  faults: readonly ModelFault[]
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
  /** What llama-swap refuses to load, or the gate does not understand, each with its place: `models.a.cmd: …`. */
  problems: readonly string[]
}

export const NO_MODEL_CONFIG: ModelConfig = {
  names: NO_NAMES,
  groups: [],
  remote: new Set(),
  llamaCpp: new Set(),
  models: new Map(),
  concurrency: new Map(),
  problems: [],
}
