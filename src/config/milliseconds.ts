import * as z from 'zod'

/** The longest time a timer can wait on every runtime (2^31 - 1 ms, about 24 days). */
export const MOST_MS = 2_147_483_647

/** A length of time in milliseconds, 0 included. */
export function milliseconds(fallback: number, says: string): z.ZodDefault<z.ZodInt> {
  return z.int().min(0).max(MOST_MS).default(fallback).describe(says)
}
