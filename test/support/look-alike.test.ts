import { gunzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { fakeClock } from './fake-clock.ts'
import { startLookAlike } from './look-alike.ts'
import type { LookAlike } from './look-alike.ts'
import type { Behaviour } from './look-alike/behaviour.ts'
import { UNCLEAN_HEADERS } from './look-alike/behaviour.ts'
import { SECRET_IN_CMD } from './look-alike/catalogue.ts'
import { SPOKEN } from './look-alike/completion.ts'
import {
  concurrencyLimit,
  empty502,
  llamaServerError,
  llamaSwapError,
  oldStringError,
  overflow,
  plainTextError,
} from './look-alike/error-answers.ts'
import { SPEECH_BYTES } from './look-alike/llama-server.ts'
import { firstModelIn } from './look-alike/model-of.ts'
import { openRaw, sendRaw } from './raw-http.ts'
import type { RawAnswer } from './raw-http/answer.ts'
import { headerValue, headerValues, textOf } from './raw-http/answer.ts'
import { rawJsonPost, rawRequest } from './raw-http/raw-request.ts'
import { splitAtEvery, STREAM_SAMPLES, withoutTerminator } from './sse-samples.ts'

const CHAT = '/v1/chat/completions'
const ask = { model: 'gpt-oss-120b', messages: [{ role: 'user', content: 'hi' }] }
const stream = rawJsonPost(CHAT, { ...ask, stream: true })
const call = rawJsonPost(CHAT, ask)

let box: LookAlike
beforeAll(async () => {
  box = await startLookAlike()
})
afterEach(() => box.reset())
afterAll(() => box.stop())

function get(target: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
  return sendRaw(box.url, rawRequest({ target, headers }))
}

/** Queues behaviours and sends a streamed chat call. */
function streamAfter(...behaviours: Behaviour[]): Promise<RawAnswer> {
  box.behave(...behaviours)
  return sendRaw(box.url, stream)
}

describe('the well-mannered look-alike', () => {
  test('lists a model, an alias, a selector and a peer, and echoes the origin', async () => {
    const answer = await get('/v1/models', { Origin: 'https://a.example' })
    const list = JSON.parse(textOf(answer))
    expect(list.data.map((model: { id: string }) => model.id)).toEqual([
      'gpt-oss-120b',
      'glm-4.7-flash',
      'qwen3-coder-next',
      'fast',
      'cloud/big-model',
    ])
    expect(list.data[2]).toMatchObject({
      name: 'Qwen3 Coder Next',
      context_length: 131_072,
      meta: { llamaswap: { type: 'model', aliases: ['coder'], family: 'qwen' }, n_ctx: 131_072 },
      status: { value: 'unloaded' },
    })
    expect(headerValue(answer, 'access-control-allow-origin')).toBe('https://a.example')
  })

  test('leaks its command line on /running, and unloads on an encoded path and on HEAD', async () => {
    expect(textOf(await get('/running'))).toContain(SECRET_IN_CMD)
    expect(textOf(await get('/%75nload'))).toBe('admin:/unload')
    expect(box.loaded()).toBeUndefined()
    expect(JSON.parse(textOf(await get('/running')))).toEqual({ running: [] })
    box.reset()
    const head = await sendRaw(box.url, rawRequest({ method: 'HEAD', target: '/unload' }))
    expect([head.status, head.body.length, box.loaded()]).toEqual([200, 0, undefined])
  })

  test.each([
    ['/logs', 200, 'admin:/logs'],
    ['/metrics', 200, 'admin:/metrics'],
    ['/ui/', 200, 'admin:/ui/'],
    ['/api/captures/1', 200, 'admin:/api/captures/1'],
    ['/health', 200, 'OK'],
    ['/v1/models/', 404, '404 page not found'],
    ['/v1%2Fmodels', 404, '404 page not found'],
    ['/upstream/gpt/%2e%2e/%2e%2e/unload', 404, 'File Not Found'],
    [CHAT, 405, 'Method Not Allowed'],
    ['/upstream/nobody/props', 404, 'model not found'],
    ['/props', 404, 'no model id could be identified'],
    ['/props?model=coder', 200, '"n_ctx":65536'],
    ['/upstream/coder/props', 200, '"total_slots":4'],
  ])('answers GET %s with %i and "%s"', async (target, status, text) => {
    const answer = await get(target)
    expect(answer.status).toBe(status)
    expect(textOf(answer)).toContain(text)
  })

  test.each([
    ['//v1/models', 307, '/v1/models'],
    ['/upstream/gpt/../../unload?x=1', 307, '/unload?x=1'],
    ['/upstream/gpt', 301, '/upstream/gpt/'],
    ['/', 302, '/ui'],
  ])('redirects GET %s with %i to %s', async (target, status, location) => {
    const answer = await get(target)
    expect([answer.status, headerValue(answer, 'location')]).toEqual([status, location])
    expect(box.loaded()).toBe('gpt-oss-120b')
  })

  test('keeps an admin stream open until it is released', async () => {
    const logs = await openRaw(box.url, rawRequest({ target: '/logs/stream' }))
    await logs.readUntil('admin:/logs/stream')
    box.release()
    expect((await logs.answer()).ending).toBe('complete')
    logs.close()
  })

  test('loads the model that a probe or a call asks for', async () => {
    await get('/props?model=glm-4.7-flash')
    expect(box.loaded()).toBe('glm-4.7-flash')
    await sendRaw(box.url, rawJsonPost(CHAT, { ...ask, model: 'coder' }))
    expect(box.loaded()).toBe('qwen3-coder-next')
  })

  test.each([
    [CHAT, 'chat.completion.chunk', 'data: [DONE]\n\n'],
    ['/v1/completions', 'text_completion', 'data: [DONE]\n\n'],
    ['/v1/messages?beta=true', 'message_start', 'data: {"type":"message_stop"}\n\n'],
    ['/v1/responses', 'response.output_text.delta', '}\n\n'],
    ['/upstream/gpt/v1/chat/completions', 'chat.completion.chunk', 'data: [DONE]\n\n'],
    ['/completion', '"stop":false', '}\n\n'],
  ])('streams %s frame by frame, each in its own chunk', async (target, middle, end) => {
    const answer = await sendRaw(box.url, rawJsonPost(target, { ...ask, stream: true }))
    expect([answer.status, answer.framing, answer.ending]).toEqual([200, 'chunked', 'complete'])
    expect(headerValue(answer, 'content-type')).toBe('text/event-stream')
    expect(headerValue(answer, 'access-control-allow-origin')).toBe('')
    expect(textOf(answer)).toContain(middle)
    expect(answer.chunks.every((chunk) => chunk.toString().endsWith('\n\n'))).toBe(true)
    expect(answer.chunks.at(-1)?.toString().endsWith(end)).toBe(true)
  })

  test('tells usage in a chat stream only when asked, and timings always', async () => {
    const bare = textOf(await sendRaw(box.url, stream))
    const asked = textOf(
      await sendRaw(
        box.url,
        rawJsonPost(CHAT, { ...ask, stream: true, stream_options: { include_usage: true } }),
      ),
    )
    expect([bare.includes('"usage"'), bare.includes('"predicted_n":4')]).toEqual([false, true])
    expect(asked).toContain('"choices":[],')
    expect(asked).toContain('"prompt_tokens":25')
  })

  test.each([
    [CHAT, 'usage', { prompt_tokens: 25, completion_tokens: 4 }],
    ['/v/completions', 'usage', { total_tokens: 29 }],
    ['/v1/responses', 'usage', { input_tokens: 25, output_tokens: 4 }],
    ['/v1/messages', 'usage', { input_tokens: 1, cache_read_input_tokens: 24 }],
    ['/v1/embeddings', 'usage', { prompt_tokens: 25 }],
    ['/rerank', 'usage', { prompt_tokens: 25 }],
    ['/upstream/gpt/v1/chat/completions/input_tokens', 'input_tokens', 25],
    ['/v1/messages/count_tokens', 'input_tokens', 25],
    ['/v1/images/generations', 'created', 1_755_000_000],
    ['/audioapi/v1/tasks/run', 'path', '/v1/tasks/run'],
  ])('answers POST %s with %s %j', async (target, key, value) => {
    const answer = await sendRaw(box.url, rawJsonPost(target, ask))
    expect([answer.status, answer.framing]).toEqual([200, 'length'])
    expect(JSON.parse(textOf(answer))).toMatchObject({ [key]: value })
  })

  test('answers with other token counts when asked to', async () => {
    const tokens = { prompt: 1000, cached: 0, completion: 77 }
    box.behave({ kind: 'normal', tokens })
    const answer = JSON.parse(textOf(await sendRaw(box.url, call)))
    expect(answer.usage).toMatchObject({ prompt_tokens: 1000, completion_tokens: 77 })
  })

  test('speaks every byte value', async () => {
    const answer = await sendRaw(box.url, rawJsonPost('/v1/audio/speech', ask))
    expect(answer.body.equals(SPEECH_BYTES)).toBe(true)
    expect(headerValue(answer, 'content-type')).toBe('audio/wav')
  })

  test('tells what came in a multipart body', async () => {
    const form = new FormData()
    form.set('model', 'gpt')
    form.set('file', new File([SPEECH_BYTES], 'a.wav', { type: 'audio/wav' }))
    const request = new Request(box.url, { method: 'POST', body: form })
    const answer = await sendRaw(
      box.url,
      rawRequest({
        target: '/v1/audio/transcriptions',
        headers: { 'Content-Type': request.headers.get('content-type') ?? '' },
        body: await request.bytes(),
      }),
    )
    expect(JSON.parse(textOf(answer)).parts).toEqual([
      { name: 'model', value: 'gpt' },
      { name: 'file', filename: 'a.wav', type: 'audio/wav', bytes: SPEECH_BYTES.length },
    ])
    expect(box.requests[0]?.model).toBe('gpt')
  })

  test.each([
    ['the first duplicate', '{"model":"evil","model":"gpt"}', 'evil'],
    ['an escaped key', '{"mod\\u0065l":"evil","model":"gpt"}', 'evil'],
    ['leading garbage', 'garbage{"model":"evil"}', 'evil'],
    ['a nested model before it', '{"a":{"model":"x","b":["}"]},"model":"evil"}', 'evil'],
    ['a number', '{"model":123}', '123'],
    ['no object', '["model"]', undefined],
    ['a broken tail', '{"model":"evil", bad', 'evil'],
  ])('finds the model of %s as llama-swap does', (_, body, model) => {
    expect(firstModelIn(body)).toBe(model)
  })

  test.each(['text/plain', 'Application/JSON', 'application/x-www-form-urlencoded'])(
    'looks for the model in the query when the content type is %s',
    async (type) => {
      const body = rawJsonPost(`${CHAT}?model=coder`, { model: 'gpt' }, { 'Content-Type': type })
      await sendRaw(box.url, body)
      expect(box.requests[0]?.model).toBe('coder')
    },
  )

  test('lets a preflight pass anywhere', async () => {
    const answer = await sendRaw(box.url, rawRequest({ method: 'OPTIONS', target: '/unload' }))
    expect(answer.status).toBe(204)
    expect(headerValue(answer, 'access-control-allow-origin')).toBe('*')
    expect(box.loaded()).toBe('gpt-oss-120b')
  })
})

describe('what is recorded', () => {
  test('holds the request as it came', async () => {
    const body = '{"model":"gpt", "seed":12345678901234567890}'
    const request = { target: `${CHAT}?a=%7e`, body, lines: ['X-Two: 1', 'x-two: 2'] }
    await sendRaw(box.url, rawRequest({ ...request, headers: { 'X-One': '1' } }))
    expect(box.requests).toHaveLength(1)
    const recorded = box.requests[0]!
    expect(recorded).toMatchObject({ method: 'POST', url: `${CHAT}?a=%7e`, complete: true })
    expect(recorded.headers).toMatchObject({ 'x-one': '1', 'x-two': ['1', '2'] })
    expect(recorded.rawHeaders).toContain('X-Two')
    expect(recorded.body.toString()).toBe(body)
    expect(recorded.state).toBe('finished')
  })

  test('numbers connections, so that their reuse shows', async () => {
    const connection = await openRaw(box.url, call)
    await connection.answer()
    await connection.write(call)
    const second = await connection.answer()
    connection.close()
    expect([second.status, second.extra.length]).toEqual([200, 0])
    const [first, next] = box.requests
    expect(first?.connection).toBe(next?.connection)
  })

  test('keeps a broken upload, as incomplete', async () => {
    const upload = rawRequest({ target: CHAT, headers: { 'Content-Length': '99' }, body: '{"mo' })
    const connection = await openRaw(box.url, upload)
    connection.destroy()
    const recorded = await box.waitFor((request) => request.state === 'aborted')
    expect([recorded.complete, recorded.body.toString()]).toEqual([false, '{"mo'])
  })

  test('waitFor names what it saw when nothing matches', async () => {
    await get('/health')
    await expect(box.waitFor(() => false, 20)).rejects.toThrow('GET /health (finished)')
  })

  test.each([
    ['before headers', { kind: 'never-headers' }, 'RST'],
    ['before headers', { kind: 'never-headers' }, 'FIN'],
    ['during a load', { kind: 'slow-headers', ms: 60_000 }, 'RST'],
    ['in silence', { kind: 'silence', frames: 1 }, 'FIN'],
    ['mid-stream', { kind: 'endless', everyMs: 5 }, 'RST'],
    ['mid-stream', { kind: 'endless', everyMs: 5 }, 'FIN'],
  ] as const)('notices a gate that leaves %s (%j, %s)', async (_, behaviour, how) => {
    box.behave(behaviour)
    const connection = await openRaw(box.url, stream)
    const recorded = await box.waitFor((request) => request.state === 'open')
    if (how === 'RST') connection.destroy()
    else connection.end()
    // Before the answer is over by itself, which takes a minute or for ever.
    await recorded.closed
    expect(recorded.state).toBe('aborted')
    expect(recorded.abortedAfterMs).toBeGreaterThan(0)
    connection.close()
  })
})

describe('misbehaviour on the wire', () => {
  test('comes in order to inference paths only, then manners return', async () => {
    box.behave({ kind: 'empty', status: 204 }, { kind: 'redirect', status: 302, location: '/x' })
    expect((await get('/v1/models')).status).toBe(200)
    expect((await sendRaw(box.url, call)).status).toBe(204)
    const second = await sendRaw(box.url, call)
    expect([second.status, headerValue(second, 'location')]).toEqual([302, '/x'])
    expect((await sendRaw(box.url, call)).status).toBe(200)
  })

  test('comes to any one path when named', async () => {
    box.behaveAt('/running', plainTextError(404, 'gone'))
    expect((await get('/v1/models')).status).toBe(200)
    expect((await get('/running')).status).toBe(404)
    expect((await get('/running')).status).toBe(200)
  })

  test.each([
    [
      llamaSwapError(404, 'no router for requested model', {
        type: 'invalid_request_error',
        code: 'not_found',
      }),
      'application/json',
      '{"src":"llama-swap","error":{"message":"no router for requested model","type":"invalid_request_error","param":null,"code":"not_found"}}',
    ],
    [
      llamaServerError(503, 'Loading model', 'unavailable_error'),
      'application/json; charset=utf-8',
      '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}',
    ],
    [
      oldStringError(500, 'it failed'),
      'application/json',
      '{"src":"llama-swap","error":"it failed"}',
    ],
    [
      plainTextError(429, 'Too many requests\n'),
      'text/plain; charset=utf-8',
      'Too many requests\n',
    ],
    [
      overflow(4923, 256),
      'application/json; charset=utf-8',
      '{"error":{"code":400,"message":"request (4923 tokens) exceeds the available context size (256 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":4923,"n_ctx":256}}',
    ],
    [empty502(), undefined, ''],
  ] as const)('answers an error: %j', async (behaviour, type, body) => {
    const answer = await streamAfter(behaviour)
    expect(answer.status).toBe(behaviour.status)
    expect(headerValue(answer, 'content-type')).toBe(type)
    expect(headerValue(answer, 'content-length')).toBe(String(body.length))
    expect(textOf(answer)).toBe(body)
  })

  test('says when to come back beyond the concurrency limit', async () => {
    const answer = await streamAfter(concurrencyLimit())
    expect([answer.status, headerValue(answer, 'retry-after')]).toEqual([429, '1'])
  })

  test.each([
    [{ kind: 'reset-before-headers' }, 'reset'],
    [{ kind: 'close-before-headers' }, 'cut'],
  ] as const)('%j: not a byte comes', async (behaviour, ending) => {
    const answer = await streamAfter(behaviour)
    expect([answer.status, answer.ending, answer.rawBody.length]).toEqual([0, ending, 0])
    expect(box.requests[0]?.state).toBe('finished')
  })

  test('slow headers come after their delay', async () => {
    const startedAt = performance.now()
    const answer = await streamAfter({ kind: 'slow-headers', ms: 80 })
    expect(performance.now() - startedAt).toBeGreaterThan(75)
    expect([answer.status, answer.ending]).toEqual([200, 'complete'])
  })

  test('never-headers sends nothing until the release', async () => {
    box.behave({ kind: 'never-headers' })
    const connection = await openRaw(box.url, stream)
    await box.waitFor((request) => request.state === 'open')
    await expect(connection.readUntil('H', 60)).rejects.toThrow('received 0 bytes')
    box.release()
    expect(textOf(await connection.answer())).toContain('[DONE]')
    connection.close()
  })

  test('silence sends headers, then nothing until the release', async () => {
    box.behave({ kind: 'silence' })
    const connection = await openRaw(box.url, stream)
    const head = await connection.readUntil('\r\n\r\n')
    await expect(connection.readUntil('data:', 60)).rejects.toThrow('nothing more within 60 ms')
    expect(head.toString()).toContain('200 OK')
    box.release()
    expect((await connection.answer()).ending).toBe('complete')
    connection.close()
  })

  test('a paused reader gets everything once it reads again', async () => {
    const connection = await openRaw(box.url, stream, { paused: true })
    await box.waitFor((request) => request.state === 'finished')
    expect(connection.received()).toHaveLength(0)
    connection.resume()
    expect(textOf(await connection.answer())).toContain('[DONE]')
    connection.close()
  })

  test('pieces come as one chunk each, cut inside a character, with their delays', async () => {
    const bytes = Buffer.from('data: 🌍\r\n\r\n')
    const pieces = [...bytes].map((byte, i) => ({
      bytes: Buffer.of(byte),
      afterMs: i === 3 ? 50 : 0,
    }))
    const startedAt = performance.now()
    const answer = await streamAfter({ kind: 'pieces', pieces })
    expect(answer.chunks).toHaveLength(bytes.length)
    expect(answer.body.equals(bytes)).toBe(true)
    expect(performance.now() - startedAt).toBeGreaterThan(45)
  })

  test.each([
    ['clean', 'complete'],
    ['fin', 'cut'],
    ['reset', 'reset'],
  ] as const)('pieces may end %s', async (ending, seen) => {
    const answer = await streamAfter({ kind: 'pieces', pieces: [{ bytes: 'data: 1\n\n' }], ending })
    expect([textOf(answer), answer.ending]).toEqual(['data: 1\n\n', seen])
  })

  test.each([
    ['reset-mid-stream', 'reset'],
    ['close-mid-stream', 'cut'],
    ['cut-mid-stream', 'complete'],
  ] as const)('%s ends after two frames (%s), with no terminator', async (kind, ending) => {
    const answer = await streamAfter({ kind, frames: 2 })
    expect([answer.chunks.length, answer.ending]).toEqual([2, ending])
    expect(textOf(answer)).toContain(SPOKEN[0])
    expect(textOf(answer)).not.toContain('[DONE]')
  })

  test.each([
    ['reset-mid-stream', 'length', 'reset'],
    ['close-mid-stream', 'length', 'cut'],
    ['cut-mid-stream', 'chunked', 'complete'],
  ] as const)('%s halves a JSON body (framed by %s, %s)', async (kind, framing, ending) => {
    box.behave({ kind, frames: 99 })
    const answer = await sendRaw(box.url, call)
    expect([answer.framing, answer.ending]).toEqual([framing, ending])
    expect(textOf(answer)).toMatch(/^\{"choices"/)
    expect(() => JSON.parse(textOf(answer))).toThrow('JSON')
  })

  test('a short body announces more than it brings', async () => {
    box.behave({ kind: 'short-body', missingBytes: 3 })
    const answer = await sendRaw(box.url, call)
    expect(Number(headerValue(answer, 'content-length')) - answer.body.length).toBe(3)
    expect(answer.ending).toBe('cut')
  })

  test('an endless stream goes on until the release', async () => {
    box.behave({ kind: 'endless', everyMs: 1 })
    const connection = await openRaw(box.url, stream)
    await connection.readUntil((bytes) => bytes.toString().split('Hello').length > 10)
    box.release()
    const answer = await connection.answer()
    expect(answer.ending).toBe('complete')
    expect(textOf(answer)).toContain('[DONE]')
    connection.close()
  })

  test('a flood brings every byte, and waits for a reader who does not read', async () => {
    const bytes = 64 * 1024 * 1024
    box.behave({ kind: 'flood', bytes })
    const connection = await openRaw(box.url, stream, { paused: true })
    const recorded = await box.waitFor((request) => request.sentBytes > 0)
    await expect(box.waitFor((request) => request.sentBytes >= bytes, 200)).rejects.toThrow('open')
    const stalledAt = recorded.sentBytes
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(recorded.sentBytes).toBe(stalledAt)
    connection.resume()
    const answer = await connection.answer({ withinMs: 20_000 })
    connection.close()
    expect(answer.ending).toBe('complete')
    expect(answer.body).toHaveLength(recorded.sentBytes)
    expect(recorded.sentBytes).toBeGreaterThanOrEqual(bytes)
  }, 30_000)

  test('an error frame may follow half a JSON body, too', async () => {
    box.behave({ kind: 'error-frame', frames: 1 })
    const answer = await sendRaw(box.url, call)
    expect([answer.framing, answer.ending]).toEqual(['chunked', 'complete'])
  })

  test.each([
    [CHAT, 'data: {"error":{"code":500,"message":"Context size has been exceeded."'],
    ['/v1/messages', 'event: error\ndata: {"code":500,"message":"Context size has been exceeded."'],
  ])('an error frame comes inside a 200 stream at %s', async (target, frame) => {
    box.behave({ kind: 'error-frame', frames: 1 })
    const answer = await sendRaw(box.url, rawJsonPost(target, { ...ask, stream: true }))
    expect([answer.status, answer.chunks.length, answer.ending]).toEqual([200, 2, 'complete'])
    expect(answer.chunks[1]?.toString()).toContain(frame)
  })

  test.each([stream, call])('gzip compresses what nobody asked to compress', async (request) => {
    const usual = await sendRaw(box.url, request)
    box.behave({ kind: 'gzip' })
    const answer = await sendRaw(box.url, request)
    expect(headerValue(answer, 'content-encoding')).toBe('gzip')
    expect(answer.framing).toBe(usual.framing)
    expect(gunzipSync(answer.body).equals(usual.body)).toBe(true)
  })

  test('unclean headers come all, duplicates included', async () => {
    const answer = await streamAfter({ kind: 'unclean-headers' })
    for (const [name, value] of UNCLEAN_HEADERS) {
      expect(headerValues(answer, name)).toContain(value)
    }
    expect(headerValues(answer, 'set-cookie')).toHaveLength(2)
    expect(headerValues(answer, 'access-control-allow-origin')).toHaveLength(1)
  })

  test.each([204, 304] as const)(
    '%i has no body and leaves the connection usable',
    async (status) => {
      box.behave({ kind: 'empty', status })
      const connection = await openRaw(box.url, call)
      const first = await connection.answer()
      expect([first.status, first.framing, first.extra.length]).toEqual([status, 'none', 0])
      await connection.write(call)
      expect((await connection.answer()).status).toBe(200)
      connection.close()
    },
  )

  test('early hints come before the answer', async () => {
    const answer = await streamAfter({ kind: 'early-hints' })
    expect(answer.interim.map((interim) => interim.status)).toEqual([103])
    expect([answer.status, answer.ending]).toEqual([200, 'complete'])
  })

  test('the loading state ends in raw JSON, and cleanly', async () => {
    const tail = String(overflow(10, 5).body)
    const answer = await streamAfter({ kind: 'loading-state', tail })
    expect([answer.status, answer.ending]).toEqual([200, 'complete'])
    expect(textOf(answer)).toContain('llama-swap loading model: gpt-oss-120b')
    expect(textOf(answer).endsWith(`\n\n${tail}`)).toBe(true)
  })

  test('the loading state may also lead to the usual frames', async () => {
    const answer = await streamAfter({ kind: 'loading-state' })
    expect(textOf(answer).endsWith('data: [DONE]\n\n')).toBe(true)
  })

  test('reset drops what is held and forgets the queue', async () => {
    box.behave({ kind: 'never-headers' }, { kind: 'empty', status: 204 })
    const connection = await openRaw(box.url, stream)
    await box.waitFor((request) => request.state === 'open')
    box.reset()
    expect(await connection.peerEnded).toBe('reset')
    expect(box.requests).toHaveLength(0)
    expect((await sendRaw(box.url, call)).status).toBe(200)
  })

  test('closes idle connections when told', async () => {
    const connection = await openRaw(box.url, call)
    await connection.answer()
    box.closeIdle()
    expect(await connection.peerEnded).toBe('fin')
    connection.close()
  })

  test('refuses connections once stopped', async () => {
    const other = await startLookAlike()
    other.behave({ kind: 'never-headers' })
    const connection = await openRaw(other.url, stream)
    await other.waitFor((request) => request.state === 'open')
    await other.stop()
    await connection.peerEnded
    await expect(sendRaw(other.url, call)).rejects.toThrow('ECONNREFUSED')
  })
})

describe('the samples', () => {
  test.each(STREAM_SAMPLES)('$name says what it promises', (sample) => {
    const values = sample.text
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data: {'))
      .map((line) => JSON.parse(line.slice('data: '.length)))
    const said = values.map((value) => saidIn(value)).join('')
    expect(said).toBe(sample.says)
    expect(Buffer.from(sample.bytes).toString()).toBe(sample.text)
    expect(Buffer.from(withoutTerminator(sample)).toString()).not.toContain('[DONE]')
  })

  test('are cut at every place', () => {
    const cuts = [...splitAtEvery(new TextEncoder().encode('ä!'))]
    expect(cuts.map(([a, b]) => [a.length, b.length])).toEqual([
      [1, 2],
      [2, 1],
    ])
  })
})

function saidIn(value: {
  type?: string
  content?: string
  delta?: string | { text?: string }
  choices?: { text?: string; delta?: { content?: string | null } }[]
}): string {
  if (typeof value.delta === 'string') return value.delta
  const choice = value.choices?.[0]
  return value.content ?? value.delta?.text ?? choice?.text ?? choice?.delta?.content ?? ''
}

describe('the fake clock', () => {
  test('runs due timers in order of time, then of arrival, and lets promises settle between', async () => {
    const clock = fakeClock(1000)
    const seen: string[] = []
    const note = (name: string) => () => void seen.push(`${name}@${clock.now()}`)
    clock.setTimer(20, note('late'))
    clock.setTimer(10, note('first'))
    clock.setTimer(10, () => {
      void Promise.resolve()
        .then(() => undefined)
        .then(() => clock.setTimer(5, note('armed later')))
    })
    const cancel = clock.setTimer(15, note('cancelled'))
    cancel()
    await clock.advance(20)
    expect(seen).toEqual(['first@1010', 'armed later@1015', 'late@1020'])
    expect([clock.now(), clock.pending()]).toEqual([1020, 0])
  })

  test('does not run what is not due', async () => {
    const clock = fakeClock()
    let ran = false
    clock.setTimer(10, () => (ran = true))
    await clock.advance(9)
    expect(ran).toBe(false)
    await clock.advance(1)
    expect(ran).toBe(true)
  })
})
