import type { ViaGuard } from '../proxy/via.ts'
import type { GateMiddleware } from './gate-env.ts'
import { refuse } from './refuse.ts'

/**
 * Refuses a request that has been here before: each round would start another one, in front of a gate that waits for it.
 * Notes the way of all others, for whatever is asked because of them.
 */
export function refuseLoop(guard: ViaGuard): GateMiddleware {
  return async (c, next) => {
    const via = c.req.header('via')
    if (guard.isLoop(via)) return refuse(c, { kind: 'loop' })
    c.set('via', guard.before(via))
    return next()
  }
}
