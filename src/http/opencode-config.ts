import type { Deps } from '../deps.ts'
import type { CatalogueModel } from '../llama-swap/catalogue.ts'
import { formatJson } from '../opencode/format-json.ts'
import { PROVIDER_ID, renderOpencode } from '../opencode/render-config.ts'
import { baseUrlOf } from './base-url.ts'
import type { GateMiddleware } from './gate-env.ts'
import { keptAnswer } from './kept-answer.ts'
import type { KeyModels } from './key-models.ts'
import { badQuery, readQuery } from './read-query.ts'
import { refuse } from './refuse.ts'

/** `GET /opencode.json?provider=&models=`: the configuration with which OpenCode uses the key's models. */
export function opencodeConfig(
  keyModels: KeyModels,
  { config, sha256 }: Pick<Deps, 'config' | 'sha256'>,
): GateMiddleware {
  return async (c) => {
    const query = readQuery(c, ['provider', 'models'])
    if (!query.ok) return refuse(c, query.error)
    const provider = query.fields.get('provider') ?? PROVIDER_ID
    if (!PROVIDER.test(provider)) return refuse(c, badQuery('provider', PROVIDER_RULE).error)
    const found = await keyModels(c)
    if (!found.ok) return refuse(c, found.error)
    const chosen = choose(found.models, query.fields.get('models'))
    if (!chosen.ok) return refuse(c, chosen.error)
    const file = renderOpencode({
      baseUrl: baseUrlOf(c, config.publicUrl),
      models: chosen.models,
      providerId: provider,
    })
    return keptAnswer(c, `${formatJson(file)}\n`, {
      sha256,
      headers: [
        ['content-type', 'application/json'],
        ['content-disposition', 'inline; filename="opencode.json"'],
      ],
    })
  }
}

// OpenCode handles errors of providers with these names in ways of its own: it repeats a 404 of the first.
const PROVIDER = /^(?!openai|opencode)[a-z0-9][a-z0-9._-]{0,63}$/
const PROVIDER_RULE =
  '"provider" must be lower-case letters, digits, ".", "_" or "-", and must not begin with "openai" or "opencode".'

type Chosen = { ok: true; models: CatalogueModel[] } | ReturnType<typeof badQuery>

/** The models that a query names, in its order; all of them where it names none. */
function choose(models: CatalogueModel[], wanted: string | undefined): Chosen {
  if (wanted === undefined) return { ok: true, models }
  const chosen: CatalogueModel[] = []
  for (const name of new Set(wanted.split(',').map((each) => each.trim()))) {
    const model = models.find(({ id }) => id === name)
    if (!model)
      return badQuery(
        'models',
        `"models" names ${JSON.stringify(name)}, which this key cannot use. GET /v1/models lists what it can; separate several with commas.`,
      )
    chosen.push(model)
  }
  return { ok: true, models: chosen }
}
