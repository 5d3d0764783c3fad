/** llama.cpp's own account of a generation: prompt = cache_n + prompt_n. */
export interface Timings {
  readonly cache_n: number
  readonly prompt_n: number
  readonly prompt_ms: number
  readonly prompt_per_token_ms: number
  readonly prompt_per_second: number
  readonly predicted_n: number
  readonly predicted_ms: number
  readonly predicted_per_token_ms: number
  readonly predicted_per_second: number
}

/** Tokens and measured milliseconds of the two phases of a generation. */
export interface Measured {
  readonly cached: number
  readonly prompt: { readonly tokens: number; readonly ms: number }
  readonly predicted: { readonly tokens: number; readonly ms: number }
}

/** Works out the rates from what was measured. */
export function timingsOf({ cached, prompt, predicted }: Measured): Timings {
  return {
    cache_n: cached,
    prompt_n: prompt.tokens,
    prompt_ms: prompt.ms,
    prompt_per_token_ms: ratio(prompt.ms, prompt.tokens),
    prompt_per_second: ratio(prompt.tokens * 1000, prompt.ms),
    predicted_n: predicted.tokens,
    predicted_ms: predicted.ms,
    predicted_per_token_ms: ratio(predicted.ms, predicted.tokens),
    predicted_per_second: ratio(predicted.tokens * 1000, predicted.ms),
  }
}

/** JSON has no infinity, and a clock may show no time at all between two tokens. */
function ratio(a: number, b: number): number {
  return b > 0 ? a / b : 0
}
