import type { Arrival } from './arrival.ts'

/** A request that has not had its turn. */
export type Waiter = {
  readonly arrival: Arrival
  /** When it came, in elapsed milliseconds. */
  readonly since: number
}
