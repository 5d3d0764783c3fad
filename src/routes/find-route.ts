import { ROUTES, type Route, type Scope } from './route-table.ts'

export type FoundRoute =
  | { found: 'route'; route: Route }
  | { found: 'other-methods'; allow: string[] }
  | { found: 'nothing' }

type Methods = Map<string, Route>

/** Exact paths by name, and the few paths that stand for all below them. */
function indexOf(routes: readonly Route[]): {
  exact: Map<string, Methods>
  below: Map<string, Methods>
} {
  const exact = new Map<string, Methods>()
  const below = new Map<string, Methods>()
  for (const route of routes) {
    const isPrefix = route.path.endsWith('/*')
    const [index, path] = isPrefix ? [below, route.path.slice(0, -1)] : [exact, route.path]
    index.set(path, (index.get(path) ?? new Map<string, Route>()).set(route.method, route))
  }
  return { exact, below }
}

const { exact, below } = indexOf(ROUTES)

function methodsBelow(path: string): Methods | undefined {
  for (const [prefix, methods] of below) if (path.startsWith(prefix)) return methods
  return undefined
}

/**
 * Looks a canonical path up. HEAD counts as GET, because llama-swap answers it so (`HEAD /unload` unloads).
 */
export function findRoute(method: string, path: string): FoundRoute {
  const routes = exact.get(path) ?? methodsBelow(path)
  if (!routes) return { found: 'nothing' }
  const route = routes.get(method === 'HEAD' ? 'GET' : method)
  if (route) return { found: 'route', route }
  const allow = [...routes.keys()].flatMap((known) => (known === 'GET' ? ['GET', 'HEAD'] : [known]))
  return { found: 'other-methods', allow }
}

const SCOPES_FOR: Record<Route['kind'], readonly Scope[]> = {
  inference: ['inference'],
  listing: ['inference', 'status', 'admin'],
  status: ['status', 'admin'],
  admin: ['admin'],
}

/** The scopes of which one is needed for a route, the least first. */
export function scopesFor(route: Route): readonly Scope[] {
  return SCOPES_FOR[route.kind]
}
