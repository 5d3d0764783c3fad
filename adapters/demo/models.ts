/** One entry of the demo's fixed model list, as a llama-swap configuration would describe it. */
export interface DemoModel {
  readonly id: string
  readonly name: string
  readonly aliases: readonly string[]
  /** Tokens one request may use, prompt and answer together. */
  readonly context: number
  /** Whether the model thinks aloud (`reasoning_content`) before it answers. */
  readonly reasons: boolean
  /** The port the model's own llama-server would have; it only appears in `cmd`. */
  readonly port: number
}

/** The three models, in the order of their ids, which is also the order llama-swap lists them in. */
export const MODELS: readonly DemoModel[] = [
  {
    id: 'glm-4.7-flash',
    name: 'GLM 4.7 Flash (General)',
    aliases: [],
    context: 131_072,
    reasons: false,
    port: 5800,
  },
  {
    id: 'gpt-oss-120b',
    name: 'GPT-OSS 120B (Reasoning)',
    aliases: [],
    context: 98_304,
    reasons: true,
    port: 5801,
  },
  {
    id: 'qwen3-coder-next',
    name: 'Qwen3 Coder Next (Coding)',
    aliases: ['coder'],
    context: 131_072,
    reasons: false,
    port: 5802,
  },
]

/** Requests a model answers side by side; each may use the whole context, which `-kvu` allows. */
export const SLOTS = 4

/** Finds a model by its id or one of its aliases. */
export function findModel(name: string): DemoModel | undefined {
  return MODELS.find((model) => model.id === name || model.aliases.includes(name))
}

/** The command line llama-swap would have started the model with. */
export function commandOf(model: DemoModel): string {
  return `llama-server --port ${model.port} -m ${model.id}.gguf -c ${model.context} -np ${SLOTS} -kvu`
}
