/** Every name by which llama-swap can be made to run a model, from its configuration file or its listing. */
export type ModelNames = {
  /** The ids of models, selectors and peer models. */
  ids: ReadonlySet<string>
  /** Another name → the id it stands for. */
  aliases: ReadonlyMap<string, string>
  /** A virtual id → the names that llama-swap chooses from. */
  selectors: ReadonlyMap<string, readonly string[]>
  /** A name → what an active profile may put in its place, at any time and without the client knowing. */
  pins: ReadonlyMap<string, readonly string[]>
}

export const NO_NAMES: ModelNames = {
  ids: new Set(),
  aliases: new Map(),
  selectors: new Map(),
  pins: new Map(),
}

/** Both sources as one; where they differ on a name the first one counts. */
export function mergeNames(first: ModelNames, second: ModelNames): ModelNames {
  return {
    ids: new Set([...first.ids, ...second.ids]),
    aliases: new Map([...second.aliases, ...first.aliases]),
    selectors: new Map([...second.selectors, ...first.selectors]),
    pins: new Map([...second.pins, ...first.pins]),
  }
}

/** Whether any source knows the name. */
export function isKnown(names: ModelNames, name: string): boolean {
  return names.ids.has(name) || names.aliases.has(name) || names.selectors.has(name)
}

/** The ids of every model that a request for `name` could end at; undefined for an unknown name. */
function reachable(names: ModelNames, name: string): ReadonlySet<string> | undefined {
  if (!isKnown(names, name)) return undefined
  const seen = new Set<string>()
  const ends = new Set<string>()
  const waiting = [name]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    waiting.push(...(names.pins.get(next) ?? []))
    const id = names.aliases.get(next) ?? next
    const targets = names.selectors.get(id)
    if (targets) waiting.push(...targets)
    else if (id === next) ends.add(id)
    else waiting.push(id)
  }
  return ends
}

/**
 * Whether a key's list allows a name. A pattern is matched against ids, never against aliases: an alias that looks
 * harmless may stand for any model. A name that could end at several models needs all of them, except a selector that
 * the list names itself. A name that nobody knows passes only when the list holds it letter by letter.
 */
export function allowsModel(list: readonly string[], name: string, names: ModelNames): boolean {
  if (list.includes('*')) return true
  if (list.includes(name) && names.selectors.has(name)) return true
  const ends = reachable(names, name)
  if (!ends) return list.includes(name)
  const allowedIds = new Set(list.map((entry) => names.aliases.get(entry) ?? entry))
  const patterns = list.filter((entry) => entry.includes('*')).map(toPattern)
  return [...ends].every((id) => allowedIds.has(id) || patterns.some((pattern) => pattern.test(id)))
}

function toPattern(glob: string): RegExp {
  const literal = glob.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${literal.join('.*')}$`, 's')
}
