import type { ModelNames } from '../model-names.ts'
import { entries, field, texts } from '../../json/read-unknown.ts'

/**
 * The names: models, aliases, the extra ids of `setParamsByID`, selectors, the pins of profiles, and the models of
 * peers. The listing leaves out `unlisted` models and says nothing of pins.
 */
export function namesIn(config: unknown): ModelNames {
  const ids = new Set<string>()
  const aliases = new Map<string, string>()
  for (const [id, model] of entries(field(config, 'models'))) {
    ids.add(id)
    for (const alias of texts(field(model, 'aliases'))) aliases.set(alias, id)
    for (const [variant] of entries(field(field(model, 'filters'), 'setParamsByID')))
      if (!ids.has(variant)) aliases.set(variant.replaceAll('${MODEL_ID}', id), id)
  }
  for (const id of ids) aliases.delete(id)
  addPeers(config, ids, aliases)
  return { ids, aliases, selectors: selectorsIn(config), pins: pinsIn(config) }
}

/** The models of peers, by the name there and by the id here. */
export function peerModels(config: unknown): Array<{ model: string; id: string }> {
  return entries(field(config, 'peers')).flatMap(([peer, about]) =>
    texts(field(about, 'models')).map((model) => ({ model, id: `${peer}/${model}` })),
  )
}

function addPeers(config: unknown, ids: Set<string>, aliases: Map<string, string>): void {
  const offered = peerModels(config)
  for (const { model, id } of offered) {
    ids.add(id)
    // The bare name reaches the peer when it is the only one that has it.
    const isUnique = offered.filter((other) => other.model === model).length === 1
    if (isUnique && !ids.has(model) && !aliases.has(model)) aliases.set(model, id)
  }
}

function selectorsIn(config: unknown): Map<string, string[]> {
  return new Map(
    entries(field(config, 'selectors')).map(([id, about]) => [id, texts(field(about, 'targets'))]),
  )
}

/** A pin without a target closes a name while its profile is active. */
const NO_TARGET = /^(?:|~|null)$/i

function pinsIn(config: unknown): Map<string, string[]> {
  const pins = new Map<string, string[]>()
  for (const [, profile] of entries(field(config, 'profiles')))
    for (const [from, to] of entries(field(profile, 'pins')))
      if (typeof to === 'string' && !NO_TARGET.test(to))
        pins.set(from, [...(pins.get(from) ?? []), to])
  return pins
}
