import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { harness as node } from '../../adapters/node/harness.ts'
import { recordAttempts } from '../clients/attempts.ts'
import { anthropicFor, openaiFor } from '../clients/sdks.ts'
import { harnesses } from '../conformance/gates.ts'
import type { Running } from '../harness.ts'
import { eventually, postJson } from './client.ts'
import type { LlamaServer } from './llama-server.ts'
import { sentenceOf, startLlamaServer } from './llama-server.ts'
import { AT_LENGTH } from './tiny-gguf.ts'

const model = 'gpt-oss-120b'
const sentence = sentenceOf(model)
const words = sentence.split(' ').length
const key = 'sk-user-0123456789abcdef0123456789'
const hello: [{ role: 'user'; content: string }] = [{ role: 'user', content: 'hello' }]
const talk: [{ role: 'user'; content: string }] = [{ role: 'user', content: `talk ${AT_LENGTH}` }]
// Each character of a prompt is a token; the beginning of the text is one, and the tokenizer adds a space.
const promptTokens = 'user: hello\nassistant:'.length + 2
/** Of one slot: half of the server's. */
const contextSize = 8192

/** Hundreds of requests in a few seconds. */
const UNLIMITED = { requestsPerMinute: null }
const keys = [{ id: 'user', secret: key }]

function postTo(url: string, path: string, body: object): Promise<Response> {
  return postJson(url + path, { model, ...body }, { headers: { authorization: `Bearer ${key}` } })
}

/** An answer without what differs from one call to the next: ids, times and speeds. */
function comparable(text: string): string {
  return text
    .replaceAll(/"(id|item_id)":"[^"]*"/g, '"$1":""')
    .replaceAll(/"(created|created_at)":\d+/g, '"$1":0')
    .replaceAll(/"timings":\{[^}]*\}/g, '"timings":{}')
}

/** Tokens of a long stream. */
const LONG = 2500

async function longStream(url: string): Promise<string> {
  const body = { messages: talk, stream: true, max_tokens: LONG, cache_prompt: false }
  return comparable(await (await postTo(url, '/v1/chat/completions', body)).text())
}

/** What llama-server has counted since it was started. */
async function countersOf({ url }: LlamaServer): Promise<string[]> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  return metrics.split('\n').filter((line) => /^llamacpp:\w+_total /.test(line))
}

describe('the gate in front of a real llama-server', () => {
  let server: LlamaServer
  let gate: Running
  beforeAll(async () => {
    server = await startLlamaServer({
      model,
      contextSize: 2 * contextSize,
      parallel: 2,
      // As fast as it can be: what is slow is tested elsewhere.
      script: { ballastMegabytes: 0 },
      extraArgs: ['--metrics'],
    })
    gate = await node.start({ upstream: { url: server.url }, keys, limits: UNLIMITED })
  })
  afterAll(async () => {
    await gate?.stop()
    await server?.stop()
  })

  test('answers a chat of the openai package', async () => {
    const client = openaiFor({ url: gate.url, key })
    const { choices, usage } = await client.chat.completions.create({ model, messages: hello })
    expect({ text: choices[0]?.message.content, usage }).toMatchObject({
      text: sentence,
      usage: { prompt_tokens: promptTokens, completion_tokens: words + 1 },
    })
  })

  test('streams a chat to the openai package', async () => {
    const stream = await openaiFor({ url: gate.url, key }).chat.completions.create({
      model,
      messages: hello,
      stream: true,
      stream_options: { include_usage: true },
    })
    const pieces: string[] = []
    let total = 0
    for await (const { choices, usage } of stream) {
      pieces.push(choices[0]?.delta.content ?? '')
      total += usage?.total_tokens ?? 0
    }
    expect({ pieces: pieces.filter((piece) => piece !== ''), total }).toEqual({
      pieces: sentence.split(/(?= )/),
      total: promptTokens + words + 1,
    })
  })

  test('completes text for the openai package', async () => {
    const client = openaiFor({ url: gate.url, key })
    const { choices } = await client.completions.create({ model, prompt: 'hello' })
    expect(choices[0]).toMatchObject({ text: sentence, finish_reason: 'stop' })
  })

  test('streams a response to the openai package', async () => {
    const client = openaiFor({ url: gate.url, key })
    const stream = await client.responses.create({ model, input: 'hello', stream: true })
    let text = ''
    let last = ''
    for await (const event of stream) {
      last = event.type
      if (event.type === 'response.output_text.delta') text += event.delta
    }
    expect({ text, last }).toEqual({ text: sentence, last: 'response.completed' })
  })

  test('answers the Anthropic package, streamed and not', async () => {
    const { messages } = anthropicFor({ url: gate.url, key })
    const asked = { model, messages: hello, max_tokens: 100 }
    const whole = await messages.create(asked)
    const streamed = await messages.stream(asked).finalMessage()
    for (const { content, stop_reason: stopReason, usage } of [whole, streamed]) {
      expect({
        content,
        stopReason,
        prompt: usage.input_tokens + (usage.cache_read_input_tokens ?? 0),
        completion: usage.output_tokens,
      }).toEqual({
        content: [{ type: 'text', text: sentence }],
        stopReason: 'end_turn',
        prompt: promptTokens,
        completion: words + 1,
      })
    }
  })

  test('counts the tokens of a message', async () => {
    const { messages } = anthropicFor({ url: gate.url, key })
    expect(await messages.countTokens({ model, messages: hello })).toEqual({
      input_tokens: promptTokens,
    })
  })

  test('lists the model with its context', async () => {
    const { data } = await openaiFor({ url: gate.url, key }).models.list()
    expect(data).toMatchObject([{ id: model, meta: { n_ctx: contextSize } }])
  })

  test('refuses embeddings once, with the reason of llama-server', async () => {
    const { attempts, fetch } = recordAttempts()
    const client = openaiFor({ url: gate.url, key, fetch })
    await expect(client.embeddings.create({ model, input: 'hello' })).rejects.toMatchObject({
      status: 501,
      type: 'not_supported_error',
      error: {
        message: 'This server does not support embeddings. Start it with `--embeddings`',
      },
    })
    expect(attempts).toHaveLength(1)
    expect(attempts[0]?.answer?.headers.get('x-should-retry')).toBe('false')
  })

  describe('a prompt that is too long', () => {
    const messages: typeof hello = [{ role: 'user', content: 'x'.repeat(contextSize) }]
    const tokens = promptTokens - 'hello'.length + contextSize

    test.each([false, true])('keeps every byte of the refusal (stream: %s)', async (stream) => {
      const ask = async (url: string): Promise<object> => {
        const answer = await postTo(url, '/v1/chat/completions', { messages, stream })
        const type = answer.headers.get('content-type')
        return { status: answer.status, type, text: await answer.text() }
      }
      expect(await ask(gate.url)).toEqual({
        status: 400,
        type: 'application/json; charset=utf-8',
        text: expect.stringContaining(`request (${tokens} tokens) exceeds the available context`),
      })
      expect(await ask(gate.url)).toEqual(await ask(server.url))
    })

    test('is refused to Claude Code in the words that it knows, and once', async () => {
      const { attempts, fetch } = recordAttempts()
      const client = anthropicFor({ url: gate.url, key, fetch })
      const asked = client.messages.stream({ model, messages, max_tokens: 100 }).finalMessage()
      await expect(asked).rejects.toMatchObject({
        status: 400,
        type: 'invalid_request_error',
        apiMessage: `prompt is too long: ${tokens} tokens > ${contextSize} maximum`,
      })
      expect(attempts).toHaveLength(1)
    })
  })

  describe.each([false, true])('asked for a stream: %s', (stream) => {
    test.each<[string, object]>([
      ['/v1/chat/completions', { messages: hello, stream_options: { include_usage: true } }],
      ['/v1/completions', { prompt: 'hello' }],
      ['/v1/responses', { input: 'hello' }],
      ['/v1/messages', { messages: hello, max_tokens: 100 }],
    ])('changes no byte of %s', async (path, body) => {
      const ask = async (url: string): Promise<object> => {
        // Without the cache the token counts are the same each time.
        const answer = await postTo(url, path, { ...body, stream, cache_prompt: false })
        const type = answer.headers.get('content-type')
        return { status: answer.status, type, text: comparable(await answer.text()) }
      }
      const direct = await ask(server.url)
      expect(await ask(gate.url)).toEqual(direct)
      expect(direct).toMatchObject({ status: 200, text: expect.stringContaining(model) })
    })
  })

  test('changes no byte of a long stream', async () => {
    const direct = await longStream(server.url)
    const through = await longStream(gate.url)
    expect(through.length).toBeGreaterThan(100 * LONG)
    // A boolean: the difference of two texts of this length would fill the screen.
    expect(through === direct).toBe(true)
  })

  test('keeps a wrong key, and a missing one, away from llama-server', async () => {
    const before = await countersOf(server)
    const body = { model, messages: hello, stream: true }
    const headers = { authorization: `Bearer ${key}x` }
    const answers = await Promise.all([
      postJson(`${gate.url}/v1/chat/completions`, body, { headers }),
      postJson(`${gate.url}/v1/messages`, body, { headers }),
      postJson(`${gate.url}/v1/chat/completions`, body),
    ])
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401])
    expect(await countersOf(server)).toEqual(before)
    expect(before.length).toBeGreaterThan(0)
  })
})

/** llama-server closes a kept-alive connection behind every stream: some requests meet one that is dying. */
describe('behind streams, when llama-server closes connections', () => {
  let server: LlamaServer
  beforeAll(async () => {
    const script = { ballastMegabytes: 0 }
    server = await startLlamaServer({ model, contextSize: 1024, parallel: 2, script })
  })
  afterAll(() => server?.stop())

  describe.each(harnesses)('on $name', (harness) => {
    let gate: Running
    beforeAll(async () => {
      gate = await harness.start({ upstream: { url: server.url }, keys, limits: UNLIMITED })
    })
    afterAll(() => gate?.stop())

    const stream = async (path = '/v1/chat/completions'): Promise<string> => {
      const body = { messages: hello, max_tokens: 2, stream: true }
      const answer = await postTo(gate.url, path, body)
      const text = await answer.text()
      return answer.ok
        ? text.trimEnd().slice(-'"message_stop"}'.length)
        : `${answer.status} ${text}`
    }

    test('200 streams back to back are all whole', async () => {
      const endings = new Set<string>()
      for (let i = 0; i < 200; i++) endings.add((await stream()).slice(-'data: [DONE]'.length))
      expect([...endings]).toEqual(['data: [DONE]'])
    })

    test('200 streams of eight clients at once are all whole', async () => {
      const endings = new Set<string>()
      const client = async (): Promise<void> => {
        for (let i = 0; i < 25; i++) endings.add(await stream('/v1/messages'))
      }
      await Promise.all(Array.from({ length: 8 }, client))
      expect([...endings]).toEqual(['"message_stop"}'])
    })

    test('the list of models comes right behind 200 streams', async () => {
      const statuses = new Set<number>()
      for (let i = 0; i < 200; i++) {
        await stream()
        const headers = { authorization: `Bearer ${key}` }
        const answer = await fetch(`${gate.url}/v1/models`, { headers })
        await answer.text()
        statuses.add(answer.status)
      }
      expect([...statuses]).toEqual([200])
    })
  })
})

describe('a client that leaves', () => {
  let server: LlamaServer
  beforeAll(async () => {
    server = await startLlamaServer({ model, contextSize: 8192, parallel: 2 })
  })
  afterAll(() => server?.stop())

  const busySlots = async (): Promise<number> =>
    (await server.slots()).filter((slot) => slot.is_processing).length
  const idle = (): Promise<void> =>
    eventually('both slots are idle', async () => (await busySlots()) === 0, 1000)

  describe.each(harnesses)('on $name', (harness) => {
    let gate: Running
    beforeAll(async () => {
      gate = await harness.start({ upstream: { url: server.url }, keys, limits: UNLIMITED })
    })
    afterAll(() => gate?.stop())

    test('frees its slot when it aborts a streamed chat', async () => {
      const client = openaiFor({ url: gate.url, key })
      const stream = await client.chat.completions.create({ model, messages: talk, stream: true })
      let heard = 0
      for await (const { choices } of stream) {
        if (!choices[0]?.delta.content) continue
        heard++
        if (heard < 10) continue
        expect(await busySlots()).toBe(1)
        stream.controller.abort()
      }
      await idle()
    })

    test('frees its slot when it aborts a streamed message', async () => {
      const client = anthropicFor({ url: gate.url, key })
      const stream = client.messages.stream({ model, messages: talk, max_tokens: 4000 })
      stream.once('text', () => stream.abort())
      await expect(stream.done()).rejects.toThrow('Request was aborted.')
      await idle()
    })
  })
})
