import { LatestMap } from '../collections/latest-map.ts'
import type { Clock } from '../deps.ts'

/**
 * How long somebody else's question is relied on. On Workers it is lost, without a word, when the client of the request
 * that asked it leaves.
 */
const SHARED_MS = 2_000

/** A question that is under way; `askedAt` in epoch milliseconds. */
type Question = { answered: Promise<void>; askedAt: number }

/**
 * Lets all who ask at the same time share one question. Who waits for it in vain asks anew.
 *
 * @param ask asks once; what it learns it keeps itself
 * @returns resolves when any question that was under way meanwhile is answered
 */
export function shareQuestion(clock: Clock, ask: () => Promise<void>): () => Promise<void> {
  let latest: Question | undefined
  let answers = 0

  function start(before: Question | undefined): Promise<void> {
    // The one before may only be slow: whichever is answered first answers all that wait.
    const own = ask().then(() => void answers++)
    const answered = (before ? Promise.race([own, before.answered]) : own).finally(() => {
      if (latest === question) latest = undefined
    })
    const question = { answered, askedAt: clock.now() }
    latest = question
    return answered
  }
  /** The clock may jump: it says no more than that a question is not younger. */
  function remainingOf({ askedAt }: Question): number {
    return SHARED_MS - Math.abs(clock.now() - askedAt)
  }

  return async () => {
    let given: Question | undefined
    const before = answers
    // Of all that give up one asks anew, and the others wait for that one.
    while (latest !== given) {
      given = latest
      if (given && (await isOverWithin(clock, remainingOf(given), given.answered))) return
      if (answers !== before) return
    }
    await start(given)
  }
}

/** Ways that are kept apart at a time: clients can make up as many as they like. */
const MOST_WAYS = 16

/**
 * Keeps one of something for each way through other gates by which requests come, the latest sixteen of them, and for
 * those that come through none.
 */
export function onePerWay<T>(make: (via: string | undefined) => T): (via: string | undefined) => T {
  const direct = make(undefined)
  const others = new LatestMap<T>(MOST_WAYS)
  return (via) => {
    if (via === undefined) return direct
    const one = others.get(via) ?? make(via)
    // Also one that is known: the latest are those that were used last.
    others.set(via, one)
    return one
  }
}

/** Whether a promise is kept within `ms`; rejects where it is broken. It goes on in any case. */
export async function isOverWithin(
  clock: Clock,
  ms: number,
  promise: Promise<void>,
): Promise<boolean> {
  if (ms <= 0) return false
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(ms, () => resolve(false))
    void promise.then(() => resolve(true), reject).finally(cancel)
  })
}
