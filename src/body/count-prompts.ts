import { decodeJson, type ScannedObject } from './scan-json.ts'

const OPEN_ARRAY = 0x5b

/**
 * How many prompts a request to `/v1/completions` holds: a list of texts or of token lists is several, a list of tokens
 * is one. 1 for every other request.
 */
export function countPrompts({ body, members }: ScannedObject): number {
  const span = members.get('prompt')
  // A single text may be megabytes and need not be read.
  if (!span || body[span.start] !== OPEN_ARRAY) return 1
  const prompts = decodeJson(body.subarray(span.start, span.end))
  if (!Array.isArray(prompts) || prompts.some((item) => typeof item === 'number')) return 1
  return Math.max(1, prompts.length)
}
