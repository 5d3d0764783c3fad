import type { CatalogueModel } from '../../llama-swap/catalogue.ts'
import type { ModelFault, ModelGroup } from '../../llama-swap/model-config.ts'
import type { JsoncDocument } from '../jsonc.ts'

/** All that the check looks at. It asks nobody: files, variables and the network were read before. */
export type CheckInput = {
  document: JsoncDocument
  /** The file's name, as people are told it. */
  fileName: string
  /** What there really is; undefined where neither llama-swap's configuration nor a gate could be read. */
  models: readonly CatalogueModel[] | undefined
  box: BoxFacts | undefined
  gate: GateFacts
  machine: MachineFacts
}

/** What llama-swap's configuration says, beyond its models. */
export type BoxFacts = {
  fileName: string
  groups: readonly ModelGroup[]
  faults: ReadonlyMap<string, readonly ModelFault[]>
}

/** What is known of the gate that the configuration is for. */
export type GateFacts = {
  /** Where clients reach it, without `/v1`; the best one first, never empty. */
  urls: readonly [string, ...string[]]
  /** The first one was named by the person: the configuration is to lead there and nowhere else. */
  isNamed: boolean
  /** Where llama-swap listens, behind the gate. */
  upstreamUrl: string
  /** Milliseconds; `afterMs` 0: none are sent. */
  heartbeat: { afterMs: number; everyMs: number }
}

/** What is known of the machine that OpenCode runs on. */
export type MachineFacts = {
  /** The names of the environment variables that are set to something. */
  variables: ReadonlySet<string>
  /** The value of NO_PROXY. */
  noProxy: string
  /** The value of OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX. */
  outputTokenMax: number | undefined
  /** The variable that a key is to stand in. */
  keyVariable: string
  /** Whether the file is, or can become, part of a git repository. */
  isShared: boolean
  /** Whether a file that the configuration names can be read. */
  canRead: (path: string) => boolean
}
