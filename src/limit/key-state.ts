import * as z from 'zod'
import { close, emptyLedger, shift, tatOf, type Ledger } from './ledger.ts'

/** How long an expired lease is kept, so that a settlement that comes late is still exact. */
const KEEP_EXPIRED_MS = 3_600_000

/** With more leases than this, expired ones are not kept. */
const MAX_LEASES_TO_KEEP = 1000

/** Everything that is known of one key: plain data that survives JSON unchanged. Times are epoch milliseconds. */
export type KeyState = {
  /** When it was last looked at; a clock that is behind has jumped back. */
  seenAt: number
  requests: Ledger
  /** Tokens per minute. */
  tokens: Ledger
  day: DayCount
  /** In the order of their admission. */
  leases: OpenLease[]
}

/** Tokens of one day; `day` is empty where none was counted yet. */
export type DayCount = { day: string; endsAt: number; used: number }

/** An admitted request that has not ended. */
export type OpenLease = {
  leaseId: string
  expiresAt: number
  /** Tokens reserved. */
  tokens: number
  /** In which one token flows in at the rate it was taken at; 0 where the key had no such limit. */
  msPerToken: number
  /** The day that the tokens were counted in; empty where the key had no such limit. */
  day: string
}

/** A key that has never been seen. */
export function newKeyState(now: number): KeyState {
  return {
    seenAt: now,
    requests: emptyLedger(),
    tokens: emptyLedger(),
    day: { day: '', endsAt: 0, used: 0 },
    leases: [],
  }
}

/**
 * Brings a state to the present, in place. When the clock has jumped back, all of its past moves back too: what was used
 * stays used, nothing is earned and nobody waits for the length of the jump.
 */
export function catchUp(state: KeyState, now: number): void {
  const back = state.seenAt - now
  if (back > 0) {
    shift(state.requests, -back)
    shift(state.tokens, -back)
    for (const lease of state.leases) lease.expiresAt -= back
  }
  state.seenAt = now
  const keepMs = state.leases.length > MAX_LEASES_TO_KEEP ? 0 : KEEP_EXPIRED_MS
  const isOver = ({ expiresAt }: OpenLease): boolean => expiresAt + keepMs <= now
  // Looked at with each request: most of the time there is nothing to make a list of.
  if (!state.leases.some(isOver)) return
  for (const lease of state.leases.filter(isOver)) dropLease(state, lease)
}

/** The same state without leases; what they reserved stays taken. A process that starts holds none. */
export function withoutLeases(state: KeyState): KeyState {
  return {
    ...state,
    requests: { tat: tatOf(state.requests), steps: [] },
    tokens: { tat: tatOf(state.tokens), steps: [] },
    leases: [],
  }
}

/** Whether a state, brought to `now`, says no more than that of a key never seen. */
export function isForgettable(state: KeyState, now: number): boolean {
  const { leases, day, requests, tokens } = state
  return (
    leases.length === 0 &&
    (day.used === 0 || now >= day.endsAt) &&
    tatOf(requests) <= now &&
    tatOf(tokens) <= now
  )
}

/** The state as JSON text. */
export function writeKeyState(state: KeyState): string {
  return JSON.stringify(state)
}

/** The state that `writeKeyState` wrote; undefined for any other text. */
export function readKeyState(text: string): KeyState | undefined {
  try {
    return KEY_STATE.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

function dropLease(state: KeyState, lease: OpenLease): void {
  close(state.requests, lease.leaseId, undefined)
  close(state.tokens, lease.leaseId, undefined)
  state.leases.splice(state.leases.indexOf(lease), 1)
}

const amount = z.number().nonnegative()
const ledger = z.object({
  tat: z.number(),
  steps: z.array(z.object({ leaseId: z.string(), plus: amount, floor: z.number() })),
})
const KEY_STATE: z.ZodType<KeyState> = z.object({
  seenAt: z.number(),
  requests: ledger,
  tokens: ledger,
  day: z.object({ day: z.string(), endsAt: z.number(), used: amount }),
  leases: z.array(
    z.object({
      leaseId: z.string(),
      expiresAt: z.number(),
      tokens: amount,
      msPerToken: amount,
      day: z.string(),
    }),
  ),
})
