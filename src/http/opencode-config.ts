import type { Deps } from '../deps.ts'
import { shortText } from '../errors/short-text.ts'
import type { CatalogueModel } from '../llama-swap/catalogue.ts'
import { formatJson } from '../opencode/format-json.ts'
import { isProviderName } from '../opencode/provider-name.ts'
import { PROVIDER_ID, renderOpencode } from '../opencode/render-config.ts'
import { withoutSubstitutions } from '../opencode/substitution.ts'
import { baseUrlOf, toldBaseUrl } from './base-url.ts'
import type { GateMiddleware } from './gate-env.ts'
import { keptAnswer } from './kept-answer.ts'
import type { KeyModels } from './key-models.ts'
import { badQuery, readQuery } from './read-query.ts'
import { refuse } from './refuse.ts'

/** `GET /opencode.json?provider=&base=&models=`: the configuration with which OpenCode uses the key's models. */
export function opencodeConfig(
  keyModels: KeyModels,
  { config, sha256 }: Pick<Deps, 'config' | 'sha256'>,
): GateMiddleware {
  return async (c) => {
    const query = readQuery(c, ['provider', 'base'], ['models'])
    if (!query.ok) return refuse(c, query.error)
    const provider = query.fields.get('provider') ?? PROVIDER_ID
    if (!isProviderName(provider)) return refuse(c, badQuery('provider', PROVIDER_RULE).error)
    const told = query.fields.get('base')
    const { publicUrl } = config
    const baseUrl = told === undefined ? baseUrlOf(c, publicUrl) : toldBaseUrl(c, publicUrl, told)
    if (baseUrl === undefined) return refuse(c, badQuery('base', BASE_RULE).error)
    const found = await keyModels(c)
    if (!found.ok) return refuse(c, found.error)
    const chosen = choose(found.models, query.lists.get('models'))
    if (!chosen.ok) return refuse(c, chosen.error)
    const file = renderOpencode({
      baseUrl,
      models: withoutSubstitutions(chosen.models),
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

const PROVIDER_RULE =
  '"provider" must be lower-case letters, digits, ".", "_" or "-", and must not begin with "openai" or "opencode".'

const BASE_RULE =
  '"base" must be where this request went, such as https://gate.example.com: without a path, and with the same host.'

type Chosen = { ok: true; models: CatalogueModel[] } | ReturnType<typeof badQuery>

/** The models that a query names, in its order; all of them where it names none. */
function choose(models: CatalogueModel[], fields: readonly string[] | undefined): Chosen {
  if (fields === undefined) return { ok: true, models }
  const find = (name: string): CatalogueModel | undefined =>
    models.find(({ id }) => id === name) ?? models.find(({ aliases }) => aliases.includes(name))
  const chosen = new Set<CatalogueModel>()
  // An id may hold a comma.
  for (const name of fields.flatMap((field) => (find(field) ? [field] : listed(field)))) {
    const model = find(name)
    if (!model)
      return badQuery(
        'models',
        `"models" names ${JSON.stringify(shortText(name))}, which this key cannot use. GET /v1/models lists what it can; separate several with commas.`,
      )
    chosen.add(model)
  }
  return { ok: true, models: [...chosen] }
}

function listed(field: string): string[] {
  return field.split(',').map((each) => each.trim())
}
