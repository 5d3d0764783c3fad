/** Token counts of one call; the prompt includes what came from the cache. */
export type Tokens = { prompt: number; cached: number; completion: number }

/** One generated answer, before it is written in a dialect. */
export type Completion = {
  model: string
  /** One token each. */
  texts: readonly string[]
  tokens: Tokens
}

/** What the look-alike says: short, with two and four byte characters. */
export const SPOKEN: readonly string[] = ['Hello', ', ', 'wörld', ' 🌍']

/** The usual counts, as measured on a warm cache: 24 of 25 prompt tokens were cached. */
export const USUAL_TOKENS: Tokens = { prompt: 25, cached: 24, completion: SPOKEN.length }

/** A fixed time, so that answers can be compared as whole bytes. */
export const CREATED = 1_755_000_000

/** llama-server's speed and count report, which stands in for usage when none was asked for. */
export function timings(tokens: Tokens): Record<string, number> {
  return {
    cache_n: tokens.cached,
    prompt_n: tokens.prompt - tokens.cached,
    prompt_ms: 12.5,
    prompt_per_second: 80,
    predicted_n: tokens.completion,
    predicted_ms: 40,
    predicted_per_second: 100,
  }
}

/** Usage as chat and text completions report it. */
export function openAiUsage(tokens: Tokens): Record<string, unknown> {
  return {
    completion_tokens: tokens.completion,
    prompt_tokens: tokens.prompt,
    total_tokens: tokens.prompt + tokens.completion,
    prompt_tokens_details: { cached_tokens: tokens.cached },
  }
}

/** Usage as `/v1/messages` reports it: the input leaves out what was cached. */
export function anthropicUsage(tokens: Tokens): Record<string, number> {
  return {
    cache_read_input_tokens: tokens.cached,
    input_tokens: tokens.prompt - tokens.cached,
    output_tokens: tokens.completion,
  }
}

/** Usage as `/v1/responses` reports it. */
export function responsesUsage(tokens: Tokens): Record<string, unknown> {
  return {
    input_tokens: tokens.prompt,
    output_tokens: tokens.completion,
    total_tokens: tokens.prompt + tokens.completion,
    input_tokens_details: { cached_tokens: tokens.cached },
  }
}
