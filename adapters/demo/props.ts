import { withModel, type Work } from './call.ts'
import type { JsonObject } from './json.ts'
import { SLOTS, type DemoModel } from './models.ts'
import { sendJson } from './replies.ts'
import type { Handler } from './visit.ts'

/** GET /props?model=: llama-server's own description. Asking loads a model that is not. */
export const props: Handler = (visit) =>
  withModel({ visit, body: {}, name: visit.query.get('model') ?? '' }, describe)

/** GET /upstream/<model>/props: the same, with the model in the path. */
export const upstreamProps: Handler = (visit) =>
  withModel({ visit, body: {}, name: visit.path.split('/')[2] ?? '' }, describe)

/** Below it each running model has a path that stands for its own server. */
export const SERVERS = '/servers'

/** GET /servers/<model>/props: asked past llama-swap, so it loads nothing, waits for nothing and is no use. */
export const serverProps: Handler = ({ demo, res, path }) => {
  const id = path.split('/')[2]
  const running = demo.swapper.running().find(({ model }) => model.id === id)
  if (running?.state === 'ready') return sendJson(res, 200, description(running.model))
  sendJson(res, 503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } })
}

const describe: Work = ({ visit, model }) => sendJson(visit.res, 200, description(model))

function description(model: DemoModel): JsonObject {
  return {
    default_generation_settings: { n_ctx: model.context },
    total_slots: SLOTS,
    model_alias: model.id,
    model_path: `${model.id}.gguf`,
    modalities: { vision: false, video: false, audio: false },
    chat_template_caps: { supports_tools: true, supports_tool_calls: true },
    build_info: 'demo',
  }
}
