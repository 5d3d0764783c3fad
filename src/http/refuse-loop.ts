import type { ViaGuard } from '../proxy/via.ts'
import type { GateMiddleware } from './gate-env.ts'
import { refuse } from './refuse.ts'

/** Refuses a request that has been here before: each round would start another one, in front of a gate that waits for it. */
export function refuseLoop(guard: ViaGuard): GateMiddleware {
  return async (c, next) =>
    guard.isLoop(c.req.header('via')) ? refuse(c, { kind: 'loop' }) : next()
}
