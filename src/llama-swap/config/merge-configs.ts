import { placeOf } from './map-texts.ts'
import { isMapping, isNothing } from './yaml-kind.ts'
import type { Tell } from './read-source.ts'

/** Mappings whose keys name one thing each: llama-swap refuses a key that stands in two files. */
const OF_ONE_FILE = new Set([
  'models',
  'groups',
  'profiles',
  'selectors',
  'peers',
  'matrix',
  'routing.router.settings.groups',
  'routing.router.settings.matrix',
])

/** Several files as one, as llama-swap merges them; of what it refuses, the first one counts. */
export function mergeConfigs(sources: readonly unknown[], tell: Tell): unknown {
  const filled = sources.filter((source) => !isNothing(source))
  return filled.length === 0
    ? undefined
    : filled.reduce((first, second) => merge(first, second, { place: '', tell }))
}

type At = { place: string; tell: Tell }

function merge(first: unknown, second: unknown, at: At): unknown {
  if (isNothing(first)) return second
  if (isNothing(second) || first === second) return first
  if (isMapping(first) && isMapping(second)) return mergeMappings(first, second, at)
  if (Array.isArray(first) && Array.isArray(second)) {
    const both: unknown[] = [...first, ...second]
    return both
  }
  at.tell(`${at.place || 'the files'}: two files say different things; llama-swap refuses them`)
  return first
}

type Mapping = Record<string, unknown>

function mergeMappings(first: Mapping, second: Mapping, { place, tell }: At): Mapping {
  const merged = new Map(Object.entries(first))
  for (const [key, value] of Object.entries(second)) {
    const inside = placeOf(place, key)
    if (!merged.has(key)) merged.set(key, value)
    else if (OF_ONE_FILE.has(place))
      tell(`${inside}: stands in two files; llama-swap refuses them, and here the first one counts`)
    else merged.set(key, merge(merged.get(key), value, { place: inside, tell }))
  }
  return Object.fromEntries(merged)
}
