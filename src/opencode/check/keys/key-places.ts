import { field, texts } from '../../../json/read-unknown.ts'
import type { JsonPath } from '../../jsonc.ts'
import type { CheckInput } from '../check-input.ts'
import type { Found } from '../finding.ts'
import { text, type WrittenProvider } from '../read-written.ts'
import { isSurelyName, isVariableName } from './secrets.ts'

/** A text that is nothing but a variable, in the form of OpenCode. */
export const WHOLE_VARIABLE = /^\{env:([^{}]+)\}$/

/** What all rules about one provider's key look at. */
export type About = Pick<CheckInput, 'files' | 'gate' | 'machine'> & { provider: WrittenProvider }

/** Where a provider's key stands. */
export function apiKeyPath({ path }: WrittenProvider): JsonPath {
  return [...path, 'options', 'apiKey']
}

/** All that stands in `env`, also what is no name. */
export function namesIn({ value }: WrittenProvider): string[] {
  return texts(field(value, 'env'))
}

/**
 * The variable that OpenCode is to take the key from: of several names one that is set, best the usual one, with whose key
 * the gate is asked.
 */
export function variableOf(about: About): string {
  const { variables, keyVariable } = about.machine
  const names = namesIn(about.provider).filter(isName(about))
  const set = names.filter((name) => variables.has(name))
  if (set.includes(keyVariable)) return keyVariable
  return set[0] ?? (names.length === 1 ? names[0] : undefined) ?? keyVariable
}

/** Tells the name of a variable from what may be a key. */
export function isName({ machine }: Pick<About, 'machine'>): (text: string) => boolean {
  return (name) => isVariableName(name, machine.variables)
}

/** What each file itself has at a path: OpenCode takes the last, and the one below it when that is gone. */
export function ownTexts({ files }: About, path: JsonPath): Array<{ file: string; held: string }> {
  return files.flatMap(({ name, document }) => {
    const held = text(path.reduce(field, document.value))
    return held === undefined ? [] : [{ file: name, held }]
  })
}

/** Whether OpenCode sends the same key when nothing stands at this path any more, in none of the files. */
export function canGo(about: About, path: JsonPath, name: string): boolean {
  const { machine, provider } = about
  const isGiven = (held: string): boolean =>
    held.trim() === '' || WHOLE_VARIABLE.exec(held)?.[1] === name || machine.holds(name, held)
  // A stored key counts more than one in "env". A header hides apiKey, which comes to light then.
  return (
    !machine.storedKeys.has(provider.id) &&
    [path, apiKeyPath(provider)].every((each) =>
      ownTexts(about, each).every(({ held }) => isGiven(held)),
    )
  )
}

/** A key that is to go: out of one file, or out of all. */
export type Removal = { path: JsonPath; name: string; file?: string | undefined }

/** Takes a key out; `env` names the variable in its place. */
export function toVariable(about: About, { path, name, file }: Removal): Found['changes'] {
  const env = onlyName(about, name)
  if (env.length === 0) return []
  return [{ path, value: undefined, ...(file === undefined ? {} : { file }) }, ...env]
}

/** `env` with one name in it: of several OpenCode takes none. No change where the only copy of a key would go with it. */
export function onlyName(about: About, name: string): Found['changes'] {
  const { variables, holds } = about.machine
  const isKept = namesIn(about.provider).every(
    (each) => each === name || isSurelyName(each, variables) || holds(name, each),
  )
  return isKept ? [{ path: [...about.provider.path, 'env'], value: [name] }] : []
}

/** What is to be done before `env` can count; nothing where no key is stored. */
export function withoutStored({ machine, provider }: About): string {
  return machine.storedKeys.has(provider.id)
    ? 'First remove the stored key with "opencode auth logout", or OpenCode takes that one. '
    : ''
}

/** The file whose value counts. */
export function holderOf(about: About, path: JsonPath): string | undefined {
  return ownTexts(about, path).at(-1)?.file
}
