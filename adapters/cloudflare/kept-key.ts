import type { Clock } from '../../src/deps.ts'
import {
  catchUp,
  isForgettable,
  newKeyState,
  readKeyState,
  writeKeyState,
  type KeyState,
} from '../../src/limit/key-state.ts'
import type { KeyLimits } from '../../src/limit/key-limits.ts'
import type { Admission, Admitted, Lease, Standing } from '../../src/limit/limit-store.ts'
import { admit, peek, release, renew, settle } from '../../src/limit/policy.ts'

/** Where the text of one key's state is kept. Both calls are done when they return. */
export type KeyStorage = { load(): string | undefined; save(text: string): void }

/** Between two looks at whether a key can be forgotten. */
const LOOK_EVERY_MS = 3_600_000

/**
 * The limits of one key: its state is loaded once, each call decides about it and saves it before it returns, so nothing
 * can come in between. The times of those who ask do not count: several machines of theirs may disagree.
 */
export class KeptKey {
  readonly #storage: KeyStorage
  readonly #clock: Pick<Clock, 'now'>
  #state: KeyState | undefined

  constructor(storage: KeyStorage, clock: Pick<Clock, 'now'>) {
    this.#storage = storage
    this.#clock = clock
    this.#state = readKeyState(storage.load() ?? '')
  }

  /** As `LimitStore.admit`. A lease that is open is admitted again without being charged: its answer got lost. */
  admit(admission: Admission): Admitted {
    const now = this.#clock.now()
    const state = this.#state ?? newKeyState(now)
    const isOpen = state.leases.some(({ leaseId }) => leaseId === admission.leaseId)
    if (isOpen) return { ok: true, standing: peek(state, admission.limits, now) }
    const admitted = admit(state, admission, now)
    if (admitted.ok) this.#save(state)
    return admitted
  }

  renew(lease: Lease): void {
    this.#update((state, now) => renew(state, lease, now))
  }

  settle(lease: Lease, tokens: number): void {
    this.#update((state, now) => settle(state, { ...lease, tokens }, now))
  }

  release(lease: Lease): void {
    this.#update((state, now) => release(state, lease, now))
  }

  peek(limits: KeyLimits): Standing {
    const now = this.#clock.now()
    return peek(this.#state ?? newKeyState(now), limits, now)
  }

  /** In how many milliseconds to ask again whether the key can be forgotten; undefined: now, and it is. */
  forgetOrWait(): number | undefined {
    const now = this.#clock.now()
    const state = this.#state
    if (state) {
      catchUp(state, now)
      if (!isForgettable(state, now))
        return Math.max(LOOK_EVERY_MS, state.day.used > 0 ? state.day.endsAt - now : 0)
    }
    this.#state = undefined
    return undefined
  }

  #update(change: (state: KeyState, now: number) => boolean): void {
    const state = this.#state
    if (state && change(state, this.#clock.now())) this.#save(state)
  }

  #save(state: KeyState): void {
    this.#state = state
    this.#storage.save(writeKeyState(state))
  }
}
