import type { JsonObject } from './json.ts'

const BYTES_PER_TOKEN = 4
const MEDIA_FIELDS = new Set(['image_url', 'source', 'input_audio', 'file'])

/** Estimates tokens as a quarter of the UTF-8 bytes. */
export function countTokens(text: string): number {
  return Math.ceil(new TextEncoder().encode(text).byteLength / BYTES_PER_TOKEN)
}

/**
 * Joins what makes up a prompt. The parts that stay the same over a conversation (system, tools)
 * belong first, or nothing could be reused from one turn to the next.
 */
export function promptText(parts: readonly unknown[]): string {
  return parts
    .filter((part) => part !== undefined)
    .map((part) => (typeof part === 'string' ? part : JSON.stringify(part, withoutMedia)))
    .join('\n')
}

/**
 * The most tokens a body allows for its answer. As in llama-server `n_predict` beats
 * `max_completion_tokens`, which beats `max_tokens`; 0 means 1 and a negative number means no limit.
 */
export function outputLimit(body: JsonObject): number {
  const fields = ['n_predict', 'max_completion_tokens', 'max_output_tokens', 'max_tokens']
  const limit = fields.map((field) => body[field]).find((value) => typeof value === 'number')
  if (limit === undefined || limit < 0) return Number.POSITIVE_INFINITY
  return Math.max(1, Math.floor(limit))
}

/** A picture in base64 is not text: counted by its bytes it would overflow every context. */
function withoutMedia(key: string, value: unknown): unknown {
  return MEDIA_FIELDS.has(key) ? '[media]' : value
}
