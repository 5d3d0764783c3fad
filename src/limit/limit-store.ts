import type { KeyLimits } from './key-limits.ts'

/** A value, or a promise of it: a store in memory answers at once, one across the network later. */
export type Awaitable<T> = T | Promise<T>

/** What stands for one admitted request until it ends. */
export type Lease = {
  keyId: string
  limits: KeyLimits
  /** Unique per request. */
  leaseId: string
}

/** One request that asks to be let in. */
export type Admission = Lease & {
  /** Tokens to reserve until the real usage is known. */
  tokens: number
  /** How many leases the key may hold at the same time, this one included; undefined: any number. */
  maxLeases: number | undefined
}

/** What of a limit is left. */
export type Gauge = {
  limit: number
  /** Whole units that could be used right now; never below 0. */
  remaining: number
  /** Milliseconds until all of it is there again. */
  resetMs: number
}

/** What is left of a key's limits; a limit that the key does not have is undefined. */
export type Standing = { requests: Gauge | undefined; tokens: Gauge | undefined }

/** Which limit refused. */
export type LimitName =
  | 'requests-per-minute'
  | 'tokens-per-minute'
  | 'tokens-per-day'
  | 'concurrent'

export type Admitted =
  | { ok: true; standing: Standing }
  | {
      ok: false
      limit: LimitName
      retryAfterMs: number
      /** Tokens that this limit has left; undefined where it counts something else. */
      left: number | undefined
      standing: Standing
    }

/**
 * Keeps what keys have used. Each call is one atomic step for its key. A store only loads the state of a key, decides
 * through `policy.ts`, and saves it. One across the network rejects `admit` and `peek` with `CountersUnavailable` where it
 * has no answer in time; then nothing is let in.
 */
export type LimitStore = {
  /** Takes from every limit and opens a lease, or takes nothing at all. */
  admit(admission: Admission): Awaitable<Admitted>
  /** The request is alive: its lease counts for another `LEASE_MS`. */
  renew(lease: Lease): Awaitable<void>
  /** Ends the lease and puts the real tokens in the place of the reserved ones. A second call changes nothing. */
  settle(lease: Lease, tokens: number): Awaitable<void>
  /** Ends the lease as if the request had never been admitted: everything it took is given back. */
  release(lease: Lease): Awaitable<void>
  /** What is left, without taking anything. */
  peek(keyId: string, limits: KeyLimits): Awaitable<Standing>
}
