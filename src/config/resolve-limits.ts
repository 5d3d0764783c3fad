import type { KeyLimits } from '../limit/key-limits.ts'
import { STANDARD_LIMITS, type defaultLimits, type keyLimits } from './limits-schema.ts'
import type * as z from 'zod'

type Written = z.output<typeof keyLimits>

/** Agents send a few requests at once before the first answer comes. */
const LEAST_BURST = 10

/** The limits of one key: what it says itself, else what the file says for all, else the standard. */
export function resolveLimits(key: Written, file: z.output<typeof defaultLimits>): KeyLimits {
  const { timeZone, ...shared } = file
  const said = { ...STANDARD_LIMITS, ...defined(shared), ...defined(key) }
  const requestsPerMinute = said.requestsPerMinute ?? undefined
  return {
    requestsPerMinute,
    burst: burstOf(key, file) ?? usualBurst(requestsPerMinute),
    tokensPerMinute: said.tokensPerMinute ?? undefined,
    tokensPerDay: said.tokensPerDay ?? undefined,
    concurrent: said.concurrent ?? undefined,
    waiting: said.waiting ?? STANDARD_LIMITS.waiting,
    maxOutputTokens: said.maxOutputTokens ?? undefined,
    timeZone,
  }
}

/** The burst goes with the rate: a key with a rate of its own does not take that of the others. */
function burstOf(key: Written, file: Written): number | undefined {
  return key.burst ?? (key.requestsPerMinute === undefined ? file.burst : undefined)
}

function usualBurst(requestsPerMinute: number | undefined): number {
  if (requestsPerMinute === undefined) return LEAST_BURST
  return Math.min(requestsPerMinute, Math.max(LEAST_BURST, Math.ceil(requestsPerMinute / 6)))
}

/** Without the members that are undefined, which would hide what they are laid over. `null` stays: it lifts a limit. */
function defined(fields: Written): Partial<Written> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
