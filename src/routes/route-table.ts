import type { StreamFormat } from '../dialects/stream-format.ts'

/** A right that a key can have. */
export type Scope = 'inference' | 'status' | 'admin'

/** What a route is for; decides which scopes may use it. */
export type RouteKind = 'inference' | 'listing' | 'status' | 'admin'

/** Where the model's name stands in a request. */
export type ModelPlace = 'json' | 'json-or-form' | 'query' | 'none'

/** What a request counts as: its tokens too, only itself, or nothing. */
export type RouteCost = 'tokens' | 'request' | 'free'

/** One thing that llama-swap answers. A path that ends in `/*` stands for every path below it. */
export type Route = {
  method: string
  path: string
  kind: RouteKind
  model: ModelPlace
  cost: RouteCost
  /** How a streamed answer of this route is framed and ends; undefined where none is known. */
  stream?: StreamFormat
  /** True where a plain GET changes something or loads a model: never open to a cross-site request. */
  effect?: boolean
}

const post = (path: string, stream?: StreamFormat): Route => ({
  method: 'POST',
  path,
  kind: 'inference',
  model: 'json',
  cost: 'tokens',
  ...(stream && { stream }),
})
/** Sound, pictures and the like: they have no tokens. */
const media = (path: string, model: ModelPlace = 'json'): Route => ({
  ...post(path),
  cost: 'request',
  model,
})
/** Agents count in bursts of fifty before they send anything. */
const count = (path: string): Route => ({ ...post(path), cost: 'free' })
const getForModel = (path: string): Route => ({
  method: 'GET',
  path,
  kind: 'inference',
  model: 'query',
  cost: 'free',
})
const listing = (path: string): Route => ({
  method: 'GET',
  path,
  kind: 'listing',
  model: 'none',
  cost: 'free',
})
const status = (path: string): Route => ({ ...listing(path), kind: 'status' })
const admin = (method: string, path: string, effect = method !== 'GET'): Route => ({
  method,
  path,
  kind: 'admin',
  model: 'none',
  cost: 'free',
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
  count('/v1/messages/count_tokens'),
  post('/v1/embeddings'),
  post('/v1/rerank'),
  post('/v1/reranking'),
  post('/rerank'),
  post('/reranking'),
  post('/infill', 'native'),
  post('/completion', 'native'),
  media('/v1/audio/speech'),
  media('/v1/audio/voices'),
  media('/v1/audio/transcriptions', 'json-or-form'),
  media('/v1/images/generations'),
  media('/v1/images/edits', 'json-or-form'),
  media('/sdapi/v1/txt2img'),
  media('/sdapi/v1/img2img'),
  media('/audioapi/v1/tasks/run'),
  post('/v/chat/completions', 'chat'),
  post('/v/completions', 'chat'),
  post('/v/responses', 'responses'),
  post('/v/messages', 'messages'),
  count('/v/messages/count_tokens'),
  post('/v/embeddings'),
  post('/v/rerank'),
  post('/v/reranking'),
  getForModel('/v1/audio/voices'),
  getForModel('/sdapi/v1/loras'),
  getForModel('/props'),

  // Listing and status: answered by the gate from llama-swap's answer.
  listing('/v1/models'),
  listing('/models'),
  listing('/usage'),
  // Settings for clients, with the models that the key may use.
  listing('/opencode.json'),
  listing('/connect.json'),
  status('/running'),

  // Administration: other people's prompts, logs, and the power to unload.
  status('/wol-health'),
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
