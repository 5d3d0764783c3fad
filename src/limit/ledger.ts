/**
 * What one rate of a key was asked for, so that a cost can be corrected as if it had been known from the start. Adding the
 * difference to the present would not be the same: a bucket that has run full meanwhile would then give back what it
 * had long earned, and admit that much twice.
 *
 * Taking `cost` at time `at` turns a theoretical arrival time `x` into `max(x, at) + cost`, which is
 * `max(x + cost, at + cost)`. Such steps can be joined: two of them in a row are again one, of two numbers. So only the
 * takes that are still open are kept apart; what lies between them is one step, what lies before them one number.
 */
export type Ledger = {
  /** Theoretical arrival time before the first step, in epoch milliseconds. */
  tat: number
  /** In the order in which they were taken. */
  steps: Step[]
}

/** Turns an arrival time `x` into `max(x + plus, floor)`. `leaseId` is whose take it is; empty: can change no more. */
export type Step = { leaseId: string; plus: number; floor: number }

/** A ledger of which nothing was ever taken. */
export function emptyLedger(): Ledger {
  return { tat: 0, steps: [] }
}

/** The theoretical arrival time after all that was taken. */
export function tatOf(ledger: Ledger): number {
  return ledger.steps.reduce(after, ledger.tat)
}

/** Takes `costMs` (the time in which it flows in again) at `now` for a lease. */
export function take(ledger: Ledger, leaseId: string, { costMs, now }: Taking): void {
  ledger.steps.push({ leaseId, plus: costMs, floor: now + costMs })
}

export type Taking = { costMs: number; now: number }

/** Ends a lease's take, with `costMs` in the place of what it took; undefined: it took the right amount. */
export function close(ledger: Ledger, leaseId: string, costMs: number | undefined): void {
  const step = ledger.steps.find((candidate) => candidate.leaseId === leaseId)
  if (step === undefined) return
  step.leaseId = ''
  if (costMs !== undefined) {
    step.floor += costMs - step.plus
    step.plus = costMs
  }
  joinClosed(ledger)
}

/** Moves everything by `ms`, as if it had all happened that much later. */
export function shift(ledger: Ledger, ms: number): void {
  ledger.tat += ms
  for (const step of ledger.steps) step.floor += ms
}

function after(tat: number, step: Step): number {
  return Math.max(tat + step.plus, step.floor)
}

function joinClosed(ledger: Ledger): void {
  const kept: Step[] = []
  for (const step of ledger.steps) {
    const last = kept.at(-1)
    if (step.leaseId !== '') {
      kept.push(step)
    } else if (step.plus > 0 && last === undefined) {
      ledger.tat = after(ledger.tat, step)
    } else if (step.plus > 0 && last?.leaseId === '') {
      kept[kept.length - 1] = {
        leaseId: '',
        plus: last.plus + step.plus,
        floor: after(last.floor, step),
      }
    } else if (step.plus > 0) {
      kept.push(step)
    }
  }
  ledger.steps = kept
}
