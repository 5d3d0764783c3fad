import type { Completion } from './completion.ts'
import { anthropicUsage } from './completion.ts'
import { typedFrame } from './frame.ts'

/** `/v1/messages` as one JSON value. */
export function messagesAnswer(completion: Completion): Record<string, unknown> {
  return {
    id: 'msg_look-alike',
    type: 'message',
    role: 'assistant',
    content: [{ type: 'text', text: completion.texts.join('') }],
    model: completion.model,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: anthropicUsage(completion.tokens),
  }
}

/** `/v1/messages` as events, from `message_start` to `message_stop`. */
export function messagesFrames(completion: Completion): string[] {
  const { tokens } = completion
  return [
    {
      type: 'message_start',
      message: {
        ...messagesAnswer(completion),
        content: [],
        stop_reason: null,
        usage: { ...anthropicUsage(tokens), output_tokens: 0 },
      },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...completion.texts.map((text) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text },
    })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: tokens.completion },
    },
    { type: 'message_stop' },
  ].map((event) => typedFrame(event))
}
