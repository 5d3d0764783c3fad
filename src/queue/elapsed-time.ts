/**
 * Time that only moves forward, in milliseconds since the first event. The wall clock may be set back; whoever waited
 * then goes on waiting for what was left, and never for the old time to come round again.
 */
export class ElapsedTime {
  #wall: number | undefined
  #elapsed = 0

  /** Milliseconds at the last event. */
  get now(): number {
    return this.#elapsed
  }

  /** An event happened at `wall`, in milliseconds of a clock that may jump. */
  advance(wall: number): void {
    this.#elapsed += Math.max(0, wall - (this.#wall ?? wall))
    this.#wall = wall
  }

  /** What the wall clock will show at `elapsed`, if it is not set again. */
  toWall(elapsed: number): number {
    return (this.#wall ?? 0) + (elapsed - this.#elapsed)
  }
}
