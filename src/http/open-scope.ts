import type { Deps } from '../deps.ts'
import { createClientAddress } from './client-address.ts'
import { corsHeaders } from './cors.ts'
import type { Finish } from './finish-request.ts'
import type { GateMiddleware } from './gate-env.ts'
import { RequestScope, type Ending } from './request-scope.ts'

/** Opens what is known of a request, and logs its end unless the relay does. */
export function openScope({ clock, config }: Deps, finish: Finish): GateMiddleware {
  const clientAddress = createClientAddress(config.trustedProxies)
  return async (c, next) => {
    const { method } = c.req
    const { path } = c.env.target
    const scope = new RequestScope({ method, path, acceptedAt: clock.now() }, c.env)
    const cors = corsHeaders(c.req.header('origin'), config.cors.origins)
    scope.ownHeaders = [...scope.ownHeaders, ...cors]
    scope.clientAddress = clientAddress(scope.clientAddress, (name) => c.req.header(name))
    c.set('scope', scope)
    await next()
    if (scope.isRelayed) return
    finish(scope, endingFor(scope, c.res.status))
  }
}

function endingFor({ hasClientLeft, isRefused }: RequestScope, status: number): Ending {
  if (hasClientLeft) return { outcome: 'client-closed', status: 499 }
  if (status < 400) return { outcome: 'completed', status }
  return { outcome: isRefused ? 'refused' : 'upstream-failed', status }
}
