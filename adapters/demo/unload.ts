import { findModel } from './models.ts'
import { MODEL_NOT_FOUND, sendJson, sendSwapError, sendText } from './replies.ts'
import type { Handler } from './visit.ts'

export const UNLOAD_PREFIX = '/api/models/unload/'

/** GET /unload: stops whatever runs. */
export const unload: Handler = ({ demo, res }) => {
  demo.swapper.unload()
  sendText(res, 'OK')
}

/** POST /api/models/unload: the same, answered in JSON. */
export const unloadAll: Handler = ({ demo, res }) => {
  demo.swapper.unload()
  sendJson(res, 200, { msg: 'ok' })
}

/** POST /api/models/unload/<model>: stops one model. */
export const unloadOne: Handler = ({ demo, res, path }) => {
  const model = findModel(path.slice(UNLOAD_PREFIX.length))
  if (!model) return sendSwapError(res, MODEL_NOT_FOUND)
  demo.swapper.unload(model)
  sendText(res, 'OK')
}
