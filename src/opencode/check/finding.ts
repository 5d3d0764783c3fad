import type { FaultKind } from '../../llama-swap/model-config.ts'
import type { FileChange } from '../config-files.ts'
import type { JsonPath } from '../jsonc.ts'

/** `error`: it does not work. `warning`: it works badly, or will stop to work. `hint`: good to know. */
export type Severity = 'error' | 'warning' | 'hint'

/** Every fault that is looked for in OpenCode's configuration. */
export const FILE_FAULTS = [
  'invalid-field',
  'env-unset',
  'file-missing',
  'nothing-to-compare',
  'provider-missing',
  'provider-misplaced',
  'provider-id',
  'provider-disabled',
  'provider-in-v2-form',
  'v2-not-checked',
  'provider-without-models',
  'npm-missing',
  'npm-untried',
  'base-url-missing',
  'base-url-invalid',
  'base-url-past-gate',
  'base-url-scheme',
  'base-url-other-host',
  'base-url-elsewhere',
  'base-url-without-v1',
  'base-url-rubbish',
  'base-url-key',
  'key-literal',
  'key-placeholder',
  'key-as-name',
  'key-empty',
  'key-env-unset',
  'key-env-trap',
  'env-several',
  'key-variable-missing',
  'key-variable-unset',
  'key-stored-too',
  'timeout-too-short',
  'proxy-in-between',
  'model-unknown',
  'model-missing',
  'model-hidden',
  'model-not-for-chats',
  'limit-missing',
  'limit-incomplete',
  'context-zero',
  'context-too-large',
  'context-too-small',
  'input-missing',
  'output-too-large',
  'output-zero',
  'output-over-context',
  'headroom-small',
  'window-too-small',
  'reserved-without-input',
  'reserved-too-large',
  'compaction-off',
  'tools-off',
  'tools-missing',
  'image-without-mmproj',
  'image-not-offered',
  'choice-missing',
  'choice-without-provider',
  'choice-provider-unknown',
  'small-model-swaps',
  'small-model-elsewhere',
  'agent-model-swaps',
] as const

/** What can be wrong between this machine and the gate. */
export type GateFault =
  | 'gate-unreachable'
  | 'gate-tls'
  | 'gate-key-unset'
  | 'gate-key-refused'
  | 'gate-key-forbidden'
  | 'gate-failed'
  | 'gate-moved'
  | 'gate-other-scheme'
  | 'not-a-gate'

/** Why there was nothing to look at, or not all of it. */
export type InputFault = 'no-file' | 'file-invalid'

export type FindingCode =
  | (typeof FILE_FAULTS)[number]
  | `config-${FaultKind}`
  | GateFault
  | InputFault

/** Something that a rule has found, with the change that mends it where there is one. */
export type Found = {
  code: FindingCode
  severity: Severity
  /** Where in OpenCode's configuration. */
  path: JsonPath
  message: string
  fix: string
  /** What `--fix` does about it; empty where a person has to. */
  changes: readonly FileChange[]
  /** The file that is meant, where it is not the one that has the word on the path. */
  file?: string
}

/** What a person is told. Never holds a key. */
export type Finding = Omit<Found, 'file'> & {
  /** `opencode.json:12`, `config.yaml, models.x`, an URL. */
  where: string
}
