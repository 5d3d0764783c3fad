import Anthropic from '@anthropic-ai/sdk'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SPOKEN } from '../support/look-alike/completion.ts'
import type { Box } from './gate.ts'
import { KEYS, startBox } from './gate.ts'
import { anthropicFor } from './sdks.ts'

const model = 'gpt-oss-120b'
const messages: [{ role: 'user'; content: string }] = [{ role: 'user', content: 'Hello.' }]
const content = [{ type: 'text', text: SPOKEN.join('') }]

describe('the Anthropic package', () => {
  let box: Box
  let client: Anthropic
  beforeAll(async () => {
    box = await startBox()
    client = anthropicFor({ url: box.url, key: KEYS.user })
  })
  afterEach(() => box.upstream.reset())
  afterAll(() => box.stop())

  test('counts tokens', async () => {
    expect(await client.messages.countTokens({ model, messages })).toEqual({ input_tokens: 25 })
  })

  test('is told in its own dialect that it may not count the tokens of a model', async () => {
    const limited = anthropicFor({ url: box.url, key: KEYS.limited })
    await expect(limited.messages.countTokens({ model, messages })).rejects.toMatchObject({
      status: 404,
      type: 'not_found_error',
      apiMessage: 'Unknown model "gpt-oss-120b". GET /v1/models lists what this key may use.',
    })
  })

  test('lists the models, as Claude Code does to find them', async () => {
    const ids: string[] = []
    for await (const { id } of client.models.list({ limit: 1000 })) ids.push(id)
    expect(ids).toEqual([
      'gpt-oss-120b',
      'glm-4.7-flash',
      'qwen3-coder-next',
      'fast',
      'cloud/big-model',
    ])
  })

  test('puts a streamed message together', async () => {
    const pieces: string[] = []
    const stream = client.messages.stream({ model, messages, max_tokens: 100 })
    stream.on('text', (piece) => pieces.push(piece))
    const message = await stream.finalMessage()
    const { stop_reason: stopReason, usage } = message
    expect({ pieces, content: message.content, stopReason, usage }).toEqual({
      pieces: SPOKEN,
      content,
      stopReason: 'end_turn',
      usage: { input_tokens: 1, cache_read_input_tokens: 24, output_tokens: 4 },
    })
  })

  test('puts no message together from a stream that is cut', async () => {
    box.upstream.behave({ kind: 'cut-mid-stream', frames: 6 })
    const stream = client.messages.stream({ model, messages, max_tokens: 100 })
    await expect(stream.finalMessage()).rejects.toMatchObject({
      apiMessage: 'The model server ended the stream before the answer was complete.',
    })
  })

  test.each([
    ['as a bearer token', new Anthropic({ authToken: KEYS.user, apiKey: null })],
    [
      'in x-api-key, as older versions do',
      new Anthropic({
        apiKey: 'unused',
        defaultHeaders: { authorization: null, 'x-api-key': KEYS.user },
      }),
    ],
  ])('may send its key %s', async (_, made) => {
    const message = await made
      .withOptions({ baseURL: box.url })
      .messages.create({ model, messages, max_tokens: 100 })
    expect(message.content).toEqual(content)
  })

  test('may ask for betas', async () => {
    const betas = ['interleaved-thinking-2025-05-14']
    const asked = { model, messages, max_tokens: 100, betas }
    const message = await client.beta.messages.create(asked)
    const { headers } = await box.upstream.waitFor(({ url }) => url.startsWith('/v1/messages'))
    expect({ content: message.content, betas: headers['anthropic-beta'] }).toEqual({
      content,
      betas: betas[0],
    })
  })

  test('knows the id of a request', async () => {
    const asked = client.messages.create({ model, messages, max_tokens: 100 })
    const { request_id: id } = await asked.withResponse()
    await expect.poll(() => box.gate.output()).toContain(`"requestId":"${id}"`)
  })
})
