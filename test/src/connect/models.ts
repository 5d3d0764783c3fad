import type { CatalogueModel } from '../../../src/llama-swap/catalogue.ts'

/** A model for chats whose context is known exactly, but for what is said otherwise. */
export function chatModel(about: Partial<CatalogueModel> & { id: string }): CatalogueModel {
  return {
    name: undefined,
    description: undefined,
    kind: 'model',
    aliases: [],
    context: {
      tokens: 131_072,
      source: 'props',
      certainty: 'exact',
      why: 'the running server says so',
    },
    isLoaded: false,
    use: 'chat',
    input: ['text'],
    output: ['text'],
    tools: undefined,
    reasoning: false,
    outputLimit: undefined,
    slots: undefined,
    ...about,
  }
}

/** A context that nobody knows. */
export const UNKNOWN: CatalogueModel['context'] = {
  tokens: undefined,
  source: 'unknown',
  why: 'its command names no size',
}
