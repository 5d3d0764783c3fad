import { ask, errorOfAsked, type Answer, type Asked, type AskingFor } from '../llama-swap/ask.ts'
import type { ModelDirectory } from '../llama-swap/model-directory.ts'
import { allowsModel } from '../llama-swap/model-names.ts'
import { readRunning } from '../llama-swap/read-running.ts'
import { entries } from '../json/read-unknown.ts'
import type { GateMiddleware } from './gate-env.ts'
import type { KeyModels } from './key-models.ts'
import { freshText } from './own-answer.ts'
import { refuse } from './refuse.ts'

/** `GET /v1/models`: the models that the key may use, in OpenAI's form and in Anthropic's, fresh each time. */
export function listModels(keyModels: KeyModels): GateMiddleware {
  return async (c) => {
    const found = await keyModels(c)
    if (!found.ok) return refuse(c, found.error)
    const data = found.records
    const ends = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
    const list = { object: 'list', data, has_more: false, ...ends }
    return freshText(c, JSON.stringify(list), 'application/json')
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
