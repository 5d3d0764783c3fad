import { entries, field } from '../../../json/read-unknown.ts'
import type { JsonPath } from '../../jsonc.ts'
import type { WrittenProvider } from '../read-written.ts'

/** What OpenCode replaces. */
export const PLACEHOLDER = /\{(?:env|file):[^{}]+\}/
const KEY_HEADERS = new Set(['authorization', 'x-api-key', 'api-key'])

/** A header that carries a key. */
type KeyHeader = {
  path: JsonPath
  /** The gate gets a key by it, or will when it has been mended. */
  isSent: boolean
}

/** Headers of the provider and of its models that carry a key. */
export function keyHeaders({ path, value, models }: WrittenProvider): KeyHeader[] {
  const places = [
    {
      path: [...path, 'options', 'headers'],
      value: field(field(value, 'options'), 'headers'),
      isForAll: true,
    },
    ...models.map((model) => ({
      path: [...model.path, 'headers'],
      value: field(model.value, 'headers'),
      isForAll: false,
    })),
  ]
  return places.flatMap((place) =>
    entries(place.value).flatMap(([name, held]) => {
      const header = name.toLowerCase()
      if (!KEY_HEADERS.has(header) || typeof held !== 'string') return []
      const isLiteral = !PLACEHOLDER.test(held)
      const isSent = isLiteral || (place.isForAll && header !== 'api-key')
      return [{ path: [...place.path, name], isSent }]
    }),
  )
}
