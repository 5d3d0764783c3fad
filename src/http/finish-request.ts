import type { Deps } from '../deps.ts'
import { dayOf } from '../limit/calendar.ts'
import { loggableModel } from '../log/loggable.ts'
import type { Ending, RequestScope } from './request-scope.ts'

/** Writes down the end of a request: one log event, and one usage record where a model was asked for. */
export function finishRequest(deps: Deps): (scope: RequestScope, ending: Ending) => void {
  const { clock, logger, usage, config } = deps
  const { timeZone } = config.limits
  return (scope, ending) => {
    const event = scope.eventFor(ending, clock.now())
    logger.request(event)
    const { keyId, route } = scope
    if (keyId === undefined || route?.kind !== 'inference') return
    usage.append({
      requestId: event.requestId,
      at: event.at,
      day: dayOf(event.at, timeZone).day,
      keyId,
      model: loggableModel(scope.modelId ?? scope.model),
      dialect: scope.dialect,
      route: `${route.method} ${route.path}`,
      outcome: event.outcome,
      status: event.status,
      tokens: scope.tokens,
      queueMs: scope.queueMs,
      ttftMs: event.ttftMs,
      durationMs: event.durationMs,
      bytesIn: event.bytesIn,
      bytesOut: event.bytesOut,
    })
  }
}
