import { eventFrame, newId, type Dialect, type Outcome, type Run, type Writer } from './dialect.ts'
import type { JsonObject } from './json.ts'
import type { Piece } from './text.ts'

/** POST /v1/messages, Anthropic's API. */
export const messages: Dialect = {
  check: (body) =>
    body['messages'] === undefined
      ? { code: 500, message: "'messages' is required", type: 'server_error' }
      : undefined,
  prompt: (body) => [body['system'], body['tools'], body['messages']],
  said: (body) => body['messages'],
  showsReasoning: true,
  write: (run) => writeMessage(run, newId('chatcmpl-')),
}

function writeMessage(run: Run, id: string): Writer {
  // The kinds of blocks in the order they began: the position is the block's index.
  const blocks: Piece['kind'][] = []

  return {
    open: () =>
      eventFrame({
        type: 'message_start',
        message: message({ run, id, content: [], stopReason: null, outputTokens: 0 }),
      }),
    piece: (piece) => {
      const begin = blocks.includes(piece.kind)
        ? ''
        : blockStart(blocks.push(piece.kind) - 1, piece)
      return begin + blockDelta(blocks.indexOf(piece.kind), deltaOf(piece))
    },
    close: (outcome) =>
      blocks.map((kind, index) => blockStop(index, kind)).join('') +
      eventFrame({
        type: 'message_delta',
        delta: { stop_reason: stopReason(outcome), stop_sequence: null },
        usage: { output_tokens: outcome.tokens },
      }) +
      eventFrame({ type: 'message_stop' }),
    whole: (outcome) =>
      message({
        run,
        id,
        content: contentOf(outcome),
        stopReason: stopReason(outcome),
        outputTokens: outcome.tokens,
      }),
  }
}

interface MessageParts {
  readonly run: Run
  readonly id: string
  readonly content: JsonObject[]
  readonly stopReason: string | null
  readonly outputTokens: number
}

function message({ run, id, content, stopReason: reason, outputTokens }: MessageParts): JsonObject {
  return {
    id,
    type: 'message',
    role: 'assistant',
    content,
    model: run.model,
    stop_reason: reason,
    stop_sequence: null,
    usage: {
      cache_read_input_tokens: run.cachedTokens,
      // Without the cached ones: the prompt is the sum of the two.
      input_tokens: run.promptTokens - run.cachedTokens,
      output_tokens: outputTokens,
    },
  }
}

function contentOf({ reasoning, content }: Outcome): JsonObject[] {
  return [
    ...(reasoning === '' ? [] : [{ type: 'thinking', thinking: reasoning, signature: '' }]),
    ...(content === '' ? [] : [{ type: 'text', text: content }]),
  ]
}

function blockStart(index: number, { kind }: Piece): string {
  const block =
    kind === 'reasoning' ? { type: 'thinking', thinking: '' } : { type: 'text', text: '' }
  return eventFrame({ type: 'content_block_start', index, content_block: block })
}

function blockDelta(index: number, delta: JsonObject): string {
  return eventFrame({ type: 'content_block_delta', index, delta })
}

function blockStop(index: number, kind: Piece['kind']): string {
  // Thoughts are signed before their block ends; a local model has nothing to sign with.
  const signature =
    kind === 'reasoning' ? blockDelta(index, { type: 'signature_delta', signature: '' }) : ''
  return signature + eventFrame({ type: 'content_block_stop', index })
}

function deltaOf({ kind, text }: Piece): JsonObject {
  return kind === 'reasoning'
    ? { type: 'thinking_delta', thinking: text }
    : { type: 'text_delta', text }
}

function stopReason({ isCut }: Outcome): string {
  return isCut ? 'max_tokens' : 'end_turn'
}
