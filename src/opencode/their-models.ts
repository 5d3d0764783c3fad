import type { CatalogueModel } from '../llama-swap/catalogue.ts'
import { entries, field } from '../json/read-unknown.ts'
import { opencodeModels } from './render-config.ts'

/** A model that stands in a file of the user's; `id`: its own name, whatever the file calls it. */
export type TheirModel = { key: string; id: string; value: unknown }

/** The models of a provider; `models`: those that the gate has, each under all of its names. */
export function theirModels(provider: unknown, models: readonly CatalogueModel[]): TheirModel[] {
  const shown = opencodeModels(models)
  return entries(field(provider, 'models')).map(([key, value]) => {
    const own = field(value, 'id')
    const name = typeof own === 'string' ? own : key
    const known =
      shown.find(({ id }) => id === name) ?? shown.find(({ aliases }) => aliases.includes(name))
    return { key, id: known?.id ?? name, value }
  })
}
