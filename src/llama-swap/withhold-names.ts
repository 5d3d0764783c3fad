import type { ListedModel } from './read-listing.ts'
import { entries, field } from '../json/read-unknown.ts'

/**
 * A record of a list without names that its reader may not know: aliases, the targets of a selector, the model of an
 * alias and the pins of a profile. Nothing else of llama-swap names another model.
 */
export function withholdNames(
  record: ListedModel,
  mayTell: (name: string) => boolean,
): ListedModel {
  const meta = field(record, 'meta')
  const about = entries(field(meta, 'llamaswap'))
  if (about.length === 0) return record
  const isAlias = about.some(([name, value]) => name === 'type' && value === 'alias')
  const told = about
    .filter(([name, value]) => !(isAlias && name === 'modelID') || isTold(value, mayTell))
    .map(([name, value]) => [name, NAMING.has(name) ? namesOf(value, mayTell) : value])
  return {
    ...record,
    meta: { ...Object.fromEntries(entries(meta)), llamaswap: Object.fromEntries(told) },
  }
}

const NAMING = new Set(['aliases', 'targets', 'pins'])

/** A list of names, or which name stands for which. */
function namesOf(value: unknown, mayTell: (name: string) => boolean): unknown {
  if (Array.isArray(value)) return value.filter((name) => isTold(name, mayTell))
  return Object.fromEntries(
    entries(value).filter(([from, to]) => mayTell(from) && isTold(to, mayTell)),
  )
}

function isTold(name: unknown, mayTell: (name: string) => boolean): boolean {
  return typeof name === 'string' && mayTell(name)
}
