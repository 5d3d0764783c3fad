import type { ModelNames } from './model-names.ts'
import { field, texts } from '../json/read-unknown.ts'

/** One record of `GET /v1/models`, as far as the gate reads it; every other field is kept. */
export type ListedModel = { id: string; [field: string]: unknown }

/** The records of a listing; undefined when the text is not one. */
export function readListing(text: string): ListedModel[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const data = field(value, 'data')
    return Array.isArray(data) ? data.filter(isListedModel) : undefined
  } catch {
    return undefined
  }
}

function isListedModel(value: unknown): value is ListedModel {
  return typeof field(value, 'id') === 'string'
}

/**
 * The names in a listing of llama-swap, from `meta.llamaswap` of each record. It does not say what a pin of a profile
 * leads to, so such a name stays unknown here, as does an alias without its model.
 */
export function namesInListing(models: readonly ListedModel[]): ModelNames {
  const ids = new Set<string>()
  const aliases = new Map<string, string>()
  const selectors = new Map<string, string[]>()
  for (const model of models) {
    const about = aboutOf(model)
    const type = field(about, 'type')
    const target = field(about, 'modelID')
    if (type === 'profile') continue
    if (type === 'alias') {
      if (typeof target === 'string') aliases.set(model.id, target)
      continue
    }
    ids.add(model.id)
    for (const alias of texts(field(about, 'aliases'))) aliases.set(alias, model.id)
    if (type === 'selector') selectors.set(model.id, texts(field(about, 'targets')))
  }
  for (const [bare, id] of barePeerModels(models))
    if (!ids.has(bare) && !aliases.has(bare)) aliases.set(bare, id)
  return { ids, aliases, selectors, pins: new Map() }
}

/** The ids of models on other machines, which llama-swap only passes on to. */
export function peersInListing(models: readonly ListedModel[]): Set<string> {
  const isOfPeer = (model: ListedModel): boolean => field(aboutOf(model), 'type') === 'peer'
  return new Set(models.filter(isOfPeer).map(({ id }) => id))
}

function aboutOf(model: ListedModel): unknown {
  return field(field(model, 'meta'), 'llamaswap')
}

/** A peer's model is also reached by its bare name when no other peer has one of that name. */
function barePeerModels(models: readonly ListedModel[]): Map<string, string> {
  const offers = models.flatMap((model) => {
    const about = aboutOf(model)
    const peer = field(about, 'peerID')
    if (field(about, 'type') !== 'peer' || typeof peer !== 'string') return []
    return model.id.startsWith(`${peer}/`)
      ? [{ bare: model.id.slice(peer.length + 1), id: model.id }]
      : []
  })
  const isUnique = (bare: string): boolean =>
    offers.filter((offer) => offer.bare === bare).length === 1
  return new Map(offers.filter(({ bare }) => isUnique(bare)).map(({ bare, id }) => [bare, id]))
}
