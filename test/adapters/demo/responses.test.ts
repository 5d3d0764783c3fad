import { expect, test } from 'vitest'
import { framesOf, mask, startDemo, type Frame } from './start-demo.ts'

const part = { type: 'output_text', annotations: [], logprobs: [], text: 'This is' }
const item = {
  type: 'message',
  status: 'completed',
  id: 'msg#',
  content: [part],
  role: 'assistant',
}

function responseWith(cached: number): object {
  return {
    id: 'resp#',
    object: 'response',
    created_at: 0,
    status: 'completed',
    model: 'qwen3-coder-next',
    output: [item],
    usage: {
      input_tokens: 3,
      output_tokens: 2,
      total_tokens: 5,
      input_tokens_details: { cached_tokens: cached },
    },
  }
}

function event(data: { type: string; [field: string]: unknown }): Frame {
  return { event: data.type, data }
}

test('a streamed response goes from response.created to response.completed', async () => {
  const demo = await startDemo()

  const response = await demo.post('/v1/responses', {
    model: 'coder',
    stream: true,
    max_output_tokens: 2,
    input: 'hello there',
  })

  const begun = { id: 'resp#', object: 'response', status: 'in_progress' }
  expect(framesOf(await response.text())).toEqual([
    event({ type: 'response.created', response: begun }),
    event({ type: 'response.in_progress', response: begun }),
    event({
      type: 'response.output_item.added',
      item: { content: [], id: 'msg#', role: 'assistant', status: 'in_progress', type: 'message' },
    }),
    event({
      type: 'response.content_part.added',
      item_id: 'msg#',
      part: { type: 'output_text', text: '' },
    }),
    event({ type: 'response.output_text.delta', item_id: 'msg#', delta: 'This' }),
    event({ type: 'response.output_text.delta', item_id: 'msg#', delta: ' is' }),
    event({ type: 'response.output_text.done', item_id: 'msg#', text: 'This is' }),
    event({ type: 'response.content_part.done', item_id: 'msg#', part }),
    event({ type: 'response.output_item.done', item }),
    event({
      type: 'response.completed',
      response: responseWith(0),
      timings: { cache_n: 0, prompt_n: 3, predicted_n: 2 },
    }),
  ])
})

test('a whole response is what the stream ends with', async () => {
  const demo = await startDemo()

  const response = await demo.post('/v1/responses', {
    model: 'coder',
    max_output_tokens: 2,
    input: 'hello there',
  })

  expect(mask(await response.json())).toEqual({ completed_at: 0, ...responseWith(0) })
})

test('a reasoning model has an item of thoughts before the message', async () => {
  const demo = await startDemo()
  const input = [{ role: 'user', content: [{ type: 'input_text', text: 'hello there' }] }]

  const response = await demo.post('/v1/responses', { model: 'gpt-oss-120b', stream: true, input })

  const text = await response.text()
  const types = new Set(framesOf(text).map(({ event: name }) => name))
  expect(types).toContain('response.reasoning_text.delta')
  expect(framesOf(text).at(-1)).toMatchObject({
    event: 'response.completed',
    data: { response: { output: [{ type: 'reasoning' }, { type: 'message' }] } },
  })
  expect(text).toContain('hello there')
})
