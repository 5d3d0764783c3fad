import { ask, errorOfAsked, type Answer, type Asked, type AskingFor } from '../llama-swap/ask.ts'
import type { ModelDirectory } from '../llama-swap/model-directory.ts'
import { allowsModel } from '../llama-swap/model-names.ts'
import { namesInListing, readListing } from '../llama-swap/read-listing.ts'
import { readRunning } from '../llama-swap/read-running.ts'
import { entries } from '../llama-swap/read-unknown.ts'
import type { GateMiddleware } from './gate-env.ts'
import { freshText } from './own-answer.ts'
import { refuse } from './refuse.ts'

/** `GET /v1/models`: llama-swap's records, those that the key may use, fresh each time. */
export function listModels(asking: AskingFor, directory: ModelDirectory): GateMiddleware {
  return async (c) => {
    const answer = await ask(asking(c.get('via')), '/v1/models')
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
export function listRunning(asking: AskingFor, directory: ModelDirectory): GateMiddleware {
  return async (c, next) => {
    const { scopes, models } = c.get('principal')
    if (scopes.includes('admin')) return next()
    const answer = await ask(asking(c.get('via')), '/running')
    if (!isAnswer(answer)) return refuse(c, errorOfAsked(answer))
    const running = readRunning(answer.text)
    if (!running) return refuse(c, errorOfAsked(answer))
    const { names } = await directory.namesFor('', c.get('via'))
    const visible = running.filter(({ model }) => allowsModel(models, model, names))
    const shown = visible.map(({ record }) =>
      Object.fromEntries(entries(record).filter(([name]) => SHOWN_OF_RUNNING.has(name))),
    )
    return freshText(c, JSON.stringify({ running: shown }), 'application/json')
  }
}

function isAnswer(answer: Asked): answer is Answer {
  return typeof answer === 'object' && answer.status === 200
}
