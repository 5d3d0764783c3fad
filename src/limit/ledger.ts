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
  const index = ledger.steps.findIndex((candidate) => candidate.leaseId === leaseId)
  const step = ledger.steps[index]
  if (step === undefined) return
  step.leaseId = ''
  if (costMs !== undefined) {
    step.floor += costMs - step.plus
    step.plus = costMs
  }
  joinAround(ledger, index)
}

/** Moves everything by `ms`, as if it had all happened that much later. */
export function shift(ledger: Ledger, ms: number): void {
  ledger.tat += ms
  for (const step of ledger.steps) step.floor += ms
}

function after(tat: number, step: Step): number {
  return Math.max(tat + step.plus, step.floor)
}

/** Joins the closed steps around an index; there are at most three, since their neighbours were joined before. */
function joinAround(ledger: Ledger, index: number): void {
  const { steps } = ledger
  let from = index
  let end = index + 1
  while (steps[from - 1]?.leaseId === '') from--
  while (steps[end]?.leaseId === '') end++
  const run = steps.splice(from, end - from).filter(({ plus }) => plus > 0)
  if (from === 0) ledger.tat = run.reduce(after, ledger.tat)
  else if (run.length > 0) steps.splice(from, 0, run.reduce(joined))
}

function joined(first: Step, second: Step): Step {
  return { leaseId: '', plus: first.plus + second.plus, floor: after(first.floor, second) }
}
