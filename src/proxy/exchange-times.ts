import type { Clock } from '../deps.ts'

type Told = {
  sentAt: number | undefined
  firstByteAt: number | undefined
  queuedMs: number | undefined
}

/** When what happened in one exchange; epoch milliseconds. */
export class ExchangeTimes {
  readonly #clock: Pick<Clock, 'now'>
  #queuedAt: number | undefined
  #firstSentAt: number | undefined
  #sentAt = 0
  #firstByteAt: number | undefined

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** It begins to wait for its turn. */
  queued(): void {
    this.#queuedAt = this.#clock.now()
  }

  /** It is sent upstream, maybe again. */
  sent(): void {
    this.#sentAt = this.#clock.now()
    this.#firstSentAt ??= this.#sentAt
  }

  /** The client is sent a piece of the answer. */
  wrote(): void {
    this.#firstByteAt ??= this.#clock.now()
  }

  get wasSent(): boolean {
    return this.#firstSentAt !== undefined
  }

  get sinceSentMs(): number {
    return this.#clock.now() - this.#sentAt
  }

  /** What the end of the exchange tells: `queuedMs` runs until it was sent, or until now where it never was. */
  get told(): Told {
    const until = this.#firstSentAt ?? this.#clock.now()
    return {
      sentAt: this.#firstSentAt,
      firstByteAt: this.#firstByteAt,
      queuedMs: this.#queuedAt === undefined ? undefined : until - this.#queuedAt,
    }
  }
}
