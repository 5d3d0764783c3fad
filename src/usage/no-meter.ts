import type { Meter } from './meter.ts'

/** For answers of which nothing is to be read. */
export const NO_METER: Meter = {
  frames: (bytes) => bytes,
  piece() {},
  counts: () => undefined,
  isLlamaCpp: () => false,
}
