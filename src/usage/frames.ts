import { isJsonObject, type JsonObject } from './read-counts.ts'

const LF = 10
const CR = 13

/** Cuts bytes behind every blank line (WHATWG HTML §9.2.6); what has none at its end comes last. */
export function framesIn(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = []
  let start = 0
  let line = 0
  while (line < bytes.length) {
    const lf = bytes.indexOf(LF, line)
    if (lf < 0) break
    if (lf === line || (lf === line + 1 && bytes[line] === CR)) {
      if (start === 0 && lf + 1 === bytes.length) return [bytes]
      frames.push(bytes.subarray(start, lf + 1))
      start = lf + 1
    }
    line = lf + 1
  }
  // Mostly there is one frame at a time, and a view of bytes costs as much as looking at them.
  if (start === 0) return bytes.length === 0 ? [] : [bytes]
  if (start < bytes.length) frames.push(bytes.subarray(start))
  return frames
}

/** The JSON object that a frame carries; undefined for comments, `[DONE]`, and whatever else is none. */
export function objectOf(frame: string): JsonObject | undefined {
  const data = frame
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length))
  try {
    const value: unknown = JSON.parse(data.join('\n'))
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
