import type { KeyLimits } from '../limit/key-limits.ts'
import type { SwapRight } from '../queue/arrival.ts'
import type { Scope } from '../routes/route-table.ts'

/** Who a request comes from: what the rest of the gate knows of a key. */
export type Principal = {
  /** Loggable name of the key. */
  keyId: string
  scopes: readonly Scope[]
  /** Ids, aliases or patterns with `*`. */
  models: readonly string[]
  swap: SwapRight
  /** Share of the box beside other keys that wait. */
  weight: number
  limits: KeyLimits
  /** Another gate: what it says of its own clients is believed. */
  edge: boolean
}

/** Whether a principal has one of the scopes. */
export function hasScope(principal: Principal, needed: readonly Scope[]): boolean {
  return needed.some((scope) => principal.scopes.includes(scope))
}
