import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** Yields the items one by one at a steady rate and ends early when told to stop. */
export async function* pace<T>(
  items: readonly T[],
  perSecond: number,
  stop: AbortSignal,
): AsyncGenerator<T> {
  const start = performance.now()
  for (const [index, item] of items.entries()) {
    const due = start + ((index + 1) * 1000) / perSecond
    // Sleeping from a fixed start keeps the rate although timers only know milliseconds.
    await pause(Math.max(0, due - performance.now()), stop)
    if (stop.aborted) return
    yield item
  }
}

/** Writes and, when the client reads too slowly, waits for it; told to stop, it writes nothing. */
export async function push(res: ServerResponse, text: string, stop: AbortSignal): Promise<void> {
  if (stop.aborted || text === '' || res.write(text)) return
  await once(res, 'drain', { signal: stop }).catch(ignoreAbort)
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(ignoreAbort)
}

/** Being stopped is no error here: the caller looks at the signal. */
function ignoreAbort(): void {}
