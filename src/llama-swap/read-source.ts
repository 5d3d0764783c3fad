import { parse } from 'yaml'
import { expandEnv, namesUnset } from './expand-env.ts'
import { mapTexts } from './map-texts.ts'
import { field } from './read-unknown.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Something to tell the owner, with its place. */
export type Tell = (problem: string) => void

/** It is the owner's own file: an anchor may be used by any number of models. */
const OPTIONS = { merge: true, logLevel: 'error', maxAliasCount: -1 } as const

/**
 * One file of llama-swap's configuration as mappings, lists and texts: every scalar is text, as llama-swap reads its
 * names, so an alias `7` is "7". Anchors and merge keys are resolved, variables are replaced.
 *
 * @throws Error with yaml's message, which names line and column, when the text is not YAML
 */
export function readSource(text: string, env: Env, tell: Tell): unknown {
  const expanded = expandEnv(text, env)
  const source: unknown = parse(expanded, { ...OPTIONS, schema: 'failsafe' })
  const isUsed = expanded.includes('macros')
  const typed: unknown = isUsed ? parse(expanded, { ...OPTIONS, schema: 'yaml-1.1' }) : undefined
  return mapTexts(source, (value, place) => {
    const { names, written } = namesUnset(value)
    for (const name of names)
      tell(`${place}: the variable ${name} is not set here; llama-swap does not start without it`)
    return macroText(typed, place) ?? written
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
