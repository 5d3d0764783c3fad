import { CREATED } from './completion.ts'

/** A model of the look-alike's configuration. */
export type LocalModel = {
  id: string
  aliases: readonly string[]
  name: string
  description: string
  /** The context of one request, as `/props` tells it. */
  contextSize: number
  /** The context written by hand into llama-swap's configuration, which may be wrong. */
  listedContext?: number
  metadata: Record<string, unknown>
  port: number
}

/** What `/running` leaks; no client may ever see it. */
export const SECRET_IN_CMD = 'secret-in-cmd'

/** The local models: one with an alias, one bare, one with everything and a context that lies. */
export const LOCAL_MODELS: readonly LocalModel[] = [
  {
    id: 'gpt-oss-120b',
    aliases: ['gpt'],
    name: '',
    description: '',
    contextSize: 32_768,
    metadata: {},
    port: 5800,
  },
  {
    id: 'glm-4.7-flash',
    aliases: [],
    name: '',
    description: '',
    contextSize: 65_536,
    metadata: {},
    port: 5801,
  },
  {
    id: 'qwen3-coder-next',
    aliases: ['coder'],
    name: 'Qwen3 Coder Next',
    description: 'Writes code',
    contextSize: 65_536,
    listedContext: 131_072,
    metadata: { family: 'qwen' },
    port: 5802,
  },
]

const SELECTOR = { id: 'fast', targets: ['glm-4.7-flash', 'qwen3-coder-next'] }
const PEER = { id: 'cloud', model: 'big-model' }

/** What a name leads to. */
export type Target = { kind: 'local'; model: LocalModel } | { kind: 'peer'; model: string }

/** Finds the model behind an id, an alias, a selector or a peer's model; the loaded one is preferred. */
export function resolveModel(name: string, loaded: string | undefined): Target | undefined {
  if (name === `${PEER.id}/${PEER.model}` || name === PEER.model) {
    return { kind: 'peer', model: PEER.model }
  }
  const warm = SELECTOR.targets.find((id) => id === loaded) ?? SELECTOR.targets[0]
  const wanted = name === SELECTOR.id ? warm : name
  const model = LOCAL_MODELS.find((m) => m.id === wanted || m.aliases.includes(wanted ?? ''))
  return model && { kind: 'local', model }
}

/** `GET /v1/models` as llama-swap answers it. */
export function modelList(loaded: string | undefined): Record<string, unknown> {
  return {
    object: 'list',
    data: [
      ...LOCAL_MODELS.map((model) => record(model.id, localDetails(model, loaded))),
      record(SELECTOR.id, {
        meta: { llamaswap: { type: 'selector', strategy: 'warm', targets: SELECTOR.targets } },
        status: { value: SELECTOR.targets.includes(loaded ?? '') ? 'loaded' : 'unloaded' },
      }),
      record(`${PEER.id}/${PEER.model}`, {
        meta: { llamaswap: { type: 'peer', peerID: PEER.id, modelID: PEER.model } },
        status: { value: 'unloaded' },
      }),
    ],
  }
}

function record(id: string, rest: Record<string, unknown>): Record<string, unknown> {
  return { id, object: 'model', created: CREATED, owned_by: 'llama-swap', ...rest }
}

function localDetails(model: LocalModel, loaded: string | undefined): Record<string, unknown> {
  return {
    ...(model.name && { name: model.name }),
    ...(model.description && { description: model.description }),
    ...(model.listedContext && { context_length: model.listedContext }),
    meta: {
      llamaswap: {
        ...model.metadata,
        type: 'model',
        ...(model.aliases.length > 0 && { aliases: model.aliases }),
      },
      ...(model.listedContext && { n_ctx: model.listedContext }),
    },
    status: { value: model.id === loaded ? 'loaded' : 'unloaded' },
  }
}

/** A model that runs; `flags` are those with which it was started, beside the usual ones. */
export type RunningState = { model: string; state: string; flags?: string }

/** `GET /running`, command line and internal address included. */
export function runningList(loaded: string | undefined, servers?: string): Record<string, unknown> {
  return runningStates(loaded === undefined ? [] : [{ model: loaded, state: 'ready' }], servers)
}

/**
 * The same for models in several states.
 *
 * @param servers where the servers of the models are, each below its own path; ports of nobody unless given
 */
export function runningStates(
  states: readonly RunningState[],
  servers?: string,
): Record<string, unknown> {
  const running = states.flatMap(({ model: id, ...rest }) =>
    LOCAL_MODELS.filter((model) => model.id === id).map((model) => ({ model, ...rest })),
  )
  return {
    running: running.map(({ model, state, flags = '' }) => ({
      model: model.id,
      state,
      cmd: `llama-server --port ${model.port} -m /models/${model.id}.gguf --api-key ${SECRET_IN_CMD}${flags}`,
      proxy: servers ? `${servers}/${model.id}` : `http://localhost:${model.port}`,
      ttl: 0,
      name: model.name,
      description: model.description,
    })),
  }
}

/** llama-server's `/props`: the truth about one request's context. */
export function props(model: LocalModel, contextSize = model.contextSize): Record<string, unknown> {
  return {
    default_generation_settings: { id: 0, n_ctx: contextSize, is_processing: false },
    total_slots: 4,
    model_alias: model.id,
    model_path: `/models/${model.id}.gguf`,
    modalities: { vision: false, audio: false },
    chat_template_caps: { supports_tools: true },
    build_info: 'b11669-look-alike',
  }
}
