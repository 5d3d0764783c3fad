import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { endingOf, type StreamFormat } from '../../../src/dialects/stream-format.ts'

const frame = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`
const named = (event: string, data: unknown): string => `event: ${event}\n${frame(data)}`

const FORMATS: readonly StreamFormat[] = ['chat', 'responses', 'messages', 'native']

describe('a stream is finished', () => {
  test.each<[StreamFormat, string, string]>([
    ['chat', 'by [DONE]', 'data: [DONE]\n\n'],
    ['chat', 'by [DONE] without a blank', 'data:[DONE]\n\n'],
    ['chat', 'by [DONE] after CRLF', `${frame({ choices: [] })}\r\ndata: [DONE]\r\n\r\n`],
    ['chat', 'by a finish_reason', frame({ choices: [{ delta: {}, finish_reason: 'stop' }] })],
    ['chat', 'by a spaced finish_reason', 'data: {"choices": [{"finish_reason" : "length"}]}\n\n'],
    ['responses', 'by completed', named('response.completed', { type: 'response.completed' })],
    ['responses', 'by incomplete', named('response.incomplete', { type: 'response.incomplete' })],
    ['responses', 'by failed', named('response.failed', { type: 'response.failed' })],
    ['messages', 'by message_stop', named('message_stop', { type: 'message_stop' })],
    ['messages', 'by the type alone', frame({ type: 'message_stop' })],
    ['native', 'by stop', frame({ content: '', stop: true, tokens_predicted: 3 })],
  ])('%s: %s', (format, _how, tail) => {
    expect(endingOf(format, tail)).toBe('finished')
  })
})

describe('a stream has failed', () => {
  const error = { code: 500, message: 'Context size has been exceeded.', type: 'server_error' }

  test.each(FORMATS)('%s: with an error frame at its end', (format) => {
    expect([
      endingOf(format, frame({ error })),
      endingOf(format, named('error', error)),
      endingOf(format, named('error', { type: 'error', error })),
      endingOf(format, frame({ type: 'error', error })),
      endingOf(format, `${frame({ content: 'before' })}data:{"error":{}}\r\n\r\n`),
    ]).toEqual(['failed', 'failed', 'failed', 'failed', 'failed'])
  })
})

describe('a stream was cut', () => {
  test.each<[StreamFormat, string, string]>([
    ['chat', 'with no frame at all', ''],
    ['chat', 'with finish_reason null', frame({ choices: [{ finish_reason: null }] })],
    ['chat', 'in the middle of the terminator', 'data: [DON'],
    ['chat', 'after a comment', ': keep-alive\n\n'],
    ['responses', 'with a delta', frame({ type: 'response.output_text.delta', delta: 'x' })],
    ['responses', "with another format's terminator", 'data: [DONE]\n\n'],
    ['messages', 'with message_delta', named('message_delta', { type: 'message_delta' })],
    ['messages', "with another format's terminator", 'data: [DONE]\n\n'],
    ['native', 'with stop false', frame({ content: 'x', stop: false })],
    ['native', "with another format's terminator", 'data: [DONE]\n\n'],
  ])('%s: %s', (format, _how, tail) => {
    expect(endingOf(format, tail)).toBe('cut')
  })
})

test('nothing that a model writes looks like an ending', () => {
  const spoken = fc.oneof(
    fc.constantFrom(
      'data: [DONE]',
      '\ndata: [DONE]\n\n',
      '\u2028data: [DONE]',
      '\u2029data: [DONE]\u2028',
      '"finish_reason":"stop"',
      '{"type":"message_stop"}',
      '\u2028event: message_stop',
      '"type":"response.completed"',
      '"stop":true',
      '\\"stop\\":true',
      '\\',
      '"',
      '\u2028event: error',
      '\u2028data: {"error"',
      'event: error\ndata: {"error":{}}',
    ),
    fc.string({ unit: 'binary', maxLength: 5 }),
  )
  const framesOf: Record<StreamFormat, (text: string) => string> = {
    chat: (content) => frame({ choices: [{ delta: { content }, finish_reason: null }] }),
    responses: (delta) =>
      named('response.output_text.delta', { type: 'response.output_text.delta', delta }),
    messages: (text) =>
      named('content_block_delta', { type: 'content_block_delta', delta: { text } }),
    native: (content) => frame({ content, stop: false }),
  }
  fc.assert(
    fc.property(
      fc.constantFrom(...FORMATS),
      fc.array(spoken, { maxLength: 4 }),
      (format, pieces) => {
        expect(endingOf(format, framesOf[format](pieces.join('')))).toBe('cut')
      },
    ),
    { numRuns: 400 },
  )
})

const choice = (index: number, reason: string): string =>
  `data: {"choices":[{"index":${index},"delta":{},"finish_reason":${reason}}]}\n\n`

describe('with several choices and no [DONE]', () => {
  test.each([
    ['both finished', choice(0, '"stop"') + choice(1, '"length"'), 'finished'],
    ['one finished, the other still speaking', choice(0, '"stop"') + choice(1, 'null'), 'cut'],
    ['a finish_reason that says nothing', choice(0, '""'), 'cut'],
  ])('%s', (_what, tail, ending) => {
    expect(endingOf('chat', tail)).toBe(ending)
  })
})
