import { dataFrame, newId, type Dialect, type Run, type Writer } from './dialect.ts'
import type { JsonObject } from './json.ts'
import { openaiUsage } from './openai-usage.ts'

/** POST /v1/completions: a bare prompt, no roles and no thoughts. */
export const completions: Dialect = {
  check: (body) =>
    body['prompt'] === undefined
      ? {
          code: 400,
          message: "[json.exception.out_of_range.403] key 'prompt' not found",
          type: 'invalid_request_error',
        }
      : undefined,
  prompt: (body) => [body['prompt']],
  said: (body) => firstPrompt(body['prompt']),
  showsReasoning: false,
  write: (run) => writeCompletion(run, newId('chatcmpl-')),
}

function writeCompletion(run: Run, id: string): Writer {
  const object = (text: string, finish: string | null, usage: JsonObject = {}): JsonObject => ({
    choices: [{ text, index: 0, logprobs: null, finish_reason: finish }],
    created: run.created,
    model: run.model,
    system_fingerprint: 'demo',
    object: 'text_completion',
    ...usage,
    id,
  })
  const whole: Writer['whole'] = (outcome) => ({
    ...object(outcome.content, outcome.isCut ? 'length' : 'stop', {
      usage: openaiUsage(run, outcome),
    }),
    timings: outcome.timings,
  })

  return {
    open: () => '',
    piece: ({ text }) => dataFrame(object(text, null)),
    // Here the usage comes at the end whether or not it was asked for.
    close: (outcome) => dataFrame(whole({ ...outcome, content: '' })) + 'data: [DONE]\n\n',
    whole,
  }
}

/** A prompt may be a list of prompts; only the first is echoed. */
function firstPrompt(prompt: unknown): unknown {
  if (!Array.isArray(prompt)) return prompt
  const prompts: unknown[] = prompt
  return prompts[0]
}
