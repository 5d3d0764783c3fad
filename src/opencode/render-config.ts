import { withoutSlash } from '../config/without-slash.ts'
import type { CatalogueModel, Modality } from '../llama-swap/catalogue.ts'
import { GOOD_WINDOW, LEAST_WINDOW, limitsFor, type ModelLimit } from './limits.ts'
import { showCount } from './show-count.ts'

/** One model as OpenCode's configuration says it. */
export type OpencodeModel = {
  name: string
  reasoning?: true
  attachment?: true
  tool_call: boolean
  modalities: { input: readonly Modality[]; output: readonly Modality[] }
  limit?: ModelLimit
}

/** One provider as OpenCode's configuration says it. */
export type OpencodeProvider = {
  npm: string
  name: string
  env: string[]
  options: { baseURL: string; headerTimeout: number; chunkTimeout: number }
  models: Record<string, OpencodeModel>
}

/** What the gate writes into `opencode.json`. */
export type OpencodeFile = {
  $schema: string
  model?: string
  provider: Record<string, OpencodeProvider>
  compaction: { auto: boolean; prune: boolean }
}

/** What the configuration is made from. */
export type RenderOptions = {
  /** Where OpenCode reaches the gate, without `/v1`. */
  baseUrl: string
  /** All that the key may use; what is not for chats is left out here. */
  models: readonly CatalogueModel[]
  /** Not one that begins with `openai`: OpenCode repeats a 404 there. */
  providerId?: string | undefined
  /** The environment variable that holds the key. The configuration never holds the key itself. */
  keyVariable?: string | undefined
  /** What OpenCode's list of models calls the provider. */
  name?: string | undefined
}

export const PROVIDER_ID = 'llama-swap'
export const KEY_VARIABLE = 'LLAMA_SWAP_API_KEY'
export const PROVIDER_PACKAGE = '@ai-sdk/openai-compatible'
/** OpenCode gives up after five minutes of silence; a large model may load for longer. In milliseconds. */
export const PATIENCE_MS = 900_000

/**
 * The configuration for OpenCode: one provider with every model for chats. It is the form of OpenCode 1, with all that
 * OpenCode 2 needs to read it, too. A model whose context nobody knows gets no `limit`: see `opencodeNotes`.
 */
export function renderOpencode(options: RenderOptions): OpencodeFile {
  const { baseUrl, providerId = PROVIDER_ID, keyVariable = KEY_VARIABLE } = options
  const models = opencodeModels(options.models)
  const first = firstModel(models)
  return {
    $schema: 'https://opencode.ai/config.json',
    ...(first ? { model: `${providerId}/${first.id}` } : {}),
    provider: {
      [providerId]: {
        npm: PROVIDER_PACKAGE,
        name: options.name ?? 'llama-swap (GPU box)',
        env: [keyVariable],
        options: {
          baseURL: `${withoutSlash(baseUrl)}/v1`,
          headerTimeout: PATIENCE_MS,
          chunkTimeout: PATIENCE_MS,
        },
        models: Object.fromEntries(models.map((model) => [model.id, renderModel(model)])),
      },
    },
    compaction: { auto: true, prune: true },
  }
}

/** What a person should know of a configuration for these models: what is missing in it, and how to get it. */
export function opencodeNotes(models: readonly CatalogueModel[]): string[] {
  const listed = opencodeModels(models)
  if (listed.length === 0)
    return ['No model for chats is known, so OpenCode will not show this provider.']
  return listed.flatMap(({ id, context }) => {
    if (context.tokens !== undefined) return tooSmall(id, context.tokens)
    const why = context.why === '' ? '' : ` (${context.why})`
    return [
      `${id}: the size of its context is not known${why}, so it has no "limit" and OpenCode never compacts by itself. Load it once, or write the size into "contexts" of config.json.`,
    ]
  })
}

function tooSmall(id: string, window: number): string[] {
  if (window >= GOOD_WINDOW) return []
  const how = window < LEAST_WINDOW ? 'too small' : 'very small'
  return [
    `${id}: ${showCount(window)} tokens for one request are ${how} for OpenCode, whose own prompt and tools take about 7,500. Give it ${showCount(GOOD_WINDOW)} at least: a larger --ctx-size or fewer slots (-np 1) in config.yaml.`,
  ]
}

/** The models that OpenCode is to show: those for chats, each under one name. */
export function opencodeModels(models: readonly CatalogueModel[]): CatalogueModel[] {
  const chats = models.filter(({ use, kind }) => use === 'chat' && kind !== 'profile')
  const shown = new Set(chats.filter(({ kind }) => kind !== 'alias').map(({ id }) => id))
  return chats.filter((model) => {
    if (model.kind !== 'alias') return true
    // An alias alone, where the key may not use the model's own name or llama-swap does not list it.
    const isShown = model.aliases.some((name) => shown.has(name))
    shown.add(model.id)
    return !isShown
  })
}

function renderModel(model: CatalogueModel): OpencodeModel {
  const { id, name, reasoning, input, output, tools, context, outputLimit } = model
  return {
    name: name ?? id,
    ...(reasoning ? { reasoning } : {}),
    ...(input.includes('image') ? { attachment: true } : {}),
    tool_call: tools !== false,
    modalities: { input, output },
    ...(context.tokens === undefined ? {} : { limit: limitsFor(context.tokens, outputLimit) }),
  }
}

type Named = Pick<CatalogueModel, 'id' | 'name'>

/** The model to begin with, where nobody says one: the first that is for code, else the first. */
export function firstModel<T extends Named>(models: readonly T[]): T | undefined {
  return models.find(isForCode) ?? models[0]
}

const CODE = /cod(?:e|ing|estral)|\bdev/i

function isForCode({ id, name }: Named): boolean {
  return CODE.test(id) || CODE.test(name ?? '')
}
