import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { eventually, postJson, readAllEvents, readEvents } from './client.ts'
import type { LlamaServer } from './llama-server.ts'
import {
  findLlamaServer,
  requireLlamaServer,
  sentenceOf,
  startLlamaServer,
} from './llama-server.ts'
import { AT_LENGTH, longAnswer } from './tiny-gguf.ts'

const model = 'gpt-oss-120b'
const sentence = sentenceOf(model)
const words = sentence.split(' ').length
const hello = [{ role: 'user', content: 'hello' }]
const talk = [{ role: 'user', content: `talk ${AT_LENGTH}` }]
// Each character of a prompt is a token; the beginning of the text is one, and the tokenizer adds a space.
const promptTokens = 'user: hello\nassistant:'.length + 2

let server: LlamaServer

const busySlots = async (): Promise<number> =>
  (await server.slots()).filter((slot) => slot.is_processing).length

const post = (path: string, body: object, signal?: AbortSignal): Promise<Response> =>
  postJson(server.url + path, { model, ...body }, signal ? { signal } : {})

describe('a real llama-server with a scripted model', () => {
  beforeAll(async () => {
    server = await startLlamaServer({ model, contextSize: 8192, parallel: 2 })
  }, 30_000)

  afterAll(() => server?.stop())

  test('tells its slots, its context and its name', async () => {
    expect(await server.props()).toMatchObject({
      default_generation_settings: { n_ctx: 4096 },
      total_slots: 2,
      model_alias: model,
    })
    expect(await server.slots()).toMatchObject([
      { id: 0, n_ctx: 4096, is_processing: false },
      { id: 1, n_ctx: 4096, is_processing: false },
    ])
  })

  test('answers a chat with its sentence', async () => {
    const response = await post('/v1/chat/completions', { messages: hello })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      model,
      choices: [{ finish_reason: 'stop', message: { role: 'assistant', content: sentence } }],
      usage: { prompt_tokens: promptTokens, completion_tokens: words + 1 },
    })
  })

  test('streams a chat, then the usage, then [DONE]', async () => {
    const response = await post('/v1/chat/completions', {
      messages: hello,
      stream: true,
      stream_options: { include_usage: true },
    })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const frames = (await readAllEvents(response)).map(({ data }) => data)
    expect(frames.pop()).toBe('[DONE]')
    const chunks = frames.map((frame) => JSON.parse(frame))
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: promptTokens, completion_tokens: words + 1 },
    })
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(sentence)
  })

  test('answers /v1/messages in the Anthropic dialect', async () => {
    const response = await post('/v1/messages', { messages: hello, max_tokens: 100 })
    expect(response.status).toBe(200)
    const message = JSON.parse(await response.text())
    expect(message).toMatchObject({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text: sentence }],
      stop_reason: 'end_turn',
    })
    const { input_tokens: fresh, cache_read_input_tokens: cached } = message.usage
    expect(fresh + cached).toBe(promptTokens)
  })

  test('streams /v1/messages up to message_stop', async () => {
    const response = await post('/v1/messages', { messages: hello, max_tokens: 100, stream: true })
    const events = await readAllEvents(response)
    expect(events[0]?.event).toBe('message_start')
    expect(events.at(-1)).toEqual({ event: 'message_stop', data: '{"type":"message_stop"}' })
    const deltas = events.filter(({ event }) => event === 'content_block_delta')
    expect(deltas.map(({ data }) => JSON.parse(data).delta.text).join('')).toBe(sentence)
  })

  test('refuses embeddings unless it was started for them', async () => {
    const response = await post('/v1/embeddings', { input: 'hello' })
    expect(response.status).toBe(501)
    expect(await response.json()).toEqual({
      error: {
        code: 501,
        message: 'This server does not support embeddings. Start it with `--embeddings`',
        type: 'not_supported_error',
      },
    })
  })

  test.each(['/v1/chat/completions', '/v1/messages'])(
    'refuses a prompt larger than the context on %s, streamed or not, in the same words',
    async (path) => {
      const messages = [{ role: 'user', content: 'x'.repeat(5000) }]
      const tokens = promptTokens - 'hello'.length + 5000
      for (const stream of [false, true]) {
        const response = await post(path, { messages, stream, max_tokens: 10 })
        expect(response.status).toBe(400)
        expect(await response.text()).toBe(
          `{"error":{"code":400,"message":"request (${tokens} tokens) exceeds the available context size (4096 tokens), ` +
            `try increasing it","type":"exceed_context_size_error","n_prompt_tokens":${tokens},"n_ctx":4096}}`,
        )
      }
    },
  )

  test('talks at length for seconds when asked to', async () => {
    const started = performance.now()
    const response = await post('/v1/chat/completions', { messages: talk, max_tokens: 500 })
    const { choices } = JSON.parse(await response.text())
    expect(performance.now() - started).toBeGreaterThan(500)
    expect(choices[0].finish_reason).toBe('length')
    const { content } = choices[0].message
    expect(content.split(' ')).toHaveLength(500)
    expect(longAnswer({ sentence }).startsWith(content)).toBe(true)
  })

  test('shows a busy slot during a stream, and frees it when the client goes away', async () => {
    const client = new AbortController()
    const response = await post(
      '/v1/chat/completions',
      { messages: talk, stream: true },
      client.signal,
    )
    const events = readEvents(response)
    for (let i = 0; i < 10; i++) expect((await events.next()).done).toBe(false)
    expect(await busySlots()).toBe(1)
    client.abort()
    // What had come before the abort is still read.
    const readOn = async (): Promise<void> => {
      while (!(await events.next()).done);
    }
    await expect(readOn()).rejects.toThrow('abort')
    await eventually('both slots are idle', async () => (await busySlots()) === 0)
  })
})

describe('a llama-server that cannot start', () => {
  test('fails with what the server said', async () => {
    const extraArgs = ['--no-such-flag']
    await expect(
      startLlamaServer({ model, contextSize: 512, parallel: 1, extraArgs }),
    ).rejects.toThrow('invalid argument: --no-such-flag')
  })
})

describe('the search for llama-server', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  test('takes LLAMA_SERVER_BIN before anything else', () => {
    vi.stubEnv('LLAMA_SERVER_BIN', process.execPath)
    expect(findLlamaServer()?.command).toEqual([process.execPath])
  })

  test('fails when LLAMA_SERVER_BIN is wrong, instead of testing another server', () => {
    vi.stubEnv('LLAMA_SERVER_BIN', '/nowhere/llama-server')
    expect(() => findLlamaServer()).toThrow(
      'LLAMA_SERVER_BIN=/nowhere/llama-server is not an executable file',
    )
  })

  test('ends with the ways to get one', () => {
    vi.stubEnv('LLAMA_SERVER_BIN', '')
    vi.stubEnv('PATH', '')
    vi.stubEnv('SWAPGATE_LLAMA_ROOT', '/nowhere')
    expect(findLlamaServer()).toBeUndefined()
    expect(() => requireLlamaServer()).toThrow('sudo bash test/real/setup-llama-server.sh')
  })
})
