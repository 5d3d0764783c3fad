import type { CatalogueModel } from '../../llama-swap/catalogue.ts'
import type { Snippet } from '../clients.ts'
import { contextNotes, keyBlock, windowOf, type Target } from '../target.ts'

/** Zed asks for no list of models: each stands in its settings, and its context has to. */
export function zedSettings(target: Target): Omit<Snippet, 'client'> {
  const known = target.chats.filter((model) => windowOf(model) !== undefined)
  const models = known.length === 0 ? [{ name: target.model }] : known.map(zedModel)
  const settings = {
    language_models: {
      openai_compatible: {
        swapgate: { api_url: `${target.baseUrl}/v1`, available_models: models },
      },
    },
  }
  return {
    title: 'Zed',
    blocks: [
      {
        where: 'settings.json (zed: open settings file)',
        language: 'json',
        text: `${JSON.stringify(settings, null, 2)}\n`,
      },
      keyBlock(target),
      {
        where: 'The same terminal',
        language: 'sh',
        text: `export SWAPGATE_API_KEY="$${target.keyVariable}"\nzed .\n`,
      },
    ],
    notes: [
      'Started from a desktop, Zed sees no variable of a terminal: enter the key in its settings, under LLM Providers, swapgate. It is kept in the keychain.',
      ...(known.length === 0 ? contextNotes(target, 'max_tokens, which Zed needs,') : []),
      ...missingNotes(target, known),
    ],
  }
}

function zedModel(model: CatalogueModel): Record<string, unknown> {
  const window = windowOf(model)
  return {
    name: model.id,
    display_name: model.name ?? model.id,
    max_tokens: window?.context,
    max_output_tokens: window?.output,
    capabilities: {
      tools: model.tools !== false,
      images: model.input.includes('image'),
      parallel_tool_calls: false,
      prompt_cache_key: false,
    },
  }
}

function missingNotes({ chats }: Target, known: readonly CatalogueModel[]): string[] {
  const missing = chats.filter((model) => !known.includes(model)).map(({ id }) => id)
  if (known.length === 0 || missing.length === 0) return []
  return [`Left out, since Zed needs to know the context: ${missing.join(', ')}.`]
}
