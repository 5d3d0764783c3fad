import type { Outcome, Run } from './dialect.ts'
import type { JsonObject } from './json.ts'

/** The usage of /v1/chat/completions and /v1/completions; cached tokens are part of the prompt's. */
export function openaiUsage(run: Run, outcome: Outcome): JsonObject {
  return {
    completion_tokens: outcome.tokens,
    prompt_tokens: run.promptTokens,
    total_tokens: run.promptTokens + outcome.tokens,
    prompt_tokens_details: { cached_tokens: run.cachedTokens },
  }
}
