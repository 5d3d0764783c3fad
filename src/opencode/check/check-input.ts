import type { CatalogueModel } from '../../llama-swap/catalogue.ts'
import type { ModelFault, ModelGroup } from '../../llama-swap/model-config.ts'
import type { ConfigFile } from '../config-files.ts'

/** All that the check looks at. It asks nobody: files, variables and the network were read before. */
export type CheckInput = {
  /** What OpenCode makes of all files together. */
  document: { value: unknown }
  /** The files in the order in which OpenCode puts them together: the last one counts most. */
  files: readonly ConfigFile[]
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
  /** It has answered as a gate does, or its own configuration was read. Only then may an address be changed. */
  isSure: boolean
  /**
   * A configuration of this machine was read. Without one, `upstreamUrl` is the default, and whatever else listens there is
   * somebody's own.
   */
  isUpstreamKnown: boolean
  /** What `swapgate opencode` has to be told with --url; undefined where the configurations here say all. */
  urlToAsk: string | undefined
  /** Where llama-swap listens, behind the gate. */
  upstreamUrl: string
  /** The name of llama-swap's configuration, also where it is not there. */
  modelFile: string
  /** Milliseconds; `afterMs` 0: none are sent. */
  heartbeat: { afterMs: number; everyMs: number }
}

/** What is known of the machine that OpenCode runs on. */
export type MachineFacts = {
  /** The names of the environment variables that are set to something. */
  variables: ReadonlySet<string>
  /** Whether a variable holds this key; `Bearer ` before it does not count. The values themselves are not given out. */
  holds: (name: string, literal: string) => boolean
  /** What OpenCode makes of a text in which `{env:NAME}` stands. */
  replaced: (text: string) => string
  /** The value of NO_PROXY. */
  noProxy: string
  /** The value of OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX. */
  outputTokenMax: number | undefined
  /** OPENCODE_DISABLE_AUTOCOMPACT is set: OpenCode never compacts by itself, whatever the files say. */
  isCompactionOff: boolean
  /** The variable that a key is to stand in. */
  keyVariable: string
  /** Whether one of the files is, or can become, part of a git repository. */
  isShared: boolean
  /** The ids of the keys that `opencode auth login` has stored; only their names are ever read. */
  storedKeys: ReadonlySet<string>
  /** The names of the files that count for other projects, too, but for one that a person has named. */
  filesForAll: ReadonlySet<string>
  /** Whether a file that the configuration names can be read; `from`: the name of the file that names it. */
  canRead: (path: string, from: string) => boolean
}
