import type { CatalogueModel } from '../catalogue.ts'
import type { ModelConfig } from '../model-config.ts'
import { idIn } from '../model-names.ts'
import { configuredSizes, resolveModel } from '../resolve-model.ts'

/**
 * The models that llama-swap would list with a configuration, and what is known of them while nothing runs. `unlisted`
 * ones stay out; selectors and the models of peers are there without a context.
 *
 * @param contexts tokens by id or alias, as in `contexts` of config.json
 */
export function catalogueOfConfig(
  config: ModelConfig,
  contexts: Readonly<Record<string, number>>,
): CatalogueModel[] {
  const { models, names, remote } = config
  const own = [...models].filter(([, { isUnlisted }]) => !isUnlisted)
  const listed = [
    ...own.map(([id, { aliases }]) => bareModel(id, 'model', aliases)),
    ...[...names.selectors.keys()].map((id) => bareModel(id, 'selector')),
    ...[...remote].map((id) => bareModel(id, 'peer')),
  ]
  const sizeOf = configuredSizes(contexts, (name) => idIn(names, name))
  return listed.map((model) =>
    resolveModel(model, {
      configured: sizeOf(model.id),
      learned: undefined,
      facts: models.get(model.id),
    }),
  )
}

function bareModel(
  id: string,
  kind: CatalogueModel['kind'],
  aliases: readonly string[] = [],
): CatalogueModel {
  return {
    id,
    name: undefined,
    description: undefined,
    kind,
    aliases,
    use: 'chat',
    input: ['text'],
    output: ['text'],
    tools: undefined,
    reasoning: false,
    outputLimit: undefined,
    slots: undefined,
    context: { tokens: undefined, source: 'unknown', why: '' },
    isLoaded: false,
  }
}
