import { describe, expect, test } from 'vitest'
import { isObject } from '../../../adapters/demo/json.ts'
import { framesOf, mask, startDemo } from './start-demo.ts'

const hello = [{ role: 'user', content: 'hello there' }]
const chunk = (choices: unknown[], extra: object = {}): unknown => ({
  choices,
  created: 0,
  id: 'chatcmpl-#',
  model: 'glm-4.7-flash',
  system_fingerprint: 'demo',
  object: 'chat.completion.chunk',
  ...extra,
})
const delta = (value: object, finish: string | null = null): unknown => ({
  finish_reason: finish,
  index: 0,
  delta: value,
})

const completion = (text: string, finish: string | null): object => ({
  choices: [{ text, index: 0, logprobs: null, finish_reason: finish }],
  created: 0,
  model: 'gpt-oss-120b',
  system_fingerprint: 'demo',
  object: 'text_completion',
  id: 'chatcmpl-#',
})

describe('a streamed chat completion', () => {
  test('has a role, one chunk for each token, the finish with timings and [DONE]', async () => {
    const demo = await startDemo()

    const response = await demo.post('/v1/chat/completions', {
      model: 'glm-4.7-flash',
      stream: true,
      max_tokens: 2,
      messages: hello,
    })

    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.get('cache-control')).toBe('no-cache')
    expect(response.headers.get('x-accel-buffering')).toBe('no')
    expect(framesOf(await response.text())).toEqual([
      { data: chunk([delta({ role: 'assistant', content: null })]) },
      { data: chunk([delta({ content: 'This' })]) },
      { data: chunk([delta({ content: ' is' })]) },
      {
        data: chunk([delta({}, 'length')], {
          timings: { cache_n: 0, prompt_n: 11, predicted_n: 2 },
        }),
      },
      { data: '[DONE]' },
    ])
  })

  test('has a chunk of its own for the usage when that was asked for', async () => {
    const demo = await startDemo()

    const response = await demo.post('/v1/chat/completions', {
      model: 'glm-4.7-flash',
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 2,
      messages: hello,
    })

    expect(framesOf(await response.text()).slice(-3)).toEqual([
      { data: chunk([delta({}, 'length')]) },
      {
        data: chunk([], {
          usage: {
            completion_tokens: 2,
            prompt_tokens: 11,
            total_tokens: 13,
            prompt_tokens_details: { cached_tokens: 0 },
          },
          timings: { cache_n: 0, prompt_n: 11, predicted_n: 2 },
        }),
      },
      { data: '[DONE]' },
    ])
  })

  test('thinks first when the model is a reasoning one', async () => {
    const demo = await startDemo()

    const response = await demo.post('/v1/chat/completions', {
      model: 'gpt-oss-120b',
      stream: true,
      messages: hello,
    })

    const text = await response.text()
    expect(text).toContain('"delta":{"reasoning_content":"The"}')
    expect(text.lastIndexOf('reasoning_content')).toBeLessThan(text.indexOf('"content":"This"'))
    expect(text).toContain('"finish_reason":"stop"')
  })
})

describe('a whole chat completion', () => {
  test('says that it is a demo, repeats the prompt and counts a token for each word', async () => {
    const demo = await startDemo()

    const response = await demo.post('/v1/chat/completions', {
      model: 'glm-4.7-flash',
      messages: hello,
    })

    const content =
      'This is the demo upstream of swapgate, answering in the place of GLM 4.7 Flash (General). ' +
      'You wrote: "hello there". ' +
      'If you can read this, the address, the key and the stream of your client all work. ' +
      'There is no model behind it: start swapgate without --demo, in front of llama-swap, for ' +
      'one. Ask for "500 words" to watch a longer stream.'
    const tokens = content.split(' ').length
    expect(mask(await response.json())).toEqual({
      choices: [{ finish_reason: 'stop', index: 0, message: { role: 'assistant', content } }],
      created: 0,
      model: 'glm-4.7-flash',
      system_fingerprint: 'demo',
      object: 'chat.completion',
      usage: {
        completion_tokens: tokens,
        prompt_tokens: 11,
        total_tokens: 11 + tokens,
        prompt_tokens_details: { cached_tokens: 0 },
      },
      id: 'chatcmpl-#',
      timings: { cache_n: 0, prompt_n: 11, predicted_n: tokens },
    })
  })

  test('takes the beginning that two prompts share from the cache', async () => {
    const demo = await startDemo()
    const ask = async (messages: unknown[]): Promise<unknown> => {
      const body = { model: 'coder', max_tokens: 1, messages }
      const answer = await (await demo.post('/v1/chat/completions', body)).json()
      return isObject(answer) ? answer['usage'] : answer
    }

    const first = await ask(hello)
    const second = await ask([...hello, { role: 'user', content: 'and again' }])

    expect([first, second]).toEqual([
      {
        completion_tokens: 1,
        prompt_tokens: 11,
        total_tokens: 12,
        prompt_tokens_details: { cached_tokens: 0 },
      },
      {
        completion_tokens: 1,
        prompt_tokens: 20,
        total_tokens: 21,
        prompt_tokens_details: { cached_tokens: 10 },
      },
    ])
  })

  test.each([
    [{ max_tokens: 3 }, 3],
    [{ max_tokens: 3, max_completion_tokens: 4 }, 4],
    [{ max_tokens: 3, max_completion_tokens: 4, n_predict: 5 }, 5],
    [{ max_tokens: 0 }, 1],
  ])('with %j is cut after %i tokens', async (limits, tokens) => {
    const demo = await startDemo()
    const body = { model: 'coder', messages: hello, ...limits }

    const answer = mask(await (await demo.post('/v1/chat/completions', body)).json())

    expect(answer).toMatchObject({
      choices: [{ finish_reason: 'length' }],
      usage: { completion_tokens: tokens },
    })
  })

  test('is as long as the prompt asks for', async () => {
    const demo = await startDemo()
    const messages = [{ role: 'user', content: [{ type: 'text', text: 'Write 90 words.' }] }]

    const response = await demo.post('/v1/chat/completions', { model: 'coder', messages })

    expect(await response.json()).toMatchObject({
      choices: [{ finish_reason: 'stop' }],
      usage: { completion_tokens: 90 },
    })
  })
})

describe('a text completion', () => {
  const body = { model: 'gpt-oss-120b', prompt: 'hello', max_tokens: 2 }
  const usage = {
    completion_tokens: 2,
    prompt_tokens: 2,
    total_tokens: 4,
    prompt_tokens_details: { cached_tokens: 0 },
  }
  const timings = { cache_n: 0, prompt_n: 2, predicted_n: 2 }

  test('is like a chat without roles and thoughts', async () => {
    const demo = await startDemo()

    const response = await demo.post('/v1/completions', body)

    expect(mask(await response.json())).toEqual({
      ...completion('This is', 'length'),
      usage,
      timings,
    })
  })

  test('carries its usage at the end of a stream without being asked', async () => {
    const demo = await startDemo()

    const response = await demo.post('/v1/completions', { ...body, stream: true })

    expect(framesOf(await response.text())).toEqual([
      { data: completion('This', null) },
      { data: completion(' is', null) },
      { data: { ...completion('', 'length'), usage, timings } },
      { data: '[DONE]' },
    ])
  })
})
