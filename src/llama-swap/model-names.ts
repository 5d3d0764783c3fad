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
  const { ids, aliases, selectors, pins } = names
  return ids.has(name) || aliases.has(name) || selectors.has(name) || pins.has(name)
}

/** The id of the model that a name stands for; the name itself where nobody knows it. */
export function idIn(names: ModelNames, name: string): string {
  return names.ids.has(name) ? name : (names.aliases.get(name) ?? name)
}

/** Whether only llama-swap knows which of several models a name leads to. */
export function isOpenChoice(names: ModelNames, name: string): boolean {
  return names.selectors.has(name) || names.pins.has(name)
}

/**
 * Every model that a request for `name` could end at, and in place of the targets of a selector that is `granted`, the
 * selector. Sources may disagree, so a name that is both a model and an alias counts as both.
 */
function reachable(
  names: ModelNames,
  name: string,
  granted: ReadonlySet<string>,
): ReadonlySet<string> {
  const seen = new Set<string>()
  const ends = new Set<string>()
  const waiting = [name]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    const alias = names.aliases.get(next)
    const targets = names.selectors.get(next)
    const leads = [...(names.pins.get(next) ?? []), ...(alias === undefined ? [] : [alias])]
    waiting.push(...leads)
    if (targets && !granted.has(next)) waiting.push(...targets)
    else if (targets || names.ids.has(next) || leads.length === 0) ends.add(next)
  }
  return ends
}

/**
 * Whether a key's list allows a name. A pattern is matched against ids, never against aliases: an alias that looks
 * harmless may stand for any model. A name that could end at several models needs all of them, except that a selector
 * may be named by the list in place of its targets. A name that nobody knows passes only when the list holds it letter
 * by letter.
 */
export function allowsModel(list: readonly string[], name: string, names: ModelNames): boolean {
  if (list.includes('*')) return true
  if (!isKnown(names, name)) return list.includes(name)
  const granted = new Set(list.flatMap((entry) => [entry, names.aliases.get(entry) ?? entry]))
  const patterns = list.filter((entry) => entry.includes('*')).map(toPattern)
  const ends = [...reachable(names, name, granted)]
  const isAllowed = (id: string): boolean =>
    granted.has(id) || patterns.some((pattern) => pattern.test(id))
  return ends.length > 0 && ends.every(isAllowed)
}

function toPattern(glob: string): RegExp {
  const literal = glob.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${literal.join('.*')}$`, 's')
}
