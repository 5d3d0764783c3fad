import type { ScannedObject } from './scan-json.ts'

/**
 * How many prompts a request to `/v1/completions` holds: a list of texts or of token lists is several, a list of tokens
 * is one. 1 for every other request.
 */
export function countPrompts({ members }: ScannedObject): number {
  const list = members.get('prompt')?.list
  if (!list || list.numbers > 0) return 1
  return Math.max(1, list.items)
}
