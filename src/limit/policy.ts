import { dayOf } from './calendar.ts'
import { durationOf, gaugeOf, waitFor, type Rate } from './gcra.ts'
import type { KeyLimits } from './key-limits.ts'
import { catchUp, type KeyState, type OpenLease } from './key-state.ts'
import { close, take, tatOf } from './ledger.ts'
import type { Admission, Admitted, Gauge, Lease, LimitName, Standing } from './limit-store.ts'

/**
 * Decides about one key. Every function changes the state that it is given, in place and all at once; a refusal changes
 * nothing but brings it to the present. `now` is in epoch milliseconds and may jump.
 */

/** How long a lease counts without being renewed, in milliseconds. */
export const LEASE_MS = 30_000

/** Leases end at any time, so a client that met too many of them may ask again soon. */
const MAX_LEASE_WAIT_MS = 1000

/** More than any request has; keeps nonsense from an answer out of the sums. */
const MAX_TOKENS = 1_000_000_000

/** Takes a request and its tokens from every limit, or from none: then the limit with the longest wait is named. */
export function admit(state: KeyState, admission: Admission, now: number): Admitted {
  const { limits, leaseId } = admission
  const tokens = sane(admission.tokens)
  toPresent(state, limits, now)
  const refusal = refusalOf(state, { ...admission, tokens }, now)
  if (refusal) {
    const left = tokensLeft(state, { limits, limit: refusal.limit }, now)
    return { ok: false, ...refusal, left, standing: standingOf(state, limits, now) }
  }

  const requestRate = rateOfRequests(limits)
  const tokenRate = rateOfTokens(limits)
  const msPerToken = tokenRate ? durationOf(1, tokenRate) : 0
  if (requestRate) take(state.requests, leaseId, { costMs: durationOf(1, requestRate), now })
  if (tokenRate) take(state.tokens, leaseId, { costMs: tokens * msPerToken, now })
  const isDayLimited = limits.tokensPerDay !== undefined
  if (isDayLimited) state.day.used += tokens
  const day = isDayLimited ? state.day.day : ''
  state.leases.push({ leaseId, expiresAt: now + LEASE_MS, tokens, msPerToken, day })
  return { ok: true, standing: standingOf(state, limits, now) }
}

/** Lets a lease count for another `LEASE_MS`. True where it was still known, also if it had expired. */
export function renew(state: KeyState, { leaseId, limits }: Lease, now: number): boolean {
  toPresent(state, limits, now)
  const lease = findLease(state, leaseId)
  if (lease) lease.expiresAt = now + LEASE_MS
  return lease !== undefined
}

/**
 * Ends a lease with the tokens that were really used: in the rate as if they had been known from the start, in the day
 * that they were reserved in, or in the current one where they are more. True where the lease was known.
 */
export function settle(
  state: KeyState,
  { leaseId, limits, tokens }: Lease & { tokens: number },
  now: number,
): boolean {
  toPresent(state, limits, now)
  const lease = endLease(state, leaseId)
  if (!lease) return false
  const used = sane(tokens)
  close(state.requests, leaseId, undefined)
  close(state.tokens, leaseId, used * lease.msPerToken)
  recount(state, lease, used)
  return true
}

/** Ends a lease as if its request had never come. True where the lease was known. */
export function release(state: KeyState, { leaseId, limits }: Lease, now: number): boolean {
  toPresent(state, limits, now)
  const lease = endLease(state, leaseId)
  if (!lease) return false
  close(state.requests, leaseId, 0)
  close(state.tokens, leaseId, 0)
  recount(state, lease, 0)
  return true
}

/** What is left. It changes nothing but brings the state to the present, which need not be saved. */
export function peek(state: KeyState, limits: KeyLimits, now: number): Standing {
  toPresent(state, limits, now)
  return standingOf(state, limits, now)
}

type Refused = { limit: LimitName; retryAfterMs: number }

function refusalOf(
  state: KeyState,
  { limits, tokens, maxLeases }: Admission,
  now: number,
): Refused | undefined {
  const requestRate = rateOfRequests(limits)
  const tokenRate = tokens > 0 ? rateOfTokens(limits) : undefined
  const { tokensPerDay } = limits
  const waits: Refused[] = [
    {
      limit: 'requests-per-minute',
      retryAfterMs: requestRate ? waitFor(1, tatOf(state.requests), { rate: requestRate, now }) : 0,
    },
    {
      limit: 'tokens-per-minute',
      retryAfterMs: tokenRate ? waitFor(tokens, tatOf(state.tokens), { rate: tokenRate, now }) : 0,
    },
    {
      limit: 'tokens-per-day',
      retryAfterMs:
        tokensPerDay !== undefined &&
        tokens > 0 &&
        state.day.used + Math.min(tokens, tokensPerDay) > tokensPerDay
          ? state.day.endsAt - now
          : 0,
    },
    { limit: 'concurrent', retryAfterMs: waitForLease(state, maxLeases, now) },
  ]
  const longest = waits.reduce((a, b) => (b.retryAfterMs > a.retryAfterMs ? b : a))
  return longest.retryAfterMs > 0 ? longest : undefined
}

function waitForLease(state: KeyState, maxLeases: number | undefined, now: number): number {
  if (maxLeases === undefined || state.leases.length < maxLeases) return 0
  const lives = state.leases.map(({ expiresAt }) => expiresAt - now).filter((ms) => ms > 0)
  if (lives.length < maxLeases) return 0
  return Math.min(MAX_LEASE_WAIT_MS, ...lives)
}

/** Puts what a lease really used in the place of what it had reserved in the count of the day. */
function recount({ day }: KeyState, lease: OpenLease, used: number): void {
  if (lease.day === '') return
  const change = used - lease.tokens
  if (change > 0 || lease.day === day.day) day.used = Math.max(0, day.used + change)
}

function standingOf(state: KeyState, limits: KeyLimits, now: number): Standing {
  const requestRate = rateOfRequests(limits)
  const tokenRate = rateOfTokens(limits)
  const minute = tokenRate && gaugeOf(tatOf(state.tokens), { rate: tokenRate, now })
  return {
    requests: requestRate && gaugeOf(tatOf(state.requests), { rate: requestRate, now }),
    tokens: tighter(minute, gaugeOfDay(state, limits, now)),
  }
}

function gaugeOfDay(
  { day }: KeyState,
  { tokensPerDay }: KeyLimits,
  now: number,
): Gauge | undefined {
  if (tokensPerDay === undefined) return undefined
  return {
    limit: tokensPerDay,
    remaining: Math.max(0, Math.floor(tokensPerDay - day.used)),
    resetMs: day.used > 0 ? day.endsAt - now : 0,
  }
}

function tokensLeft(
  state: KeyState,
  { limits, limit }: { limits: KeyLimits; limit: LimitName },
  now: number,
): number | undefined {
  if (limit === 'tokens-per-day') return gaugeOfDay(state, limits, now)?.remaining
  const rate = limit === 'tokens-per-minute' ? rateOfTokens(limits) : undefined
  return rate && gaugeOf(tatOf(state.tokens), { rate, now }).remaining
}

/** The one with less left; of equals the one that takes longer. */
function tighter(a: Gauge | undefined, b: Gauge | undefined): Gauge | undefined {
  if (!a || !b) return a ?? b
  if (a.remaining !== b.remaining) return a.remaining < b.remaining ? a : b
  return a.resetMs > b.resetMs ? a : b
}

/** The state's present, and its day: a new day begins at nothing, an earlier one (the clock jumped) goes on counting. */
function toPresent(state: KeyState, limits: KeyLimits, now: number): void {
  catchUp(state, now)
  if (limits.tokensPerDay === undefined) return
  const today = dayOf(now, limits.timeZone)
  const { day, used } = state.day
  if (today.day < day) {
    for (const lease of state.leases) if (lease.day === day) lease.day = today.day
  }
  state.day = { ...today, used: today.day > day ? 0 : used }
}

function findLease(state: KeyState, leaseId: string): OpenLease | undefined {
  return state.leases.find((lease) => lease.leaseId === leaseId)
}

/** Takes a lease out of the state; the second end of the same request finds none. */
function endLease(state: KeyState, leaseId: string): OpenLease | undefined {
  const lease = findLease(state, leaseId)
  if (lease) state.leases.splice(state.leases.indexOf(lease), 1)
  return lease
}

function rateOfRequests({ requestsPerMinute, burst }: KeyLimits): Rate | undefined {
  return requestsPerMinute === undefined ? undefined : { perMinute: requestsPerMinute, burst }
}

/** A minute's tokens may be used at once. */
function rateOfTokens({ tokensPerMinute }: KeyLimits): Rate | undefined {
  if (tokensPerMinute === undefined) return undefined
  return { perMinute: tokensPerMinute, burst: tokensPerMinute }
}

function sane(tokens: number): number {
  return Math.min(MAX_TOKENS, Math.max(0, tokens)) || 0
}
