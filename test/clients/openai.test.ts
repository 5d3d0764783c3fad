import type OpenAI from 'openai'
import { toFile } from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SPOKEN } from '../support/look-alike/completion.ts'
import { SPEECH_BYTES } from '../support/look-alike/llama-server.ts'
import type { Box } from './gate.ts'
import { KEYS, startBox } from './gate.ts'
import { openaiFor } from './sdks.ts'

const model = 'gpt-oss-120b'
const text = SPOKEN.join('')

async function idsFor({ url }: Box, key: string): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of openaiFor({ url, key }).models.list()) ids.push(id)
  return ids
}

describe('the openai package', () => {
  let box: Box
  let client: OpenAI
  beforeAll(async () => {
    box = await startBox()
    client = openaiFor({ url: box.url, key: KEYS.user })
  })
  afterEach(() => box.upstream.reset())
  afterAll(() => box.stop())

  test('lists the models, those of the key only', async () => {
    expect(await idsFor(box, KEYS.user)).toEqual([
      'gpt-oss-120b',
      'glm-4.7-flash',
      'qwen3-coder-next',
      'fast',
      'cloud/big-model',
    ])
    expect(await idsFor(box, KEYS.limited)).toEqual(['glm-4.7-flash'])
  })

  test('completes text', async () => {
    const { choices, usage } = await client.completions.create({ model, prompt: 'Say hello.' })
    expect({ text: choices[0]?.text, usage }).toEqual({
      text,
      usage: {
        prompt_tokens: 25,
        completion_tokens: 4,
        total_tokens: 29,
        prompt_tokens_details: { cached_tokens: 24 },
      },
    })
  })

  test('streams a completion of text', async () => {
    const pieces: string[] = []
    const stream = await client.completions.create({ model, prompt: 'Say hello.', stream: true })
    for await (const { choices } of stream) pieces.push(choices[0]?.text ?? '')
    expect(pieces).toEqual([...SPOKEN, ''])
  })

  test('gets a response', async () => {
    const response = await client.responses.create({ model, input: 'Say hello.' })
    expect({ status: response.status, text: response.output_text, usage: response.usage }).toEqual({
      status: 'completed',
      text,
      usage: {
        input_tokens: 25,
        output_tokens: 4,
        total_tokens: 29,
        input_tokens_details: { cached_tokens: 24 },
      },
    })
  })

  test('streams a response', async () => {
    const pieces: string[] = []
    const stream = client.responses.stream({ model, input: 'Say hello.' })
    stream.on('response.output_text.delta', ({ delta }) => pieces.push(delta))
    const final = await stream.finalResponse()
    expect({ pieces, text: final.output_text, tokens: final.usage?.total_tokens }).toEqual({
      pieces: SPOKEN,
      text,
      tokens: 29,
    })
  })

  test('takes a response that is cut for what it is', async () => {
    box.upstream.behave({ kind: 'cut-mid-stream', frames: 6 })
    const stream = await client.responses.create({ model, input: 'Say hello.', stream: true })
    const read = async (): Promise<void> => {
      for await (const _ of stream);
    }
    await expect(read()).rejects.toMatchObject({
      name: 'Error',
      message: 'The model server ended the stream before the answer was complete.',
      type: 'server_error',
      code: 'stream_interrupted',
    })
  })

  test('embeds text', async () => {
    const { data, usage } = await client.embeddings.create({
      model,
      input: 'Hello.',
      encoding_format: 'float',
    })
    expect({ data, usage }).toEqual({
      data: [{ embedding: [0.1, 0.2, 0.3], index: 0, object: 'embedding' }],
      usage: { prompt_tokens: 25, total_tokens: 25 },
    })
  })

  test('gets speech, every byte of it', async () => {
    const response = await client.audio.speech.create({ model, input: 'Hello.', voice: 'alloy' })
    expect(response.headers.get('content-type')).toBe('audio/wav')
    expect(Buffer.from(await response.arrayBuffer()).equals(SPEECH_BYTES)).toBe(true)
  })

  test('sends a recording, every byte of it', async () => {
    const recording = await toFile(SPEECH_BYTES, 'hello.wav', { type: 'audio/wav' })
    const heard = await client.audio.transcriptions.create({
      model,
      file: recording,
      language: 'en',
    })
    const { body } = await box.upstream.waitFor(({ url }) => url === '/v1/audio/transcriptions')
    expect({ text: heard.text, isWhole: body.includes(SPEECH_BYTES), heard }).toMatchObject({
      text: 'Hello',
      isWhole: true,
      heard: {
        parts: expect.arrayContaining([
          { name: 'file', filename: 'hello.wav', type: 'audio/wav', bytes: SPEECH_BYTES.length },
          { name: 'model', value: model },
          { name: 'language', value: 'en' },
        ]),
      },
    })
  })

  test('knows the id of a request', async () => {
    const messages = [{ role: 'user' as const, content: 'Hello.' }]
    const asked = client.chat.completions.create({ model, messages })
    const { request_id: id } = await asked.withResponse()
    await expect.poll(() => box.gate.output()).toContain(`"requestId":"${id}"`)
  })
})
