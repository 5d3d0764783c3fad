import type { ModelNames } from './model-names.ts'
import { field, texts } from './read-unknown.ts'

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

/** The names in a listing of llama-swap, from `meta.llamaswap` of each record. */
export function namesInListing(models: readonly ListedModel[]): ModelNames {
  const ids = new Set<string>()
  const aliases = new Map<string, string>()
  const selectors = new Map<string, string[]>()
  for (const model of models) {
    const about = field(field(model, 'meta'), 'llamaswap')
    const target = field(about, 'modelID')
    if (field(about, 'type') === 'alias' && typeof target === 'string')
      aliases.set(model.id, target)
    else ids.add(model.id)
    for (const alias of texts(field(about, 'aliases'))) aliases.set(alias, model.id)
    const targets = texts(field(about, 'targets'))
    if (targets.length > 0) selectors.set(model.id, targets)
  }
  return { ids, aliases: withPeers(ids, aliases, models), selectors, pins: new Map() }
}

/** A peer's model is also reached by its bare name when no other model has it. */
function withPeers(
  ids: ReadonlySet<string>,
  aliases: Map<string, string>,
  models: readonly ListedModel[],
): Map<string, string> {
  for (const model of models) {
    const about = field(field(model, 'meta'), 'llamaswap')
    const peer = field(about, 'peerID')
    if (field(about, 'type') !== 'peer' || typeof peer !== 'string') continue
    const bare = model.id.startsWith(`${peer}/`) ? model.id.slice(peer.length + 1) : undefined
    if (bare !== undefined && !ids.has(bare) && !aliases.has(bare)) aliases.set(bare, model.id)
  }
  return aliases
}
