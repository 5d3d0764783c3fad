import { joinBytes } from '../body/join-bytes.ts'
import { framesIn } from './frames.ts'
import type { FrameReader, Meter } from './meter.ts'

const NOTHING = new Uint8Array()

/**
 * Meters an event stream: each frame is shown to `reader`, and left out where the reader says so. An answer that is no
 * stream although one was asked for is left to `plain`.
 */
export function streamMeter(reader: FrameReader, plain: Meter): Meter {
  const decoder = new TextDecoder()
  return {
    frames(bytes) {
      const frames = framesIn(bytes)
      const kept = frames.filter((frame) => !reader.read(decoder.decode(frame)))
      if (kept.length === frames.length) return bytes
      return kept.length === 0 ? NOTHING : joinBytes(kept)
    },
    piece: (bytes) => plain.piece(bytes),
    counts: () => reader.counts() ?? plain.counts(),
    isLlamaCpp: () => reader.isLlamaCpp() || plain.isLlamaCpp(),
  }
}
