import { dataFrame, newId, type Dialect, type Outcome, type Run, type Writer } from './dialect.ts'
import { isObject, type JsonObject } from './json.ts'
import { openaiUsage } from './openai-usage.ts'

/** POST /v1/chat/completions. */
export const chat: Dialect = {
  check: (body) =>
    body['messages'] === undefined
      ? { code: 400, message: "'messages' is required", type: 'invalid_request_error' }
      : undefined,
  prompt: (body) => [body['tools'], body['messages']],
  said: (body) => body['messages'],
  showsReasoning: true,
  write: (run) => writeChat(run, newId('chatcmpl-')),
}

function writeChat(run: Run, id: string): Writer {
  const chunk = (choices: JsonObject[], extra: JsonObject = {}): string =>
    dataFrame({
      choices,
      created: run.created,
      id,
      model: run.model,
      system_fingerprint: 'demo',
      object: 'chat.completion.chunk',
      ...extra,
    })
  const delta = (value: JsonObject, finish: string | null, extra?: JsonObject): string =>
    chunk([{ finish_reason: finish, index: 0, delta: value }], extra)

  return {
    open: () => delta({ role: 'assistant', content: null }, null),
    piece: ({ kind, text }) =>
      delta(kind === 'reasoning' ? { reasoning_content: text } : { content: text }, null),
    close: (outcome) => {
      const { timings } = outcome
      const finish = finishReason(outcome)
      // The timings are on whatever chunk comes last.
      if (!wantsUsage(run.body)) return delta({}, finish, { timings }) + 'data: [DONE]\n\n'
      const usage = chunk([], { usage: openaiUsage(run, outcome), timings })
      return delta({}, finish) + usage + 'data: [DONE]\n\n'
    },
    whole: (outcome) => ({
      choices: [{ finish_reason: finishReason(outcome), index: 0, message: message(outcome) }],
      created: run.created,
      model: run.model,
      system_fingerprint: 'demo',
      object: 'chat.completion',
      usage: openaiUsage(run, outcome),
      id,
      timings: outcome.timings,
    }),
  }
}

function message({ content, reasoning }: Outcome): JsonObject {
  const spoken = { role: 'assistant', content }
  return reasoning === '' ? spoken : { ...spoken, reasoning_content: reasoning }
}

function finishReason({ isCut }: Outcome): string {
  return isCut ? 'length' : 'stop'
}

function wantsUsage(body: JsonObject): boolean {
  const options = body['stream_options']
  return isObject(options) && options['include_usage'] === true
}
