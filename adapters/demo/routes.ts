import { modelRoute } from './call.ts'
import { chat } from './chat.ts'
import { completions } from './completions.ts'
import { countPromptTokens } from './count-tokens.ts'
import { embed } from './embeddings.ts'
import { generate } from './generate.ts'
import { listModels, listRunning } from './listing.ts'
import { messages } from './messages.ts'
import { health, logs, redirect, ui } from './pages.ts'
import { props, serverProps, upstreamProps } from './props.ts'
import { responses } from './responses.ts'
import { unload, UNLOAD_PREFIX, unloadAll, unloadOne } from './unload.ts'
import type { Handler } from './visit.ts'

/** A path's one method and what answers it. */
export interface Route {
  readonly method: 'GET' | 'POST'
  readonly handle: Handler
}

const ROUTES = new Map<string, Route>([
  ['/', get(redirect(302, '/ui'))],
  ['/ui', get(redirect(307, '/ui/'))],
  ['/ui/', get(ui)],
  ['/health', get(health)],
  ['/logs', get(logs)],
  ['/v1/models', get(listModels)],
  ['/models', get(listModels)],
  ['/running', get(listRunning)],
  ['/props', get(props)],
  ['/unload', get(unload)],
  ['/api/models/unload', post(unloadAll)],
  ['/v1/chat/completions', post(modelRoute(generate(chat)))],
  ['/v1/completions', post(modelRoute(generate(completions)))],
  ['/v1/messages', post(modelRoute(generate(messages)))],
  ['/v1/messages/count_tokens', post(modelRoute(countPromptTokens))],
  ['/v1/responses', post(modelRoute(generate(responses)))],
  ['/v1/embeddings', post(modelRoute(embed))],
])

/** Finds what answers a path. */
export function findRoute(path: string): Route | undefined {
  if (path.startsWith(UNLOAD_PREFIX)) return post(unloadOne)
  if (/^\/upstream\/[^/]+\/props$/.test(path)) return get(upstreamProps)
  if (/^\/servers\/[^/]+\/props$/.test(path)) return get(serverProps)
  return ROUTES.get(path)
}

function get(handle: Handler): Route {
  return { method: 'GET', handle }
}

function post(handle: Handler): Route {
  return { method: 'POST', handle }
}
