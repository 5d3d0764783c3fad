import { DurableObject } from 'cloudflare:workers'
import type { Clock } from '../../src/deps.ts'
import type { KeyLimits } from '../../src/limit/key-limits.ts'
import type { Admission, Admitted, Lease, Standing } from '../../src/limit/limit-store.ts'
import { KeptKey } from './kept-key.ts'
import { workerClock } from './worker-clock.ts'

const STATE = 'state'

/** Before this nothing can be forgotten: a lease that was lost is kept for an hour. */
const FIRST_LOOK_MS = 3_600_000

/**
 * The Durable Object of one key's limits. There is one of it in the world, it does one thing at a time, and an answer
 * leaves it only once what it says is written.
 */
export class LimitObject extends DurableObject<unknown> {
  readonly #key: KeptKey
  // An alarm is set once per awakening, not per request: each one is a write.
  #isAlarmSet = false

  constructor(ctx: DurableObjectState, env: unknown, clock: Pick<Clock, 'now'> = workerClock) {
    super(ctx, env)
    const { kv } = ctx.storage
    const storage = {
      load: () => kv.get<string>(STATE),
      save: (text: string) => kv.put(STATE, text),
    }
    this.#key = new KeptKey(storage, clock)
  }

  async admit(admission: Admission): Promise<Admitted> {
    const admitted = this.#key.admit(admission)
    if (admitted.ok && !this.#isAlarmSet) await this.#lookIn(FIRST_LOOK_MS)
    return admitted
  }

  renew(lease: Lease): void {
    this.#key.renew(lease)
  }

  settle(lease: Lease, tokens: number): void {
    this.#key.settle(lease, tokens)
  }

  release(lease: Lease): void {
    this.#key.release(lease)
  }

  peek(limits: KeyLimits): Standing {
    return this.#key.peek(limits)
  }

  /** A key whose limits are full again needs no object: what is kept of it is deleted, and costs nothing. */
  override async alarm(): Promise<void> {
    const ms = this.#key.forgetOrWait()
    if (ms !== undefined) return this.#lookIn(ms)
    this.#isAlarmSet = false
    await this.ctx.storage.deleteAll()
  }

  async #lookIn(ms: number): Promise<void> {
    this.#isAlarmSet = true
    await this.ctx.storage.setAlarm(Date.now() + ms)
  }
}
