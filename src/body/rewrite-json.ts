import { joinBytes } from './join-bytes.ts'
import type { ScannedObject } from './scan-json.ts'

/** A member's name and the JSON text of its new value. */
export type MemberChange = readonly [name: string, jsonText: string]

const OPEN_OBJECT = 0x7b
const encoder = new TextEncoder()

/**
 * Gives members of a JSON object new values; those that it does not have yet come first. Every other byte stays.
 *
 * @param changes each name once
 */
export function withMembers(
  { body, members }: ScannedObject,
  changes: readonly MemberChange[],
): Uint8Array<ArrayBuffer> {
  if (changes.length === 0) return body
  const added = changes
    .filter(([name]) => !members.has(name))
    .map(([name, jsonText]) => `${JSON.stringify(name)}:${jsonText}`)
  const behindBrace = body.indexOf(OPEN_OBJECT) + 1
  const comma = added.length > 0 && members.size > 0 ? ',' : ''
  const edits = changes
    .flatMap(([name, jsonText]) => {
      const span = members.get(name)
      return span ? [{ ...span, text: jsonText }] : []
    })
    .toSorted((a, b) => a.start - b.start)
  const pieces: Uint8Array<ArrayBuffer>[] = []
  let at = 0
  for (const { start, end, text } of [
    { start: behindBrace, end: behindBrace, text: added.join(',') + comma },
    ...edits,
  ]) {
    pieces.push(body.subarray(at, start), encoder.encode(text))
    at = end
  }
  return joinBytes([...pieces, body.subarray(at)])
}
