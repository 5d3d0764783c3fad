import type { Deps } from '../deps.ts'
import { CountersUnavailable } from '../errors/counters-unavailable.ts'
import type { Standing } from '../limit/limit-store.ts'
import { rateHeaders } from '../limit/rate-headers.ts'
import type { GateContext, GateMiddleware } from './gate-env.ts'

/** Puts what is left of the key's limits on the answers that the gate gives itself. The relay's have it already. */
export function showStanding(deps: Deps): GateMiddleware {
  return async (c, next) => {
    await next()
    const scope = c.get('scope')
    if (scope.isRelayed || scope.hasClientLeft) return
    const standing = scope.standing ?? (await peekSoon(c, deps))
    if (!standing) return
    for (const [name, value] of rateHeaders(standing, scope.dialect, deps.clock.now()))
      c.res.headers.set(name, value)
  }
}

/** What is only told beside an answer may not hold it up. */
const WORTH_WAITING_MS = 500

/** Undefined where nobody knows, or not soon: an answer that is ready is not given up for it. */
async function peekSoon(c: GateContext, deps: Deps): Promise<Standing | undefined> {
  // Asked in vain a moment ago.
  if (c.error instanceof CountersUnavailable) return undefined
  const tooLate = Promise.withResolvers<undefined>()
  const cancel = deps.clock.setTimer(WORTH_WAITING_MS, () => tooLate.resolve(undefined))
  return Promise.race([peek(c, deps), tooLate.promise]).finally(cancel)
}

async function peek(c: GateContext, { limits, logger }: Deps): Promise<Standing | undefined> {
  const { keyId, limits: ofKey } = c.get('principal')
  try {
    return await limits.peek(keyId, ofKey)
  } catch (error) {
    logger.failure(c.get('scope').requestId, error)
    return undefined
  }
}
