import { CLIENTS, type ConnectTo, type Snippet } from '../connect/clients.ts'
import { snippetFor } from '../connect/snippets.ts'
import { targetOf } from '../connect/target.ts'
import type { GateConfig } from '../config/schema.ts'
import type { CatalogueModel } from '../llama-swap/catalogue.ts'
import { KEY_VARIABLE } from '../opencode/render-config.ts'
import { baseUrlOf } from './base-url.ts'
import type { GateMiddleware } from './gate-env.ts'
import type { KeyModels } from './key-models.ts'
import { freshText } from './own-answer.ts'
import { badQuery, readQuery } from './read-query.ts'
import { refuse } from './refuse.ts'

/** What a person is told of a model. */
export type ShownModel = Pick<CatalogueModel, 'id' | 'use' | 'isLoaded'> & {
  name: string
  /** Tokens; null where nobody knows. */
  context: number | null
  source: CatalogueModel['context']['source']
  certainty: 'exact' | 'estimate' | null
  why: string
}

/** What `GET /connect.json` answers. */
export type ConnectSettings = {
  baseUrl: string
  /** The one that the settings begin with. */
  model: string
  models: ShownModel[]
  snippets: Snippet[]
}

/** `GET /connect.json?model=`: the key's models, and the settings for every client. The page at `/` shows it. */
export function connectSettings(keyModels: KeyModels, { publicUrl }: GateConfig): GateMiddleware {
  return async (c) => {
    const query = readQuery(c, ['model'])
    if (!query.ok) return refuse(c, query.error)
    const found = await keyModels(c)
    if (!found.ok) return refuse(c, found.error)
    const { models } = found
    const model = query.fields.get('model')
    if (model !== undefined && !models.some(({ id }) => id === model))
      return refuse(c, badQuery('model', NO_SUCH_MODEL).error)
    const to = { baseUrl: baseUrlOf(c, publicUrl), models, model, keyVariable: KEY_VARIABLE }
    const settings: ConnectSettings = {
      baseUrl: to.baseUrl,
      model: targetOf(to).model,
      models: models.map(shownModel),
      snippets: snippetsFor(to),
    }
    return freshText(c, JSON.stringify(settings), 'application/json')
  }
}

const NO_SUCH_MODEL =
  '"model" names one that this key cannot use. GET /v1/models lists what it can.'

/** The settings for every client. */
export function snippetsFor(to: ConnectTo): Snippet[] {
  return CLIENTS.map((client) => snippetFor(client, to))
}

function shownModel({ id, name, use, isLoaded, context }: CatalogueModel): ShownModel {
  const { source, why } = context
  const size =
    context.tokens === undefined
      ? { context: null, certainty: null }
      : { context: context.tokens, certainty: context.certainty }
  return { id, name: name ?? id, use, isLoaded, source, why, ...size }
}
