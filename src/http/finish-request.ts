import type { Deps } from '../deps.ts'
import { dayOf } from '../limit/calendar.ts'
import { loggableModel } from '../log/loggable.ts'
import type { Ending, RequestScope } from './request-scope.ts'

/** Told of each request once, when it ends. */
export type Finish = (scope: RequestScope, ending: Ending) => void

/**
 * Writes down the end of a request: one log event, and one usage record where a model was asked for. There is one of it
 * for all requests, since it counts what was refused.
 */
export function finishRequest(deps: Deps): Finish {
  const { clock, logger, usage, config } = deps
  const { timeZone } = config.limits
  const refusals = new RefusalCount()
  return (scope, ending) => {
    const now = clock.now()
    const event = scope.eventFor(ending, now)
    logger.request(event)
    const { keyId, ownKeyId, route } = scope
    if (keyId === undefined || ownKeyId === undefined || route?.kind !== 'inference') return
    // What used tokens always counts, also where the gate cut it at a stop.
    const isBareRefusal = event.outcome === 'refused' && scope.tokens === undefined
    if (isBareRefusal && !refusals.isRecorded(ownKeyId, now)) return
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

/** Counts the refusals of each key by the minute, and forgets them with it. Another gate makes up names of its clients. */
class RefusalCount {
  readonly #counts = new Map<string, number>()
  #minute = -Infinity

  /** Whether one more refusal is recorded; `now` in epoch milliseconds. */
  isRecorded(keyId: string, now: number): boolean {
    const minute = Math.floor(now / MINUTE_MS)
    if (minute !== this.#minute) this.#counts.clear()
    this.#minute = minute
    const count = (this.#counts.get(keyId) ?? 0) + 1
    this.#counts.set(keyId, count)
    return count <= REFUSALS_PER_MINUTE
  }
}
