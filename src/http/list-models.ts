import { ask, errorOfAsked, type Answer, type Asked, type Asking } from '../llama-swap/ask.ts'
import type { ModelDirectory } from '../llama-swap/model-directory.ts'
import { allowsModel } from '../llama-swap/model-names.ts'
import { namesInListing, readListing } from '../llama-swap/read-listing.ts'
import { entries, field } from '../llama-swap/read-unknown.ts'
import type { GateMiddleware } from './gate-env.ts'
import { freshText } from './own-answer.ts'
import { refuse } from './refuse.ts'

/** `GET /v1/models`: llama-swap's records, those that the key may use, fresh each time. */
export function listModels(asking: Asking, directory: ModelDirectory): GateMiddleware {
  return async (c) => {
    const answer = await ask(asking, '/v1/models')
    if (!isAnswer(answer)) return refuse(c, errorOfAsked(answer))
    const listing = readListing(answer.text)
    if (!listing) return refuse(c, errorOfAsked(answer))
    const names = await directory.learn(namesInListing(listing))
    const { models } = c.get('principal')
    const data = listing.filter(({ id }) => allowsModel(models, id, names))
    return freshText(c, JSON.stringify({ object: 'list', data }), 'application/json')
  }
}

const SHOWN_OF_RUNNING = new Set(['model', 'state', 'ttl', 'name', 'description'])

/**
 * `GET /running`: what is loaded, without `cmd` and `proxy`, which hold paths, ports and keys of the machine. Admins get
 * llama-swap's own answer.
 */
export function listRunning(asking: Asking, directory: ModelDirectory): GateMiddleware {
  return async (c, next) => {
    const { scopes, models } = c.get('principal')
    if (scopes.includes('admin')) return next()
    const answer = await ask(asking, '/running')
    if (!isAnswer(answer)) return refuse(c, errorOfAsked(answer))
    const running = field(parsed(answer.text), 'running')
    if (!Array.isArray(running)) return refuse(c, errorOfAsked(answer))
    const { names } = await directory.namesFor('')
    const visible = running.filter((item) =>
      allowsModel(models, String(field(item, 'model')), names),
    )
    const shown = visible.map((item) =>
      Object.fromEntries(entries(item).filter(([name]) => SHOWN_OF_RUNNING.has(name))),
    )
    return freshText(c, JSON.stringify({ running: shown }), 'application/json')
  }
}

function isAnswer(answer: Asked): answer is Answer {
  return typeof answer === 'object' && answer.status === 200
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
