import type { TokenCounts } from './record.ts'

export type JsonObject = Record<string, unknown>

/** How far llama.cpp is with a prompt; `cache` and `processed` are parts of `total`, and `cache` is part of `processed`. */
export type Progress = { total: number; cache: number; processed: number }

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The member of an object that is itself an object. */
export function objectIn(object: JsonObject, name: string): JsonObject | undefined {
  const value = object[name]
  return isJsonObject(value) ? value : undefined
}

/** A member that counts something: an integer, not negative. */
export function countIn(object: JsonObject | undefined, name: string): number | undefined {
  const value = object?.[name]
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/**
 * A `usage` object: OpenAI's of chat, completions, embeddings and rerank (`prompt_tokens`), OpenAI's of responses and
 * Anthropic's (`input_tokens`). Only Anthropic's leaves what was cached out of the input.
 */
export function readUsage(usage: unknown): TokenCounts | undefined {
  if (!isJsonObject(usage)) return undefined
  const prompt = countIn(usage, 'prompt_tokens')
  if (prompt !== undefined) {
    const cached = countIn(objectIn(usage, 'prompt_tokens_details'), 'cached_tokens') ?? 0
    return { prompt, cached, completion: countIn(usage, 'completion_tokens') ?? 0, exact: true }
  }
  const input = countIn(usage, 'input_tokens')
  if (input === undefined) return undefined
  const completion = countIn(usage, 'output_tokens') ?? 0
  const read = countIn(usage, 'cache_read_input_tokens') ?? 0
  const created = countIn(usage, 'cache_creation_input_tokens') ?? 0
  const cached = countIn(objectIn(usage, 'input_tokens_details'), 'cached_tokens') ?? read
  return { prompt: input + read + created, cached, completion, exact: true }
}

/** llama.cpp's `timings`, exact for its one choice. Builds without `cache_n` do not tell the whole prompt: undefined. */
export function readTimings(timings: unknown): TokenCounts | undefined {
  if (!isJsonObject(timings)) return undefined
  const cached = countIn(timings, 'cache_n')
  const computed = countIn(timings, 'prompt_n')
  const completion = countIn(timings, 'predicted_n')
  if (cached === undefined || computed === undefined || completion === undefined) return undefined
  return { prompt: cached + computed, cached, completion, exact: true }
}

/** llama.cpp's `prompt_progress`. */
export function readProgress(progress: unknown): Progress | undefined {
  if (!isJsonObject(progress)) return undefined
  const total = countIn(progress, 'total')
  const cache = countIn(progress, 'cache')
  const processed = countIn(progress, 'processed')
  if (total === undefined || cache === undefined || processed === undefined) return undefined
  return { total, cache, processed }
}

/** llama.cpp's own `/completion` and `/infill`: what was evaluated includes what was cached. */
export function readNative(answer: JsonObject): TokenCounts | undefined {
  const prompt = countIn(answer, 'tokens_evaluated')
  const completion = countIn(answer, 'tokens_predicted')
  if (prompt === undefined || completion === undefined) return undefined
  const cached = countIn(objectIn(answer, 'timings'), 'cache_n') ?? 0
  return { prompt, cached, completion, exact: true }
}

/** Adds up what several choices or prompts of one request used; undefined for none. */
export function sumCounts(all: readonly TokenCounts[]): TokenCounts | undefined {
  if (all.length === 0) return undefined
  return {
    prompt: all.reduce((sum, { prompt }) => sum + prompt, 0),
    cached: all.reduce((sum, { cached }) => sum + cached, 0),
    completion: all.reduce((sum, { completion }) => sum + completion, 0),
    exact: all.every(({ exact }) => exact),
  }
}
