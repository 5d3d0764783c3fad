import { entries, field, texts } from '../json/read-unknown.ts'
import { isSurelyName, isVariableName } from './check/keys/secrets.ts'

/** The headers in which a key can be sent. */
export const KEY_HEADER = /^(?:authorization|x-api-key|api-key)$/i

/** What stands in the `env` of a provider, each once; OpenCode refuses a text that is in no list, but it is meant so. */
export function namesOfKey(provider: unknown): string[] {
  const env = field(provider, 'env')
  const names = typeof env === 'string' ? [env] : texts(env)
  return [...new Set(names.filter((name) => name.trim() !== ''))]
}

/** The variable for the key, as the gate has it, and those that are set. */
type KeyVariable = { ours: readonly string[]; variables: ReadonlySet<string> }

/**
 * What is to stand in `env`; undefined where it stays as it is. OpenCode 1.18 takes a key from there only where it has
 * exactly one name. A key from elsewhere needs none, and what is no name may be the only copy of a key.
 */
export function rightEnv(
  provider: unknown,
  { ours, variables }: KeyVariable,
): readonly string[] | undefined {
  const names = namesOfKey(provider)
  const isName = names.length === 1 ? isVariableName : isSurelyName
  if (hasOwnKey(provider) || !names.every((name) => isName(name, variables))) return undefined
  return names.length === 1 ? names : ours
}

/** Whether a key comes from elsewhere than from `env`. */
export function hasOwnKey(provider: unknown): boolean {
  const options = field(provider, 'options')
  const isInHeader = entries(field(options, 'headers')).some(([name]) => KEY_HEADER.test(name))
  return isInHeader || field(options, 'apiKey') !== undefined
}
