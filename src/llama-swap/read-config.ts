import { parse } from 'yaml'
import type { ModelNames } from './model-names.ts'
import { entries, field, texts } from './read-unknown.ts'

/**
 * The names in llama-swap's own configuration file: models, aliases, the extra ids of `setParamsByID`, selectors,
 * the pins of profiles, and the models of peers. Its listing leaves out `unlisted` models and says nothing of pins.
 *
 * @throws Error with yaml's message, which names line and column, when the text is not YAML
 */
export function namesInConfig(text: string): ModelNames {
  // Every scalar as text, as llama-swap reads its names: an alias `7` is "7", not a number.
  const config: unknown = parse(text, { merge: true, schema: 'failsafe', logLevel: 'error' })
  const ids = new Set<string>()
  const aliases = new Map<string, string>()
  for (const [id, model] of entries(field(config, 'models'))) {
    ids.add(id)
    for (const alias of texts(field(model, 'aliases'))) aliases.set(alias, id)
    for (const [variant] of entries(field(field(model, 'filters'), 'setParamsByID')))
      if (!ids.has(variant)) aliases.set(variant.replaceAll('${MODEL_ID}', id), id)
  }
  for (const id of ids) aliases.delete(id)
  addPeers(field(config, 'peers'), ids, aliases)
  return { ids, aliases, selectors: selectorsIn(config), pins: pinsIn(config) }
}

function addPeers(peers: unknown, ids: Set<string>, aliases: Map<string, string>): void {
  const offered = entries(peers).flatMap(([peer, about]) =>
    texts(field(about, 'models')).map((model) => ({ model, id: `${peer}/${model}` })),
  )
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
