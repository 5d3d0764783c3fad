import type { JsonObject } from './json.ts'
import { commandOf, MODELS, type DemoModel } from './models.ts'
import { SERVERS } from './props.ts'
import { sendJson } from './replies.ts'
import type { Handler } from './visit.ts'

/** GET /v1/models: every model, loaded or not. */
export const listModels: Handler = ({ demo, res }) => {
  const created = Math.floor(Date.now() / 1000)
  const loaded = new Set(demo.swapper.running().map(({ model }) => model))
  const data = MODELS.map((model) => record(model, created, loaded.has(model)))
  sendJson(res, 200, { data, object: 'list' })
}

/** GET /running: the resident model. */
export const listRunning: Handler = ({ demo, res }) => {
  const running = demo.swapper.running().map(({ model, state }) => ({
    model: model.id,
    state,
    cmd: commandOf(model),
    // No process of its own stands behind a demo model, so this leads back here.
    proxy: `${demo.origin()}${SERVERS}/${model.id}`,
    ttl: 0,
    name: model.name,
    description: '',
  }))
  sendJson(res, 200, { running })
}

function record(model: DemoModel, created: number, isLoaded: boolean): JsonObject {
  const { id, name, aliases, context } = model
  return {
    id,
    object: 'model',
    created,
    owned_by: 'llama-swap',
    name,
    context_length: context,
    meta: {
      llamaswap: { ...(aliases.length > 0 && { aliases }), type: 'model' },
      n_ctx: context,
    },
    // A model that is still loading counts as loaded, too.
    status: { value: isLoaded ? 'loaded' : 'unloaded' },
  }
}
