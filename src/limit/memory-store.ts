import type { Clock } from '../deps.ts'
import {
  catchUp,
  isForgettable,
  newKeyState,
  readKeyState,
  withoutLeases,
  writeKeyState,
  type KeyState,
} from './key-state.ts'
import type { ArchivedKey, LimitArchive } from './limit-archive.ts'
import type { LimitStore } from './limit-store.ts'
import { admit, peek, release, renew, settle } from './policy.ts'

export type MemoryLimitStore = LimitStore & {
  /** The keys that changed since the last call, for whoever saves them to the archive; always none without one. */
  changed(): ArchivedKey[]
  /** Keys in memory. */
  size(): number
}

export type MemoryLimitOptions = {
  clock: Pick<Clock, 'now'>
  /** Read once, now; without one a restart begins with full limits. */
  archive?: LimitArchive | undefined
  /** Told the ids of keys whose rows in the archive cannot be read; they begin anew. */
  unreadable?: ((keyId: string) => void) | undefined
}

/** Two per new key at most: what has become idle is dropped twice as fast as keys can come. */
const LOOKED_AT_PER_ADMISSION = 2

/** Keeps the state of keys in this process. Keys whose limits are full again are dropped as others come, without timers. */
export function createMemoryLimitStore({
  clock,
  archive,
  unreadable = () => {},
}: MemoryLimitOptions): MemoryLimitStore {
  const keys = new Map<string, KeyState>(archive ? archivedStates(archive, unreadable) : [])
  const unsaved = new Set<string>()

  function touched(keyId: string): void {
    if (archive) unsaved.add(keyId)
  }
  /** Runs over all keys bit by bit: the map's order is that of the last look. */
  function dropIdle(now: number): void {
    let looked = 0
    for (const [keyId, state] of keys) {
      if (looked++ === LOOKED_AT_PER_ADMISSION) return
      catchUp(state, now)
      keys.delete(keyId)
      // One that is not saved yet would be found in the archive as it was before.
      if (unsaved.has(keyId) || !isForgettable(state, now)) keys.set(keyId, state)
    }
  }
  /** Lets `change` change a key's state, where there is one. */
  function update(keyId: string, change: (state: KeyState) => boolean): void {
    const state = keys.get(keyId)
    if (state && change(state)) touched(keyId)
  }

  return {
    admit(admission) {
      const now = clock.now()
      dropIdle(now)
      const { keyId } = admission
      const state = keys.get(keyId) ?? newKeyState(now)
      const admitted = admit(state, admission, now)
      if (!admitted.ok) return admitted
      keys.set(keyId, state)
      touched(keyId)
      return admitted
    },
    renew: (lease) => update(lease.keyId, (state) => renew(state, lease, clock.now())),
    settle: (lease, tokens) =>
      update(lease.keyId, (state) => settle(state, { ...lease, tokens }, clock.now())),
    release: (lease) => update(lease.keyId, (state) => release(state, lease, clock.now())),
    peek: (keyId, limits) => {
      const now = clock.now()
      return peek(keys.get(keyId) ?? newKeyState(now), limits, now)
    },
    changed() {
      const rows = [...unsaved].flatMap((keyId) => {
        const state = keys.get(keyId)
        return state ? [{ keyId, text: writeKeyState(state) }] : []
      })
      unsaved.clear()
      return rows
    },
    size: () => keys.size,
  }
}

/** What an archive holds, as far as it can be read. */
function archivedStates(
  archive: LimitArchive,
  unreadable: (keyId: string) => void,
): Array<[string, KeyState]> {
  return archive.load().flatMap(({ keyId, text }): Array<[string, KeyState]> => {
    const state = readKeyState(text)
    if (state) return [[keyId, withoutLeases(state)]]
    unreadable(keyId)
    return []
  })
}
