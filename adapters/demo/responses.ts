import { eventFrame, newId, type Dialect, type Outcome, type Run, type Writer } from './dialect.ts'
import type { JsonObject } from './json.ts'

/** POST /v1/responses, the API of Codex. */
export const responses: Dialect = {
  check: (body) =>
    body['input'] === undefined
      ? { code: 400, message: "'input' is required", type: 'invalid_request_error' }
      : undefined,
  prompt: (body) => [body['instructions'], body['tools'], body['input']],
  said: (body) => body['input'],
  showsReasoning: true,
  write: (run) =>
    writeResponse(run, {
      response: newId('resp_'),
      reasoning: newId('rs_'),
      message: newId('msg_'),
    }),
}

interface Ids {
  readonly response: string
  readonly reasoning: string
  readonly message: string
}

function writeResponse(run: Run, ids: Ids): Writer {
  const begun = new Set<string>()
  const begin = (kind: string, frames: () => string): string => {
    if (begun.has(kind)) return ''
    begun.add(kind)
    return frames()
  }

  return {
    open: () => {
      const response = { id: ids.response, object: 'response', status: 'in_progress' }
      return (
        eventFrame({ type: 'response.created', response }) +
        eventFrame({ type: 'response.in_progress', response })
      )
    },
    piece: ({ kind, text }) =>
      kind === 'reasoning'
        ? begin(kind, () => reasoningStart(ids.reasoning)) +
          eventFrame({
            type: 'response.reasoning_text.delta',
            delta: text,
            item_id: ids.reasoning,
          })
        : begin(kind, () => messageStart(ids.message)) +
          eventFrame({
            type: 'response.output_text.delta',
            item_id: ids.message,
            delta: text,
          }),
    close: (outcome) =>
      itemsDone(outcome, ids) +
      // llama-server says "completed" even when a limit cut the answer, and never sends [DONE].
      eventFrame({
        type: 'response.completed',
        response: responseObject(run, ids, outcome),
        timings: outcome.timings,
      }),
    whole: (outcome) => ({
      completed_at: run.created,
      ...responseObject(run, ids, outcome),
    }),
  }
}

function responseObject(run: Run, ids: Ids, outcome: Outcome): JsonObject {
  return {
    id: ids.response,
    object: 'response',
    created_at: run.created,
    status: 'completed',
    model: run.model,
    output: outputItems(outcome, ids),
    usage: {
      input_tokens: run.promptTokens,
      output_tokens: outcome.tokens,
      total_tokens: run.promptTokens + outcome.tokens,
      input_tokens_details: { cached_tokens: run.cachedTokens },
    },
  }
}

function outputItems({ reasoning, content }: Outcome, ids: Ids): JsonObject[] {
  const thought = {
    id: ids.reasoning,
    summary: [],
    type: 'reasoning',
    content: [{ text: reasoning, type: 'reasoning_text' }],
    encrypted_content: '',
    status: 'completed',
  }
  const spoken = {
    type: 'message',
    status: 'completed',
    id: ids.message,
    content: [textPart(content)],
    role: 'assistant',
  }
  return [...(reasoning === '' ? [] : [thought]), ...(content === '' ? [] : [spoken])]
}

function textPart(text: string): JsonObject {
  return { type: 'output_text', annotations: [], logprobs: [], text }
}

function reasoningStart(id: string): string {
  const item = { id, summary: [], type: 'reasoning', content: [], encrypted_content: '' }
  return eventFrame({
    type: 'response.output_item.added',
    item: { ...item, status: 'in_progress' },
  })
}

function messageStart(id: string): string {
  const item = { content: [], id, role: 'assistant', status: 'in_progress', type: 'message' }
  return (
    eventFrame({ type: 'response.output_item.added', item }) +
    eventFrame({
      type: 'response.content_part.added',
      item_id: id,
      part: { type: 'output_text', text: '' },
    })
  )
}

function itemsDone(outcome: Outcome, ids: Ids): string {
  return outputItems(outcome, ids)
    .map((item) => {
      const done = eventFrame({ type: 'response.output_item.done', item })
      return item['type'] === 'message' ? textDone(outcome.content, ids.message) + done : done
    })
    .join('')
}

function textDone(text: string, id: string): string {
  return (
    eventFrame({ type: 'response.output_text.done', item_id: id, text }) +
    eventFrame({ type: 'response.content_part.done', item_id: id, part: textPart(text) })
  )
}
