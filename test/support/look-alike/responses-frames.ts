import type { Completion } from './completion.ts'
import { CREATED, responsesUsage, timings } from './completion.ts'
import { typedFrame } from './frame.ts'

const RESPONSE_ID = 'resp_look-alike'
const ITEM_ID = 'msg_look-alike'

/** `/v1/responses` as one JSON value. */
export function responsesAnswer(completion: Completion): Record<string, unknown> {
  return {
    id: RESPONSE_ID,
    object: 'response',
    created_at: CREATED,
    completed_at: CREATED,
    status: 'completed',
    model: completion.model,
    output: [item(completion.texts.join(''))],
    usage: responsesUsage(completion.tokens),
  }
}

/** `/v1/responses` as events; it ends with `response.completed`, never with `[DONE]`. */
export function responsesFrames(completion: Completion): string[] {
  const text = completion.texts.join('')
  const begun = { id: RESPONSE_ID, object: 'response', status: 'in_progress' }
  const at = { item_id: ITEM_ID, output_index: 0, content_index: 0 }
  const part = { type: 'output_text', text, annotations: [] }
  return [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { ...item(''), content: [], status: 'in_progress' },
    },
    { type: 'response.content_part.added', ...at, part: { ...part, text: '' } },
    ...completion.texts.map((delta) => ({ type: 'response.output_text.delta', ...at, delta })),
    { type: 'response.output_text.done', ...at, text },
    { type: 'response.content_part.done', ...at, part },
    { type: 'response.output_item.done', output_index: 0, item: item(text) },
    {
      type: 'response.completed',
      response: responsesAnswer(completion),
      timings: timings(completion.tokens),
    },
  ].map((event) => typedFrame(event))
}

function item(text: string): Record<string, unknown> {
  return {
    type: 'message',
    id: ITEM_ID,
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  }
}
