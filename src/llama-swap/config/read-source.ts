import { expandEnv, namesUnset } from './expand-env.ts'
import { mapTexts } from './map-texts.ts'
import { field } from '../../json/read-unknown.ts'
import { readYaml } from './read-yaml.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Something to tell the owner, with its place. */
export type Tell = (problem: string) => void

/**
 * One file of llama-swap's configuration as mappings, lists and texts: every scalar is text, as llama-swap reads its
 * names, so an alias `7` is "7". Anchors and merge keys are resolved, variables are replaced.
 *
 * @throws Error that names line and column, and nothing that stands there, when the text is not YAML
 */
export function readSource(text: string, env: Env, tell: Tell): unknown {
  const { texts, numbers } = readYaml(expandEnv(text, env))
  return mapTexts(texts, (value, place) => {
    const { names, written } = namesUnset(value)
    for (const name of names)
      tell(`${place}: the variable ${name} is not set here; llama-swap does not start without it`)
    return macroText(numbers, place) ?? written
  })
}

/** A macro that is a number goes into texts as Go prints it: `0x1000` is 4096, `8_192` is 8192. */
function macroText(typed: unknown, place: string): string | undefined {
  const end = place.lastIndexOf('macros.')
  if (end !== 0 && !place.slice(0, end).startsWith('models.')) return undefined
  const name = place.slice(end + 'macros.'.length)
  const scope = place.slice('models.'.length, Math.max(0, end - 1))
  const owner = end === 0 ? typed : field(field(typed, 'models'), scope)
  const value = field(field(owner, 'macros'), name)
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined
}
