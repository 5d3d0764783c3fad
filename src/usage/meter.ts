import type { TokenCounts } from './record.ts'

/**
 * Reads the usage of one answer as it passes. It may take out frames that the gate itself asked upstream for; it never
 * changes any other byte.
 */
export type Meter = {
  /** Whole frames of an event stream on their way to the client; gives those that the client gets, maybe none. */
  frames(bytes: Uint8Array): Uint8Array
  /** The next piece of an answer that is not an event stream. */
  piece(bytes: Uint8Array): void
  /** What was used, as far as it is known now; undefined where nothing was computed or the route has no tokens. */
  counts(): TokenCounts | undefined
}
