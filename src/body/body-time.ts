import type { Clock } from '../deps.ts'

/** How long a client may take to send the body of a request. */
export type BodyTime = {
  clock: Clock
  /** For all of it, in milliseconds. */
  withinMs: number
}

/** How long a client may send nothing of its body: a connection that has died is told by nobody. */
const SILENCE_MS = 60_000

/** Watches over one body until `stop`: once it takes too long, or nothing of it has come for a minute, `passed` is called. */
export class BodyWatch {
  readonly #clock: Clock
  readonly #passed: () => void
  readonly #cancelWhole: () => void
  #cancelSilence: () => void = () => {}

  constructor({ clock, withinMs }: BodyTime, passed: () => void) {
    this.#clock = clock
    this.#passed = () => {
      this.stop()
      passed()
    }
    this.#cancelWhole = clock.setTimer(withinMs, this.#passed)
    this.heard()
  }

  /** Something of the body has come. */
  heard(): void {
    this.#cancelSilence()
    this.#cancelSilence = this.#clock.setTimer(SILENCE_MS, this.#passed)
  }

  stop(): void {
    this.#cancelWhole()
    this.#cancelSilence()
  }
}
