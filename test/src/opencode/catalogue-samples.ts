import type { CatalogueModel } from '../../../src/llama-swap/catalogue.ts'

/** A model for chats with a known context; `about` says what is different. */
export function aModel(id: string, about: Partial<CatalogueModel> = {}): CatalogueModel {
  return {
    id,
    name: undefined,
    description: undefined,
    kind: 'model',
    use: 'chat',
    input: ['text'],
    output: ['text'],
    tools: true,
    reasoning: false,
    outputLimit: undefined,
    slots: 1,
    aliases: [],
    isLoaded: false,
    context: aContext(131_072),
    ...about,
  }
}

/** A context that is surely known. */
export function aContext(tokens: number): CatalogueModel['context'] {
  return { tokens, source: 'command', certainty: 'exact', why: '--ctx-size, one slot' }
}

export const NO_CONTEXT: CatalogueModel['context'] = {
  tokens: undefined,
  source: 'unknown',
  why: 'no --ctx-size',
}

/** The three models of config.yaml.example, as docs/opencode.md has them. */
export const THREE_MODELS: readonly CatalogueModel[] = [
  aModel('gpt-oss-120b', {
    name: 'GPT-OSS 120B (Reasoning)',
    reasoning: true,
    context: aContext(98_304),
  }),
  aModel('glm-4.7-flash', { name: 'GLM 4.7 Flash (General)', reasoning: true }),
  aModel('qwen3-coder-next', { name: 'Qwen3 Coder Next (Coding)', aliases: ['coder'] }),
  aModel('coder', {
    name: 'Qwen3 Coder Next (Coding)',
    kind: 'alias',
    aliases: ['qwen3-coder-next'],
  }),
]
