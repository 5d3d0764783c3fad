import type { StreamFormat } from '../dialects/stream-format.ts'

/** A right that a key can have. */
export type Scope = 'inference' | 'status' | 'admin'

/** What a route is for; decides which scopes may use it. */
export type RouteKind = 'inference' | 'listing' | 'status' | 'admin'

/** Where the model's name stands in a request. */
export type ModelPlace = 'json' | 'json-or-form' | 'query' | 'none'

/** One thing that llama-swap answers. A path that ends in `/*` stands for every path below it. */
export type Route = {
  method: string
  path: string
  kind: RouteKind
  model: ModelPlace
  /** How a streamed answer of this route is framed and ends; undefined where none is known. */
  stream?: StreamFormat
  /** True where a plain GET changes something or loads a model: never open to a cross-site request. */
  effect?: boolean
}

const post = (path: string, stream?: StreamFormat, model: ModelPlace = 'json'): Route => ({
  method: 'POST',
  path,
  kind: 'inference',
  model,
  ...(stream && { stream }),
})
const getForModel = (path: string): Route => ({
  method: 'GET',
  path,
  kind: 'inference',
  model: 'query',
})
const listing = (path: string): Route => ({ method: 'GET', path, kind: 'listing', model: 'none' })
const admin = (method: string, path: string, effect = method !== 'GET'): Route => ({
  method,
  path,
  kind: 'admin',
  model: 'none',
  effect,
})
const ANY = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Every path that llama-swap serves. What is not here does not pass. */
export const ROUTES: readonly Route[] = [
  // Inference: the model's name decides, llama-swap loads it.
  post('/v1/chat/completions', 'chat'),
  post('/v1/completions', 'chat'),
  post('/v1/responses', 'responses'),
  post('/v1/messages', 'messages'),
  post('/v1/messages/count_tokens'),
  post('/v1/embeddings'),
  post('/v1/rerank'),
  post('/v1/reranking'),
  post('/rerank'),
  post('/reranking'),
  post('/infill', 'native'),
  post('/completion', 'native'),
  post('/v1/audio/speech'),
  post('/v1/audio/voices'),
  post('/v1/audio/transcriptions', undefined, 'json-or-form'),
  post('/v1/images/generations'),
  post('/v1/images/edits', undefined, 'json-or-form'),
  post('/sdapi/v1/txt2img'),
  post('/sdapi/v1/img2img'),
  post('/audioapi/v1/tasks/run'),
  post('/v/chat/completions', 'chat'),
  post('/v/completions', 'chat'),
  post('/v/responses', 'responses'),
  post('/v/messages', 'messages'),
  post('/v/messages/count_tokens'),
  post('/v/embeddings'),
  post('/v/rerank'),
  post('/v/reranking'),
  getForModel('/v1/audio/voices'),
  getForModel('/sdapi/v1/loras'),
  getForModel('/props'),

  // Listing and status: answered by the gate from llama-swap's answer.
  listing('/v1/models'),
  listing('/models'),
  { method: 'GET', path: '/running', kind: 'status', model: 'none' },

  // Administration: other people's prompts, logs, and the power to unload.
  { method: 'GET', path: '/wol-health', kind: 'status', model: 'none' },
  admin('GET', '/unload', true),
  admin('POST', '/api/models/unload'),
  admin('POST', '/api/models/unload/*'),
  admin('PUT', '/api/profiles/active'),
  admin('GET', '/api/profiles'),
  admin('POST', '/api/inflight/*'),
  admin('GET', '/api/events'),
  admin('GET', '/api/metrics/activity'),
  admin('GET', '/api/metrics/stats'),
  admin('GET', '/api/performance'),
  admin('GET', '/api/version'),
  admin('GET', '/api/hardware'),
  admin('GET', '/api/captures/*'),
  admin('GET', '/logs'),
  admin('GET', '/logs/stream'),
  admin('GET', '/logs/stream/*'),
  admin('GET', '/metrics'),
  admin('GET', '/ui'),
  admin('GET', '/ui/*'),
  admin('GET', '/favicon.ico'),
  admin('GET', '/upstream'),
  ...ANY.map((method) => admin(method, '/upstream/*', true)),
  ...ANY.map((method) => admin(method, '/comfyui/*', true)),
]
