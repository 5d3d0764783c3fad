import type { KeyConfig } from '../config/schema.ts'
import type { Sha256 } from '../deps.ts'
import type { GateError } from '../errors/gate-error.ts'
import type { Principal } from './principal.ts'

export type LookedUp =
  | { ok: true; principal: Principal }
  | { ok: false; error: GateError; keyId?: string }

/** All keys, found by the SHA-256 of what a client presents. */
export type Keyring = { find(secret: string, nowMs: number): Promise<LookedUp> }

type Entry = { principal: Principal; expiresAt: number; disabled: boolean }

/**
 * Builds the ring. A look-up is one hash and one Map access whatever was presented, so neither the number of keys nor
 * how much of a guess was right shows in its time.
 */
export function createKeyring(keys: readonly KeyConfig[], sha256: Sha256): Keyring {
  const entries = new Map(keys.map((key): [string, Entry] => [key.secret, entryOf(key)]))
  return {
    async find(secret, nowMs) {
      const entry = entries.get(`sha256:${await sha256(secret)}`)
      if (!entry) return { ok: false, error: { kind: 'credential-unknown' } }
      const { keyId } = entry.principal
      if (entry.disabled) return { ok: false, error: { kind: 'key-disabled' }, keyId }
      if (nowMs >= entry.expiresAt) return { ok: false, error: { kind: 'key-expired' }, keyId }
      return { ok: true, principal: entry.principal }
    },
  }
}

function entryOf({ id, expires, disabled, ...key }: KeyConfig): Entry {
  const { scopes, models, swap, weight, limits, edge } = key
  return {
    principal: { keyId: id, scopes, models, swap, weight, limits, edge },
    expiresAt: expires === undefined ? Infinity : Date.parse(expires),
    disabled,
  }
}
