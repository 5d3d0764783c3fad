import { field, texts } from '../../../json/read-unknown.ts'
import type { JsonPath } from '../../jsonc.ts'
import type { CheckInput } from '../check-input.ts'
import type { Found } from '../finding.ts'
import { text, type WrittenProvider } from '../read-written.ts'
import { isVariableName } from './secrets.ts'

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

/** The variable that OpenCode takes the key from, or is to take it from. */
export function variableOf(about: About): string {
  const { machine, provider } = about
  const names = namesIn(provider).filter(isName(about))
  return names.find((name) => machine.variables.has(name)) ?? names[0] ?? machine.keyVariable
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

/** `env` with the variable in it that is to count: OpenCode takes the first that is set. */
function named({ machine, provider }: About, wanted: string): string[] {
  const names = namesIn(provider)
  const used = names.find((name) => machine.variables.has(name)) ?? wanted
  if (used === wanted && names.includes(wanted)) return names
  return [wanted, ...names.filter((name) => name !== wanted)]
}

/** A key that is to go: out of one file, or out of all. */
export type Removal = { path: JsonPath; name: string; file?: string | undefined }

/** Takes a key out; `env` names the variable in its place. */
export function toVariable(about: About, { path, name, file }: Removal): Found['changes'] {
  return [
    { path, value: undefined, ...(file === undefined ? {} : { file }) },
    { path: [...about.provider.path, 'env'], value: named(about, name) },
  ]
}

/** The file whose value counts. */
export function holderOf(about: About, path: JsonPath): string | undefined {
  return ownTexts(about, path).at(-1)?.file
}
