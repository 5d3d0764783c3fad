import type { Deps } from '../deps.ts'
import { rateHeaders } from '../limit/rate-headers.ts'
import type { GateMiddleware } from './gate-env.ts'

/** Puts what is left of the key's limits on the answers that the gate gives itself. The relay's have it already. */
export function showStanding({ limits, clock }: Deps): GateMiddleware {
  return async (c, next) => {
    await next()
    const scope = c.get('scope')
    if (scope.isRelayed || scope.hasClientLeft) return
    const principal = c.get('principal')
    const standing = scope.standing ?? (await limits.peek(principal.keyId, principal.limits))
    for (const [name, value] of rateHeaders(standing, scope.dialect, clock.now()))
      c.res.headers.set(name, value)
  }
}
