import type { CatalogueModel } from '../llama-swap/catalogue.ts'

/** OpenCode replaces `{env:NAME}` and `{file:path}` in the text of a configuration, before it reads it as JSON. */
const SUBSTITUTED = /\{(?=(?:env|file):)/
const ALL_SUBSTITUTED = new RegExp(SUBSTITUTED, 'g')

/**
 * JSON in whose strings OpenCode finds nothing to replace: whoever names a model would otherwise read the files of those
 * who use it. The value is the same.
 */
export function inertJson(value: unknown): string {
  return JSON.stringify(value).replace(ALL_SUBSTITUTED, String.raw`\u007b`)
}

/**
 * The models whose ids OpenCode cannot mistake, without names that it could. An escape is not enough for what
 * `opencode auth login` fetches: OpenCode 1.18 reads that as JSON, writes it anew, and replaces then.
 */
export function withoutSubstitutions(models: readonly CatalogueModel[]): CatalogueModel[] {
  return models
    .filter(({ id }) => !SUBSTITUTED.test(id))
    .map((model) =>
      model.name !== undefined && SUBSTITUTED.test(model.name)
        ? { ...model, name: undefined }
        : model,
    )
}
