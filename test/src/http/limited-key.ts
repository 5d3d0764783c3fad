import type { ConfigFile } from '../../../src/config/schema.ts'
import { jsonAnswer, type FakeCall, type WholeAnswer } from '../../support/fake-upstream.ts'
import { answerEverything, KEYS, type Answer } from './open-gate.ts'

type KeyFields = Exclude<NonNullable<ConfigFile['keys']>[number], string>

/** A configuration with one key, `laptop`, which may use all models within `limits`. */
export function withLimits(
  limits: NonNullable<KeyFields['limits']>,
  fields: Partial<KeyFields> = {},
): ConfigFile {
  return { keys: [{ id: 'laptop', secret: KEYS.user, limits, ...fields }] }
}

/** An answer of a model that used so many tokens. */
export function answerUsing(prompt: number, cached: number, completion: number): WholeAnswer {
  return jsonAnswer({
    choices: [],
    usage: {
      prompt_tokens: prompt,
      completion_tokens: completion,
      prompt_tokens_details: { cached_tokens: cached },
    },
  })
}

/** Answers inference with `answer`, and all else as llama-swap would. */
export function answerInference(answer: WholeAnswer): (call: FakeCall) => void {
  return (call) => {
    if (call.request.method === 'POST') call.answer(answer)
    else answerEverything(call)
  }
}

/** The fields that tell of limits. */
export function limitFieldsOf({ headers }: Pick<Answer, 'headers'>): Record<string, string> {
  const isOfLimits = /ratelimit|^retry-after|^x-should-retry/
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isOfLimits.test(name)))
}
