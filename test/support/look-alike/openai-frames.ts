import type { Completion } from './completion.ts'
import { CREATED, openAiUsage, timings } from './completion.ts'
import { dataFrame } from './frame.ts'

/** `/v1/chat/completions` as one JSON value. */
export function chatAnswer(completion: Completion): Record<string, unknown> {
  return {
    choices: [
      {
        finish_reason: 'stop',
        index: 0,
        message: { role: 'assistant', content: completion.texts.join('') },
      },
    ],
    created: CREATED,
    model: completion.model,
    system_fingerprint: 'b11669-look-alike',
    object: 'chat.completion',
    usage: openAiUsage(completion.tokens),
    id: 'chatcmpl-look-alike',
    timings: timings(completion.tokens),
  }
}

/** `/v1/chat/completions` as frames; usage comes only when asked for, timings always. */
export function chatFrames(completion: Completion, includeUsage: boolean): string[] {
  const common = {
    created: CREATED,
    id: 'chatcmpl-look-alike',
    model: completion.model,
    system_fingerprint: 'b11669-look-alike',
    object: 'chat.completion.chunk',
  }
  const choice = (delta: object, finish: string | null) => ({
    choices: [{ finish_reason: finish, index: 0, delta }],
    ...common,
  })
  const chunks: object[] = [
    choice({ role: 'assistant', content: null }, null),
    ...completion.texts.map((content) => choice({ content }, null)),
    choice({}, 'stop'),
  ]
  if (includeUsage) {
    chunks.push({ choices: [], ...common, usage: openAiUsage(completion.tokens) })
  }
  const last = { ...chunks.pop(), timings: timings(completion.tokens) }
  return [...chunks, last].map((chunk) => dataFrame(chunk)).concat('data: [DONE]\n\n')
}

/** `/v1/completions` as one JSON value. */
export function textAnswer(completion: Completion): Record<string, unknown> {
  return {
    choices: [{ text: completion.texts.join(''), index: 0, logprobs: null, finish_reason: 'stop' }],
    created: CREATED,
    model: completion.model,
    object: 'text_completion',
    usage: openAiUsage(completion.tokens),
    id: 'cmpl-look-alike',
    timings: timings(completion.tokens),
  }
}

/** `/v1/completions` as frames; usage is in the last one, asked for or not. */
export function textFrames(completion: Completion): string[] {
  const chunk = (text: string, finish: string | null) => ({
    choices: [{ text, index: 0, logprobs: null, finish_reason: finish }],
    created: CREATED,
    model: completion.model,
    object: 'text_completion',
    id: 'cmpl-look-alike',
  })
  const last = {
    ...chunk('', 'stop'),
    usage: openAiUsage(completion.tokens),
    timings: timings(completion.tokens),
  }
  return [
    ...completion.texts.map((text) => dataFrame(chunk(text, null))),
    dataFrame(last),
    'data: [DONE]\n\n',
  ]
}

/** llama-server's native `/completion` and `/infill` as one JSON value. */
export function nativeAnswer(completion: Completion): Record<string, unknown> {
  return {
    index: 0,
    content: completion.texts.join(''),
    stop: true,
    model: completion.model,
    tokens_predicted: completion.tokens.completion,
    tokens_evaluated: completion.tokens.prompt,
    timings: timings(completion.tokens),
  }
}

/** The native endpoints as frames: the last says `stop`, and there is no `[DONE]`. */
export function nativeFrames(completion: Completion): string[] {
  const chunks = completion.texts.map((content, i) => ({
    index: 0,
    content,
    stop: false,
    tokens_predicted: i + 1,
    tokens_evaluated: completion.tokens.prompt,
  }))
  const last = { ...nativeAnswer(completion), content: '' }
  return [...chunks, last].map((chunk) => dataFrame(chunk))
}
