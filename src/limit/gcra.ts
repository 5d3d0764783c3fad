import type { Gauge } from './limit-store.ts'

/**
 * The generic cell rate algorithm (ITU-T I.371 annex A) with weights. All that it knows of a key is the *theoretical
 * arrival time*: the epoch millisecond at which everything taken so far will have been earned back. A key whose time
 * has passed has its full burst; one whose time is further away than the burst is in debt.
 */

/** `perMinute` units flow in; at most `burst` of them are there at once. Both are above 0. */
export type Rate = { perMinute: number; burst: number }

/** Sums of binary fractions are off by less; without this the last unit of a burst may be refused. */
const ROUNDING = { units: 0.1, ms: 1 }

/** Milliseconds in which `units` flow in. */
export function durationOf(units: number, rate: Rate): number {
  return (units * 60_000) / rate.perMinute
}

/**
 * Milliseconds until `cost` units may be taken; 0: now. More than the burst may be taken when all of it is there, and
 * leaves a debt: a request that is larger than the bucket could never pass otherwise.
 */
export function waitFor(
  cost: number,
  tat: number,
  { rate, now }: { rate: Rate; now: number },
): number {
  const unused = Math.max(0, rate.burst - cost)
  const wait = tat - now - durationOf(unused, rate)
  return wait <= roundingOf(rate) ? 0 : Math.ceil(wait)
}

/** What is left at `now`, with the units of one minute, or a larger burst, as the limit. */
export function gaugeOf(tat: number, { rate, now }: { rate: Rate; now: number }): Gauge {
  const owedMs = Math.max(0, tat - now)
  const left = rate.burst - (owedMs - roundingOf(rate)) / durationOf(1, rate)
  return {
    limit: Math.max(rate.perMinute, rate.burst),
    remaining: Math.max(0, Math.floor(left)),
    resetMs: Math.ceil(owedMs),
  }
}

function roundingOf(rate: Rate): number {
  return Math.min(ROUNDING.ms, durationOf(ROUNDING.units, rate))
}
