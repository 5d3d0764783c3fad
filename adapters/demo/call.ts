import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseObject, type JsonObject } from './json.ts'
import { findModel, type DemoModel } from './models.ts'
import {
  NO_MODEL,
  sendEmpty,
  sendSwapError,
  TOO_MANY_REQUESTS,
  UNKNOWN_MODEL,
  UNLOADED_WHILE_WAITING,
} from './replies.ts'
import type { Lease } from './swapper.ts'
import type { Handler, Visit } from './visit.ts'

/** A request whose model is loaded and held for it. */
export interface Call {
  readonly visit: Visit
  readonly body: JsonObject
  readonly model: DemoModel
  readonly lease: Lease
  /** Aborts when the client is gone or the model was unloaded. */
  readonly stop: AbortSignal
}

export type Work = (call: Call) => void | Promise<void>

const MAX_BODY_BYTES = 100 * 1024 * 1024

/** A route that finds its model in a JSON body. */
export function modelRoute(work: Work): Handler {
  return async (visit) => {
    const text = await readBody(visit.req)
    if (text === undefined) return sendEmpty(visit.res, 413, { connection: 'close' })
    // llama-swap looks for a model in JSON only when the type says so, with exactly this spelling.
    const isJson = visit.req.headers['content-type']?.includes('application/json')
    const body = isJson ? parseObject(text) : undefined
    await withModel({ visit, body: body ?? {}, name: nameOf(body?.['model']) }, work)
  }
}

/** Loads the model, does the work and gives the model back, whatever happens in between. */
export async function withModel(
  request: { readonly visit: Visit; readonly body: JsonObject; readonly name: string },
  work: Work,
): Promise<void> {
  const { visit, body, name } = request
  if (name === '') return sendSwapError(visit.res, NO_MODEL)
  const model = findModel(name)
  if (!model) return sendSwapError(visit.res, UNKNOWN_MODEL)

  const gone = goneSignal(visit.res)
  const admission = await visit.demo.swapper.acquire(model, gone)
  if (admission.kind === 'gone') return
  if (admission.kind === 'busy') return sendSwapError(visit.res, TOO_MANY_REQUESTS)
  if (admission.kind === 'unloaded') return sendSwapError(visit.res, UNLOADED_WHILE_WAITING)

  const { lease } = admission
  try {
    await work({ visit, body, model, lease, stop: AbortSignal.any([gone, lease.unloaded]) })
  } finally {
    lease.release()
  }
}

/** Aborts when the connection ends, which is only interesting while the answer is not complete. */
function goneSignal(res: ServerResponse): AbortSignal {
  const controller = new AbortController()
  if (res.destroyed) controller.abort()
  res.once('close', () => controller.abort())
  return controller.signal
}

async function readBody(req: IncomingMessage): Promise<string | undefined> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of req as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > MAX_BODY_BYTES) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function nameOf(model: unknown): string {
  if (model === undefined || model === null) return ''
  return typeof model === 'string' ? model : JSON.stringify(model)
}
