import { joinBytes } from '../body/join-bytes.ts'

const LF = 10
const CR = 13
/** A frame that grows beyond this is passed on in pieces: memory is bounded, honesty about its end is not needed. */
const LONGEST_HELD_FRAME = 16 * 1024 * 1024

/**
 * Cuts an event stream (WHATWG HTML §9.2.6) at frame boundaries without changing a byte: what comes out are whole
 * frames, so that a heartbeat or an error frame can be put between them and half a frame never reaches a client.
 */
export class FrameBuffer {
  // Pieces of the one frame that has not ended yet; joined only when it ends, so a long frame costs linear time.
  #held: Uint8Array[] = []
  #heldBytes = 0

  /** Takes the next bytes; gives every whole frame that is now complete, or undefined. */
  push(bytes: Uint8Array): Uint8Array | undefined {
    const end = this.#endOfLastFrame(bytes)
    if (end === 0) return this.#hold(bytes)
    if (end === bytes.length && this.#held.length === 0) return bytes
    const whole = joinBytes([...this.#held, bytes.subarray(0, end)])
    this.#held = []
    this.#heldBytes = 0
    if (end < bytes.length) this.#hold(bytes.subarray(end))
    return whole
  }

  /** What is left when the stream has ended: a frame without its blank line, usually nothing. */
  rest(): Uint8Array {
    return joinBytes(this.#held)
  }

  #hold(bytes: Uint8Array): Uint8Array | undefined {
    this.#held.push(bytes)
    this.#heldBytes += bytes.length
    if (this.#heldBytes <= LONGEST_HELD_FRAME) return undefined
    const all = joinBytes(this.#held)
    this.#held = []
    this.#heldBytes = 0
    return all
  }

  /** Index behind the last blank line in `bytes`, or 0. Looks back into held bytes for a boundary cut in two. */
  #endOfLastFrame(bytes: Uint8Array): number {
    for (
      let at = bytes.lastIndexOf(LF);
      at >= 0;
      at = at === 0 ? -1 : bytes.lastIndexOf(LF, at - 1)
    )
      if (this.#isBlankLine(bytes, at)) return at + 1
    return 0
  }

  #isBlankLine(bytes: Uint8Array, lf: number): boolean {
    const before = this.#byteAt(bytes, lf - 1)
    if (before === LF) return true
    return before === CR && this.#byteAt(bytes, lf - 2) === LF
  }

  #byteAt(bytes: Uint8Array, index: number): number | undefined {
    if (index >= 0) return bytes[index]
    for (let piece = this.#held.length - 1, left = -index; piece >= 0; piece--) {
      const held = this.#held[piece]!
      if (left <= held.length) return held[held.length - left]
      left -= held.length
    }
    return undefined
  }
}
