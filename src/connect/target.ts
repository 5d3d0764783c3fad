import { withoutSlash } from '../config/without-slash.ts'
import type { CatalogueModel } from '../llama-swap/catalogue.ts'
import { limitsFor } from '../opencode/limits.ts'
import { firstModel, opencodeModels } from '../opencode/render-config.ts'
import type { ConnectTo, SnippetBlock } from './clients.ts'

/** Stands where no model is known. */
export const PLACEHOLDER_MODEL = 'your-model'

/** How long a client should wait, in seconds: a large model takes minutes to load, and others may be before it. */
export const PATIENCE_SECONDS = 1800

/** Tokens of a model: of its context, and those of it that an answer may take. */
export type Window = { context: number; output: number }

/** What the settings of one client are written from. */
export type Target = {
  /** Without `/v1` and without a slash at the end. */
  baseUrl: string
  keyVariable: string
  /** The model to begin with. */
  model: string
  /** Undefined where nobody knows its context. */
  window: Window | undefined
  /** Every model for chats, each under one name. */
  chats: readonly CatalogueModel[]
}

/** Chooses the model to begin with: the one that is asked for, else the same as `opencode.json`. */
export function targetOf({ baseUrl, models, model, keyVariable }: ConnectTo): Target {
  const chats = opencodeModels(models)
  const id = model ?? firstModel(chats)?.id ?? PLACEHOLDER_MODEL
  const chosen = models.find((each) => each.id === id)
  return {
    baseUrl: withoutSlash(baseUrl),
    keyVariable,
    model: id,
    window: chosen && windowOf(chosen),
    chats,
  }
}

/** The window of a model; undefined where its context is not known. */
export function windowOf({ context, outputLimit }: CatalogueModel): Window | undefined {
  if (context.tokens === undefined) return undefined
  return { context: context.tokens, output: limitsFor(context.tokens, outputLimit).output }
}

/** The line that a person completes with the key. */
export function keyBlock({ keyVariable }: Target): SnippetBlock {
  return {
    where: 'A terminal, with your key in place of sk-...',
    language: 'sh',
    text: `export ${keyVariable}='sk-...'\n`,
  }
}

/** Tells how a context is found that nobody knows; nothing where it is known. */
export function contextNotes({ model, window }: Target, setting: string): string[] {
  if (window) return []
  if (model === PLACEHOLDER_MODEL)
    return [
      `Left out here: ${setting}. It follows from the context of your model, which GET /v1/models tells as context_length.`,
    ]
  return [
    `The context of ${model} is not known here, so ${setting} is left out. GET /v1/models says context_length once the model has been loaded; the owner of the gate may also write it into "contexts" of config.json.`,
  ]
}
