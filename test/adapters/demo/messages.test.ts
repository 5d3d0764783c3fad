import { expect, test } from 'vitest'
import { isObject } from '../../../adapters/demo/json.ts'
import { framesOf, mask, startDemo, type Frame } from './start-demo.ts'

const hello = [{ role: 'user', content: 'hello there' }]

function event(data: { type: string; [field: string]: unknown }): Frame {
  return { event: data.type, data }
}

test('a streamed message goes from message_start to message_stop', async () => {
  const demo = await startDemo()

  const response = await demo.post('/v1/messages', {
    model: 'coder',
    stream: true,
    max_tokens: 2,
    messages: hello,
  })

  expect(response.headers.get('content-type')).toBe('text/event-stream')
  expect(framesOf(await response.text())).toEqual([
    event({
      type: 'message_start',
      message: {
        id: 'chatcmpl-#',
        type: 'message',
        role: 'assistant',
        content: [],
        model: 'qwen3-coder-next',
        stop_reason: null,
        stop_sequence: null,
        usage: { cache_read_input_tokens: 0, input_tokens: 11, output_tokens: 0 },
      },
    }),
    event({
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'text', text: '' },
    }),
    event({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: 'This' },
    }),
    event({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: ' is' },
    }),
    event({ type: 'content_block_stop', index: 0 }),
    event({
      type: 'message_delta',
      delta: { stop_reason: 'max_tokens', stop_sequence: null },
      usage: { output_tokens: 2 },
    }),
    event({ type: 'message_stop' }),
  ])
})

test('a reasoning model has a signed block of thoughts before the text', async () => {
  const demo = await startDemo()
  const body = { model: 'gpt-oss-120b', max_tokens: 500, messages: hello }

  const stream = await (await demo.post('/v1/messages', { ...body, stream: true })).text()
  const whole = mask(await (await demo.post('/v1/messages', body)).json())

  const outline = framesOf(stream).map(({ data }) =>
    isObject(data) ? [data['type'], data['index']].join(' ').trim() : data,
  )
  expect([...new Set(outline)]).toEqual([
    'message_start',
    'content_block_start 0',
    'content_block_delta 0',
    'content_block_start 1',
    'content_block_delta 1',
    'content_block_stop 0',
    'content_block_stop 1',
    'message_delta',
    'message_stop',
  ])
  expect(stream).toContain('"delta":{"type":"signature_delta","signature":""}')
  expect(whole).toMatchObject({
    content: [{ type: 'thinking', signature: '' }, { type: 'text' }],
    stop_reason: 'end_turn',
  })
})

test('the input tokens of a whole message leave the cached ones out', async () => {
  const demo = await startDemo()
  const body = { model: 'coder', max_tokens: 1, messages: hello }
  const message = {
    id: 'chatcmpl-#',
    type: 'message',
    role: 'assistant',
    content: [{ type: 'text', text: 'This' }],
    model: 'qwen3-coder-next',
    stop_reason: 'max_tokens',
    stop_sequence: null,
  }

  const first = mask(await (await demo.post('/v1/messages', body)).json())
  const second = mask(await (await demo.post('/v1/messages', body)).json())

  expect([first, second]).toEqual([
    { ...message, usage: { cache_read_input_tokens: 0, input_tokens: 11, output_tokens: 1 } },
    { ...message, usage: { cache_read_input_tokens: 10, input_tokens: 1, output_tokens: 1 } },
  ])
})

test('counting tokens answers what the message would use, and loads the model', async () => {
  const demo = await startDemo()

  const response = await demo.post('/v1/messages/count_tokens', {
    model: 'coder',
    messages: hello,
  })

  expect(await response.json()).toEqual({ input_tokens: 11 })
  expect(await demo.running()).toEqual(['qwen3-coder-next ready'])
})
