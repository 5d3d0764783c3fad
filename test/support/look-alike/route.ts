import { adminAnswer, healthAnswer } from './admin-answers.ts'
import type { Answer } from './answer.ts'
import { json, plain, text, withHeaders } from './answer.ts'
import type { LocalModel } from './catalogue.ts'
import { modelList, resolveModel, runningStates, type RunningState } from './catalogue.ts'
import type { ModelServers } from './model-servers.ts'
import type { SeenPath } from './clean-path.ts'
import { seePath } from './clean-path.ts'
import type { Tokens } from './completion.ts'
import { USUAL_TOKENS } from './completion.ts'
import { llamaSwapError } from './error-answers.ts'
import { answerAsLlamaServer } from './llama-server.ts'
import { modelOf } from './model-of.ts'
import type { RecordedRequest } from './recorded-request.ts'
import { headerOf } from './recorded-request.ts'
import { adminMethods, isAdminStream, isInference, MODEL_ROUTES, modelMethods } from './routes.ts'
import type { SwapSchedule } from './swapping.ts'

/** What the box remembers: one model is resident at a time, unless a schedule says what is. */
export type Box = {
  loaded: string | undefined
  schedule: SwapSchedule | undefined
  servers: ModelServers
}

/** Where a request leads: its usual answer, and what may be done to it instead. */
export type Routed = {
  /** The decoded path, by which behaviours for one path are found. */
  path: string
  /** True for paths where queued behaviours apply. */
  inference: boolean
  /** True for streams that stay open after their first bytes. */
  staysOpen: boolean
  /** The model on this box that must be loaded for it. */
  needs: string | undefined
  /** Builds the usual answer; loading a model or unloading all happens here. */
  answer: (tokens?: Tokens) => Promise<Answer>
}

/** Finds the route of a request as llama-swap would, and notes the model it would reach. */
export async function route(request: RecordedRequest, box: Box): Promise<Routed> {
  const seen = seePath(request.url)
  if (request.method === 'OPTIONS') return fixed(request.url, preflight(request))
  if (seen.kind === 'redirect') {
    return fixed(request.url, plain(307, [['location', seen.location]], ''))
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method
  if (seen.segments[0] === 'upstream') return routeUpstream(request, seen, box)
  const serverPath = MODEL_ROUTES.get(`${method} ${seen.path}`)
  if (serverPath === undefined) return routeOwn(request, seen.path, box)
  request.model = await modelOf(request, seen.query)
  return toModel({ request, box, path: seen.path, serverPath })
}

function fixed(path: string, answer: Answer): Routed {
  return {
    path,
    inference: false,
    staysOpen: false,
    needs: undefined,
    answer: () => Promise.resolve(answer),
  }
}

/** llama-swap's own pages: lists, health, and everything that a user must not reach. */
function routeOwn(request: RecordedRequest, path: string, box: Box): Routed {
  const allowed = ownMethods(path)
  if (allowed.length === 0) return fixed(path, text('404 page not found\n', 404))
  if (!allowed.includes(request.method === 'HEAD' ? 'GET' : request.method)) {
    const allow = allowed.includes('GET') ? [...allowed, 'HEAD'] : allowed
    return fixed(path, text('Method Not Allowed\n', 405, [['allow', allow.join(', ')]]))
  }
  return {
    path,
    inference: false,
    staysOpen: isAdminStream(path),
    needs: undefined,
    answer: () => Promise.resolve(ownAnswer(request, path, box)),
  }
}

function ownMethods(path: string): readonly string[] {
  if (healthAnswer(path) !== undefined || isList(path)) return ['GET']
  return adminMethods(path) ?? modelMethods(path)
}

function isList(path: string): boolean {
  return path === '/v1/models' || path === '/models' || path === '/running'
}

function ownAnswer(request: RecordedRequest, path: string, box: Box): Answer {
  if (path === '/running')
    return json(runningStates(box.servers.states(runningIn(box)), box.servers.url))
  if (isList(path)) {
    const origin = headerOf(request, 'origin')
    const list = json(modelList(box.loaded))
    return origin === undefined
      ? list
      : withHeaders(list, [['access-control-allow-origin', origin]])
  }
  if (path === '/unload' || path.startsWith('/api/models/unload')) {
    box.loaded = undefined
    box.schedule?.reset(undefined)
  }
  return healthAnswer(path) ?? adminAnswer(path)
}

/** What is loaded or being loaded. */
export function runningIn({ loaded, schedule }: Omit<Box, 'servers'>): RunningState[] {
  if (schedule) return schedule.running()
  return loaded === undefined ? [] : [{ model: loaded, state: 'ready' }]
}

type ModelCall = { request: RecordedRequest; box: Box; path: string; serverPath: string }

/** `/upstream/<model>/<path>`: the model is the longest run of segments that names one. */
function routeUpstream(
  request: RecordedRequest,
  seen: Extract<SeenPath, { kind: 'path' }>,
  box: Box,
): Routed {
  const segments = seen.segments.slice(1)
  if (segments.length === 0) return fixed(seen.path, redirect(302, '/ui/models'))
  for (let count = segments.length; count > 0; count--) {
    const name = segments.slice(0, count).join('/')
    if (resolveModel(name, box.loaded) === undefined) continue
    if (count === segments.length) {
      const status = request.method === 'GET' || request.method === 'HEAD' ? 301 : 308
      return fixed(seen.path, redirect(status, `${seen.path}/`))
    }
    request.model = name
    const serverPath = `/${segments.slice(count).join('/')}`
    return toModel({ request, box, path: seen.path, serverPath })
  }
  return fixed(seen.path, refusal(404, 'model not found'))
}

function toModel(call: ModelCall): Routed {
  const target = call.request.model && resolveModel(call.request.model, call.box.loaded)
  return {
    path: call.path,
    inference: isInference(call.serverPath),
    staysOpen: false,
    needs: target && target.kind === 'local' ? target.model.id : undefined,
    answer: (tokens = USUAL_TOKENS) => answerOfModel(call, tokens),
  }
}

async function answerOfModel(call: ModelCall, tokens: Tokens): Promise<Answer> {
  const { request, box } = call
  if (request.model === undefined) return refusal(404, 'no model id could be identified')
  const target = resolveModel(request.model, box.loaded)
  if (target === undefined) return refusal(404, 'no router for requested model')
  if (target.kind === 'local') box.loaded = target.model.id
  const model = target.kind === 'local' ? target.model : peerModel(target.model)
  return answerAsLlamaServer({ path: call.serverPath, request, model, tokens })
}

function peerModel(id: string): LocalModel {
  const none = { aliases: [], name: '', description: '', metadata: {} }
  return { ...none, id, contextSize: 8192, port: 0 }
}

function refusal(status: number, message: string): Answer {
  const kind = { type: 'invalid_request_error', code: 'not_found' }
  const { headers = [], body = '' } = llamaSwapError(status, message, kind)
  return plain(status, headers, body)
}

function redirect(status: number, location: string): Answer {
  return plain(status, [['location', location]], '')
}

/** llama-swap answers OPTIONS on any path and lets everyone in. */
function preflight(request: RecordedRequest): Answer {
  const asked = headerOf(request, 'access-control-request-headers')
  return plain(
    204,
    [
      ['access-control-allow-origin', '*'],
      ['access-control-allow-methods', 'GET, POST, PUT, PATCH, DELETE, OPTIONS'],
      [
        'access-control-allow-headers',
        asked ?? 'Content-Type, Authorization, Accept, X-Requested-With',
      ],
      ['access-control-max-age', '86400'],
    ],
    '',
  )
}
