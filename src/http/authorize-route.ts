import { isFromOwnPage } from '../auth/same-origin.ts'
import { hasScope } from '../auth/principal.ts'
import type { Deps } from '../deps.ts'
import { findRoute, scopesFor } from '../routes/find-route.ts'
import type { GateContext, GateMiddleware } from './gate-env.ts'
import { refuse } from './refuse.ts'

/** Default deny: a path of the route table, by a key with the scope, and not by another site's page. */
export function authorizeRoute({ config }: Deps): GateMiddleware {
  const publicHosts = config.publicUrl === undefined ? [] : [new URL(config.publicUrl).host]
  return async (c, next) => {
    const found = findRoute(c.req.method, c.env.target.path)
    if (found.found === 'nothing') return refuse(c, { kind: 'route-unknown' })
    if (found.found === 'other-methods')
      return refuse(c, { kind: 'method-not-allowed', allow: found.allow })
    const { route } = found
    const needed = scopesFor(route)
    if (!hasScope(c.get('principal'), needed)) return refuse(c, { kind: 'scope-missing', needed })
    // A Basic password is the one credential that a browser sends without being asked.
    const mayBeUnasked = c.get('scheme') === 'basic'
    if (
      route.effect &&
      mayBeUnasked &&
      !isFromOwnPage(evidenceOf(c), [c.env.target.host, ...publicHosts])
    )
      return refuse(c, { kind: 'cross-site' })
    c.set('route', route)
    c.get('scope').route = route
    return next()
  }
}

function evidenceOf(c: GateContext): Parameters<typeof isFromOwnPage>[0] {
  return {
    secFetchSite: c.req.header('sec-fetch-site'),
    origin: c.req.header('origin'),
    referer: c.req.header('referer'),
  }
}
