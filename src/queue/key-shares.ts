type KeyShare = {
  /** Tokens divided by weight: keys with equal numbers have had what is theirs. */
  served: number
  /** The part of it that is only estimated, because its requests still run. */
  pending: number
  waiting: number
  running: number
}

/**
 * Counts what each key has had, as the Virtual Token Counter does (Sheng et al., OSDI '24): a key that comes back is
 * lifted to the least served key that is active, so nobody saves up a right to the box by staying away.
 */
export class KeyShares {
  readonly #shares = new Map<string, KeyShare>()

  /** Tokens per weight that the key has had; 0 for a key that is not known. */
  served(keyId: string): number {
    return this.#shares.get(keyId)?.served ?? 0
  }

  /** How many requests wait, for each key that has any. */
  waitingByKey(): Record<string, number> {
    const busy = [...this.#shares].filter(([, share]) => share.waiting > 0)
    return Object.fromEntries(busy.map(([keyId, share]) => [keyId, share.waiting]))
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#shares.size
  }

  /** One more request of the key waits. */
  join(keyId: string): void {
    const share = this.#shares.get(keyId) ?? { served: 0, pending: 0, waiting: 0, running: 0 }
    if (!isActive(share)) {
      const least = this.#leastOfActive()
      if (least < Infinity) share.served = Math.max(share.served, least)
    }
    share.waiting++
    this.#shares.set(keyId, share)
  }

  /** One of the waiting requests of the key will not be served. */
  leave(keyId: string): void {
    this.#change(keyId, (share) => share.waiting--)
  }

  /** One of the waiting requests is served; `cost` is its estimate in tokens per weight. */
  start(keyId: string, cost: number): void {
    this.#change(keyId, (share) => {
      share.waiting--
      share.running++
      share.served += cost
      share.pending += cost
    })
  }

  /** A served request has ended; it `really` cost something else than its estimate, mostly less. */
  finish(keyId: string, cost: { estimated: number; really: number }): void {
    this.#change(keyId, (share) => {
      share.running--
      share.pending -= cost.estimated
      share.served += cost.really - cost.estimated
    })
  }

  #change(keyId: string, change: (share: KeyShare) => void): void {
    const share = this.#shares.get(keyId)
    if (share === undefined) return
    change(share)
    if (!isActive(share)) this.#forget()
  }

  /** Drops idle keys that would be lifted anyway; where nobody is active, nobody is owed anything. */
  #forget(): void {
    const least = this.#leastOfActive()
    for (const [keyId, share] of this.#shares)
      if (!isActive(share) && share.served <= least) this.#shares.delete(keyId)
  }

  /**
   * The least that an active key has had for certain; Infinity where no key is active. With estimates in it, whoever is
   * lifted to it would go on paying for what others never used.
   */
  #leastOfActive(): number {
    let least = Infinity
    for (const share of this.#shares.values())
      if (isActive(share)) least = Math.min(least, share.served - share.pending)
    return least
  }
}

function isActive(share: KeyShare): boolean {
  return share.waiting + share.running > 0
}
