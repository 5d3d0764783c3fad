import { withModel, type Work } from './call.ts'
import { SLOTS } from './models.ts'
import { sendJson } from './replies.ts'
import type { Handler } from './visit.ts'

/** GET /props?model=: llama-server's own description. Asking loads a model that is not. */
export const props: Handler = (visit) =>
  withModel({ visit, body: {}, name: visit.query.get('model') ?? '' }, describe)

/** GET /upstream/<model>/props: the same, with the model in the path. */
export const upstreamProps: Handler = (visit) =>
  withModel({ visit, body: {}, name: visit.path.split('/')[2] ?? '' }, describe)

const describe: Work = ({ visit, model }) => {
  sendJson(visit.res, 200, {
    default_generation_settings: { n_ctx: model.context },
    total_slots: SLOTS,
    model_alias: model.id,
    model_path: `${model.id}.gguf`,
    modalities: { vision: false, video: false, audio: false },
    chat_template_caps: { supports_tools: false, supports_tool_calls: false },
    build_info: 'demo',
  })
}
