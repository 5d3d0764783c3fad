/** Where a request to a model goes: the path on llama-server by method and path on llama-swap. */
export const MODEL_ROUTES: ReadonlyMap<string, string> = new Map([
  ...both('/v1', ['/chat/completions', '/completions', '/responses', '/messages']),
  ...both('/v1', ['/messages/count_tokens', '/embeddings', '/rerank', '/reranking']),
  ...both('/v', ['/chat/completions', '/completions', '/responses', '/messages']),
  ...both('/v', ['/messages/count_tokens', '/embeddings', '/rerank', '/reranking']),
  ...both('', ['/rerank', '/reranking', '/infill', '/completion']),
  ...both('/v1', ['/audio/speech', '/audio/voices', '/audio/transcriptions']),
  ...both('/v1', ['/images/generations', '/images/edits']),
  ...both('', ['/sdapi/v1/txt2img', '/sdapi/v1/img2img']),
  ['POST /audioapi/v1/tasks/run', '/v1/tasks/run'],
  ['GET /v1/audio/voices', '/v1/audio/voices'],
  ['GET /sdapi/v1/loras', '/sdapi/v1/loras'],
  ['GET /props', '/props'],
])

/** POST routes with one prefix; llama-swap takes `/v` off and leaves `/v1` on. */
function both(prefix: '/v1' | '/v' | '', paths: readonly string[]): [string, string][] {
  return paths.map((path) => [`POST ${prefix}${path}`, prefix === '/v' ? path : `${prefix}${path}`])
}

/** Paths that answer `admin:<path>`, with the methods they take. */
const ADMIN_ROUTES: readonly (readonly [methods: readonly string[], path: RegExp])[] = [
  [['GET'], /^\/(unload|logs|metrics)$/],
  [['GET'], /^\/logs\/stream(\/|$)/],
  [['GET'], /^\/ui\//],
  [['GET', 'POST', 'PUT', 'DELETE'], /^\/api\/./],
  [['GET', 'POST'], /^\/comfyui\//],
]

/** Admin streams stay open after their first bytes, as the real ones do. */
export function isAdminStream(path: string): boolean {
  return path === '/api/events' || /^\/logs\/stream(\/|$)/.test(path)
}

/** The methods of an admin path, or undefined when it is none. */
export function adminMethods(path: string): readonly string[] | undefined {
  return ADMIN_ROUTES.find(([, pattern]) => pattern.test(path))?.[0]
}

/** The methods that a model route answers at a path: several routes may share it. */
export function modelMethods(path: string): string[] {
  return ['GET', 'POST'].filter((method) => MODEL_ROUTES.has(`${method} ${path}`))
}

/** True for the endpoints of a model that are worth misbehaving at; `/props` is a probe. */
export function isInference(serverPath: string): boolean {
  return serverPath !== '/props' && [...MODEL_ROUTES.values()].includes(serverPath)
}
