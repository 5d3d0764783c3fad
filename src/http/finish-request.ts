import type { Deps } from '../deps.ts'
import { dayOf } from '../limit/calendar.ts'
import { loggableModel } from '../log/loggable.ts'
import type { Ending, RequestScope } from './request-scope.ts'

/** Writes down the end of a request: one log event, and one usage record where a model was asked for. */
export function finishRequest(deps: Deps): (scope: RequestScope, ending: Ending) => void {
  const { clock, logger, usage, config } = deps
  const { timeZone } = config.limits
  const refusals = new RefusalCount()
  return (scope, ending) => {
    const event = scope.eventFor(ending, clock.now())
    logger.request(event)
    const { keyId, route } = scope
    if (keyId === undefined || route?.kind !== 'inference') return
    // What used tokens always counts, also where the gate cut it at a stop.
    const isBareRefusal = event.outcome === 'refused' && scope.tokens === undefined
    if (isBareRefusal && !refusals.isRecorded(keyId, event.at)) return
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

/** More of them in a minute stand in the log only: a client that hammers away would fill the disk. */
const REFUSALS_PER_MINUTE = 60
const MINUTE_MS = 60_000

/** Counts the refusals of each key by the minute. */
class RefusalCount {
  readonly #counts = new Map<string, { minute: number; count: number }>()

  /** Whether one more refusal is recorded; `at` in epoch milliseconds. */
  isRecorded(keyId: string, at: number): boolean {
    const minute = Math.floor(at / MINUTE_MS)
    const known = this.#counts.get(keyId)
    const count = known?.minute === minute ? known.count + 1 : 1
    this.#counts.set(keyId, { minute, count })
    return count <= REFUSALS_PER_MINUTE
  }
}
