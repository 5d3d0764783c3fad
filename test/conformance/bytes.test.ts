import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ConfigFile } from '../../src/config/schema.ts'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { UNCLEAN_HEADERS } from '../support/look-alike/behaviour.ts'
import { SPEECH_BYTES } from '../support/look-alike/llama-server.ts'
import { openRaw, sendRaw } from '../support/raw-http.ts'
import { headerValue, headerValues, textOf, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawRequest, type RawRequest } from '../support/raw-http/raw-request.ts'
import { acquaint, callsTo, harnesses, KEYS, ROOMY } from './gates.ts'

const CHAT = '/v1/chat/completions'
const UPLOAD = '/v1/audio/transcriptions'
const ask = '{"model":"gpt-oss-120b","messages":[]}'
/** Asks for usage by itself, so that the answer is that of upstream. */
const stream =
  '{"model":"gpt-oss-120b","messages":[],"stream":true,"stream_options":{"include_usage":true}}'
const auth = { Authorization: `Bearer ${KEYS.user}` }
const json = { ...auth, 'Content-Type': 'application/json' }

/** Bodies that a parser and a printer would not give back as they are. */
const BODIES: [what: string, body: string][] = [
  ['64-bit integers', '{"seed":18446744073709551615,"id":9007199254740993,"model":"gpt-oss-120b"}'],
  [
    'other numbers',
    '{"model":"gpt-oss-120b","n":[1.0,1e2,-0,1E400,0.1000000000000000055511,1.50]}',
  ],
  ['an odd order of keys', '{"z":1,"10":1,"2":1,"model":"gpt-oss-120b","a":1}'],
  ['unknown fields', '{"model":"gpt-oss-120b","x_unknown":{"y":[null,true,{"z":{}}]}}'],
  ['the same key twice, below the top', '{"model":"gpt-oss-120b","o":{"a":1,"a":2,"model":3}}'],
  ['keys of objects in JavaScript', '{"__proto__":{"a":1},"constructor":2,"model":"gpt-oss-120b"}'],
  ['characters of every length', '{"model":"gpt-oss-120b","t":"aé€🌍 \u2028\u2029\ufeff ｅ́"}'],
  [
    'escapes',
    '{"model":"gpt-oss-120b","t":"\\u0041\\/\\ud83c\\udf0d\\ud800\\u0000\\b\\f\\n\\r\\t"}',
  ],
  ['blanks and line breaks', '\r\n { "model" :\t"gpt-oss-120b" ,\n\n"a" : [ ] }\r\n '],
  ['empty names', '{"":1,"model":"gpt-oss-120b"," ":2}'],
]

/** JSON of about this many bytes, with characters of two bytes in it. */
function longBody(bytes: number): string {
  return `{"model":"gpt-oss-120b","t":"${'0123456789abcdé'.repeat(Math.ceil(bytes / 16))}"}`
}

/** Megabytes are compared by their hash: a difference of bytes is nothing to look at. */
const digest = (of: Buffer) => createHash('sha256').update(of).digest('hex')

/** JSON of exactly this many bytes. */
function exactBody(bytes: number): string {
  return `${'{"model":"gpt-oss-120b","t":"'.padEnd(bytes - 2, 'x')}"}`
}

const CHUNK = '"created":1,"id":"c","model":"m","object":"chat.completion.chunk"'
/** What a server other than llama.cpp sends at the end of a stream when it is asked for usage. */
const USAGE_FRAME = `data: {"choices":[],${CHUNK},"usage":{"prompt_tokens":5,"completion_tokens":1}}\n\n`
/** What llama.cpp sends while it reads the prompt, when it is asked for that. */
const PROGRESS_FRAME = `data: {"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],${CHUNK},"prompt_progress":{"total":24,"cache":0,"processed":24,"time_ms":9}}\n\n`

/** A stream written as no printer would, with a frame before its end. */
function framesWith(frame: string): string {
  const said = `data: { "choices":[{"index":0, "delta":{"content":"w\\u00f6rld 🌍"}}],${CHUNK},"usage":null}\n\n`
  const finish = `data: {"choices":[{"finish_reason":"stop","index":0,"delta":{}}],${CHUNK},"x":1.0}\n\n`
  return `: comment\n\n${said}${finish}${frame}data: [DONE]\n\n`
}

/** Every byte value many times over, in an order that text decoding would not survive. */
const BINARY = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) % 256))

function uploadBody(boundary: string): Buffer {
  const field = `--${boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-oss-120b\r\n`
  const file = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="ä b.wav"\r\nContent-Type: audio/wav\r\n\r\n`
  const nearly = `\r\n--${boundary.slice(0, -1)}\r\n--\r\n\r\n`
  return Buffer.concat(
    [field, file, BINARY, nearly, BINARY, `\r\n--${boundary}--\r\n`].map((part) =>
      Buffer.from(part),
    ),
  )
}

const hex = (size: number) => size.toString(16)

/** A body in chunks of these sizes, over and over, perhaps with an extension at each and trailers. */
function chunked(
  body: string | Buffer,
  sizes: number[],
  [extension, trailers]: readonly [string, string] = ['', ''],
): Buffer {
  const bytes = Buffer.from(body)
  const parts: string[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const chunk = bytes.subarray(at, at + sizes[i % sizes.length]!)
    parts.push(`${hex(chunk.length)}${extension}\r\n`, chunk.toString('latin1'), '\r\n')
    at += chunk.length
  }
  return Buffer.from(`${parts.join('')}0\r\n${trailers}\r\n`, 'latin1')
}

const basic = (password: string) => `Basic ${btoa(`me:${password}`)}`

/** What the runtime itself puts on an answer. */
const OF_THE_RUNTIME = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'transfer-encoding',
])

/** The names of an answer's fields but for the runtime's own, sorted. */
function fieldsOf(answer: RawAnswer): string[] {
  const names = answer.headerLines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase())
  return names.filter((name) => !OF_THE_RUNTIME.has(name)).toSorted()
}

const OWN_FIELDS = ['request-id', 'x-request-id']

/** Fields in which the user's key is sent beside where it belongs, on a request that passes. */
const LEAKS: [what: string, lines: string[], query: string][] = [
  ['Authorization', [], ''],
  ['x-api-key too', [`x-api-key: ${KEYS.user}`], ''],
  ['a cookie', [`Cookie: session=${KEYS.user}`], ''],
  ['two cookies', [`Cookie: a=${KEYS.user}`, 'Cookie: b=1'], ''],
  ['Proxy-Authorization', [`Proxy-Authorization: Bearer ${KEYS.user}`], ''],
  ['api-key', [`api-key: ${KEYS.user}`], ''],
  ['x-goog-api-key', [`x-goog-api-key: ${KEYS.user}`], ''],
  ['CF-Access-Client-Secret', [`CF-Access-Client-Secret: ${KEYS.user}`], ''],
  ['X-Forwarded-Access-Token', [`X-Forwarded-Access-Token: ${KEYS.user}`], ''],
  ['a field of any name', [`X-Whatever: prefix ${KEYS.user} suffix`], ''],
  ['a field that is no header of ours', [`X-Auth-Token: ${KEYS.user}`, `Token: ${KEYS.user}`], ''],
  ['Referer', [`Referer: http://127.0.0.1/?key=${KEYS.user}`], ''],
  ['User-Agent', [`User-Agent: curl ${KEYS.user}`], ''],
  ['a query parameter', [], `?key=${KEYS.user}&api_key=${KEYS.user}&access_token=${KEYS.user}`],
  ['a query parameter of any name', [], `?whatever=${KEYS.user}`],
  ['a query parameter with escapes', [], `?w=${KEYS.user.replace('k', '%6b')}`],
  ['the name of a query parameter', [], `?${KEYS.user}`],
  ['the name of a query parameter with a value', [], `?${KEYS.user}=1`],
]

/** Fields of a client about itself or another connection, which upstream must not get. */
const CLAIMS: Record<string, string> = {
  Host: 'claimed.example',
  Via: '1.1 claimed',
  Forwarded: 'for=6.6.6.6;host=claimed.example',
  'X-Forwarded-For': '6.6.6.6, 7.7.7.7',
  'X-Forwarded-Host': 'claimed.example',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Port': '443',
  'X-Real-IP': '6.6.6.6',
  'X-Client-IP': '6.6.6.6',
  'True-Client-IP': '6.6.6.6',
  'CF-Ray': 'claimed',
  'CF-IPCountry': 'XX',
  'Tailscale-User-Login': 'claimed@example.com',
  Cookie: 'claimed=1',
  'Proxy-Authorization': 'Basic Y2xhaW1lZA==',
  Origin: 'https://claimed.example',
  Referer: 'https://claimed.example/',
  'Sec-Fetch-Site': 'cross-site',
  'Sec-WebSocket-Protocol': 'claimed',
  'Access-Control-Request-Headers': 'claimed',
  'Accept-Encoding': 'gzip, br, zstd',
  Expect: '100-continue',
  TE: 'trailers',
  Trailer: 'X-Claimed',
  'Keep-Alive': 'timeout=99',
  'X-Request-Id': 'claimed',
}

/** Fields of a client that mean something to whoever answers. */
const KEPT: Record<string, string> = {
  accept: 'text/event-stream',
  'anthropic-beta': 'one-2025-01-01,two-2025-02-02',
  'anthropic-version': '2023-06-01',
  'openai-organization': 'org',
  'user-agent': 'opencode/1.18.33 ai-sdk/openai-compatible',
  'x-session-id': 'session',
  'x-stainless-retry-count': '0',
}

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  /** Takes small bodies only, and has a key and fields of its own for upstream. */
  let other: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    gate = await harness.start({ upstream: { url: upstream.url }, ...ROOMY })
    other = await harness.start(otherConfig())
    await acquaint(upstream, gate, other)
  })
  afterEach(() => upstream.reset())
  afterAll(async () => {
    await gate.stop()
    await other.stop()
    await upstream.stop()
  })

  function otherConfig(): ConfigFile {
    return {
      upstream: {
        url: `${upstream.url}/`,
        apiKey: 'internal-key',
        headers: { 'CF-Access-Client-Id': 'tunnel', 'X-Tunnel': 'token', 'User-Agent': 'swapgate' },
      },
      ...ROOMY,
      body: { maxBytes: 2048 },
    }
  }

  function send(request: RawRequest, to = gate): Promise<RawAnswer> {
    return sendRaw(to.url, rawRequest(request))
  }

  /** The statuses of requests on one connection, each sent after the answer before; 0 when there was none. */
  async function answersInTurn(...requests: RawRequest[]): Promise<number[]> {
    const connection = await openRaw(gate.url)
    const statuses: number[] = []
    for (const request of requests) {
      await connection.write(rawRequest(request))
      const answer = await connection
        .answer({ method: request.method ?? 'GET' })
        .catch(() => undefined)
      statuses.push(answer?.status ?? 0)
    }
    connection.close()
    return statuses
  }

  /** The one request that passed. */
  function passed() {
    expect(callsTo(upstream).length).toBe(1)
    return callsTo(upstream)[0]!
  }

  describe('the body of a request', () => {
    test.each(BODIES)('with %s arrives byte for byte', async (_what, body) => {
      const { status } = await send({ target: CHAT, headers: json, body })
      expect([status, passed().body.toString(), passed().headers['content-type']]).toEqual([
        200,
        body,
        'application/json',
      ])
    })

    test('of five megabytes arrives byte for byte, with its length', async () => {
      const body = Buffer.from(longBody(5_000_000))
      const { status } = await send({ target: CHAT, headers: json, body })
      expect([status, passed().body.equals(body), passed().headers['content-length']]).toEqual([
        200,
        true,
        String(body.length),
      ])
    })

    test.each([
      ['many small chunks', ask, [1, 2, 3, 5, 7]],
      ['one chunk', ask, [1000]],
      ['chunks that cut characters', longBody(300_000), [65_537, 4093, 1]],
    ])('in %s arrives whole, with its length', async (_what, body, sizes) => {
      const headers = { ...json, 'Transfer-Encoding': 'chunked' }
      const { status } = await send({ target: CHAT, headers, body: chunked(body, sizes) })
      const { body: arrived, headers: sent } = passed()
      expect([
        status,
        arrived.equals(Buffer.from(body)),
        sent['content-length'],
        sent['transfer-encoding'],
      ]).toEqual([200, true, String(Buffer.byteLength(body)), undefined])
    })

    test.each<[what: 'chunk-extensions' | 'trailers', extension: string, trailers: string]>([
      ['chunk-extensions', ';a=b;c="d;e"', ''],
      ['trailers', '', 'X-Trailer: t\r\n'],
    ])('may come with %s, and the connection stays in step', async (what, extension, trailers) => {
      const headers = { ...json, 'Transfer-Encoding': 'chunked' }
      const body = chunked(ask, [7], [extension, trailers])
      const statuses = await answersInTurn({ target: CHAT, headers, body }, { target: '/health' })
      const inStep = statuses.join(' ') === '200 200'
      expect([what, statuses, inStep]).toEqual([what, statuses, harness.cannot[what] === undefined])
      const reached = callsTo(upstream).map(({ body: arrived, headers: sent }) => [
        arrived.toString(),
        sent['content-length'],
        sent['x-trailer'],
      ])
      expect([[], [[ask, String(ask.length), undefined]]]).toContainEqual(reached)
    })

    test.each<[what: string, headers: Record<string, string>, body: string]>([
      ['a byte before its end', { 'Content-Length': String(ask.length + 1) }, ask],
      ['in the middle', { 'Content-Length': String(ask.length) }, ask.slice(0, 20)],
      [
        'before its last chunk',
        { 'Transfer-Encoding': 'chunked' },
        `${hex(ask.length)}\r\n${ask}\r\n`,
      ],
      ['within a chunk', { 'Transfer-Encoding': 'chunked' }, `${hex(ask.length + 5)}\r\n${ask}`],
    ])('that breaks off %s does not arrive at all', async (_what, framing, body) => {
      for (const leave of ['close', 'destroy', 'end'] as const) {
        const headers = { ...json, ...framing }
        const connection = await openRaw(gate.url, rawRequest({ target: CHAT, headers, body }))
        await send({ target: '/health' })
        connection[leave]()
        await Promise.race([connection.peerEnded, sleep(20)])
        connection.destroy()
      }
      await send({ target: '/props?model=gpt-oss-120b', headers: auth })
      expect(callsTo(upstream).map(({ url }) => url)).toEqual(['/props?model=gpt-oss-120b'])
    })

    test.each(['gzip', 'GZIP', 'br', 'identity, gzip', 'x-gzip', 'anything'])(
      'is refused when it is encoded as %s',
      async (encoding) => {
        const headers = { ...json, 'Content-Encoding': encoding }
        const { status } = await send({ target: CHAT, headers, body: gzipSync(ask) })
        expect([status, callsTo(upstream)]).toEqual([415, []])
      },
    )

    test('is refused when one of two fields says that it is encoded', async () => {
      const lines = ['Content-Encoding: identity', 'Content-Encoding: gzip']
      const { status } = await send({ target: CHAT, headers: json, lines, body: gzipSync(ask) })
      expect([status, callsTo(upstream)]).toEqual([415, []])
    })

    test('may say that it is not encoded', async () => {
      const headers = { ...json, 'Content-Encoding': 'identity' }
      expect((await send({ target: CHAT, headers, body: ask })).status).toBe(200)
    })

    test.each(['-----------------------------123456789', 'x'.repeat(70), "'()+_,-./:=?"])(
      'as an upload between %s arrives byte for byte',
      async (boundary) => {
        const body = uploadBody(boundary)
        const headers = { ...auth, 'Content-Type': `multipart/form-data; boundary="${boundary}"` }
        const answer = await send({ target: UPLOAD, headers, body })
        expect([answer.status, JSON.parse(textOf(answer)), passed().body.equals(body)]).toEqual([
          200,
          {
            text: 'Hello',
            bodyBytes: body.length,
            parts: [
              { name: 'model', value: 'gpt-oss-120b' },
              {
                name: 'file',
                filename: 'ä b.wav',
                type: 'audio/wav',
                bytes: 2 * BINARY.length + boundary.length + 11,
              },
            ],
          },
          true,
        ])
      },
    )

    test.each([
      ['GET', '/logs'],
      ['HEAD', '/logs'],
    ])('is left out of a %s', async (method, target) => {
      const headers = { Authorization: `Bearer ${KEYS.admin}` }
      await send({ method, target, headers, body: ask })
      const { body, headers: sent } = passed()
      expect([body.length, sent['content-length'], sent['transfer-encoding']]).toEqual([
        0,
        undefined,
        undefined,
      ])
    })
  })

  describe('a stream that does not ask for usage', () => {
    // The gate remembers which models answered as llama.cpp does; this file asks the first one for nothing else.
    const ofOther = '{"model":"glm-4.7-flash","messages":[],"stream":true}'
    const ofLlamaCpp = '{"model":"gpt-oss-120b","messages":[],"stream":true}'

    test.each([CHAT, '/v1/completions'])(
      'asks for it with one member in front, and the answer lacks only what that adds: %s',
      async (target) => {
        upstream.behave({ kind: 'pieces', pieces: [{ bytes: framesWith(USAGE_FRAME) }] })
        const answer = await send({ target, headers: json, body: ofOther })
        expect([answer.status, textOf(answer), passed().body.toString()]).toEqual([
          200,
          framesWith(''),
          `{"stream_options":{"include_usage":true},${ofOther.slice(1)}`,
        ])
      },
    )

    test('asks llama.cpp for its progress instead, and the answer lacks only that', async () => {
      upstream.behave({ kind: 'pieces', pieces: [{ bytes: PROGRESS_FRAME + framesWith('') }] })
      const answer = await send({ target: CHAT, headers: json, body: ofLlamaCpp })
      expect([answer.status, textOf(answer), passed().body.toString()]).toEqual([
        200,
        framesWith(''),
        `{"return_progress":true,${ofLlamaCpp.slice(1)}`,
      ])
    })

    test.each(['/v1/messages', '/v1/responses', '/completion'])(
      'arrives byte for byte where streams tell it unasked: %s',
      async (target) => {
        await send({ target, headers: json, body: ofLlamaCpp })
        expect(passed().body.toString()).toBe(ofLlamaCpp)
      },
    )
  })

  test('a stream that asks for usage itself arrives byte for byte, and so does its answer', async () => {
    const frames = framesWith(USAGE_FRAME)
    upstream.behave({ kind: 'pieces', pieces: [{ bytes: frames }] })
    const body = stream.replace('gpt-oss-120b', 'glm-4.7-flash')
    const answer = await send({ target: CHAT, headers: json, body })
    expect([answer.status, textOf(answer), passed().body.toString()]).toEqual([200, frames, body])
  })

  describe('a body over the limit', () => {
    const tooLarge = {
      error: {
        message:
          'The request body is larger than this gate accepts (body.maxBytes in config.json).',
        type: 'invalid_request_error',
        param: null,
        code: 'request_too_large',
      },
    }

    test.each([
      [2048, 200],
      [2049, 413],
    ])('of %i bytes is answered with %i, with a length and without', async (bytes, status) => {
      const body = exactBody(bytes)
      const headers = { ...json, 'Transfer-Encoding': 'chunked' }
      const whole = await send({ target: CHAT, headers: json, body }, other)
      const inChunks = await send({ target: CHAT, headers, body: chunked(body, [700]) }, other)
      expect([whole.status, inChunks.status, callsTo(upstream).length]).toEqual([
        status,
        status,
        status === 200 ? 2 : 0,
      ])
    })

    test('is refused by its announced length, before any of it has come', async () => {
      const headers = { ...json, 'Content-Length': '999999999' }
      const answer = await send({ method: 'POST', target: CHAT, headers }, other)
      expect([answer.status, JSON.parse(textOf(answer)), callsTo(upstream)]).toEqual([
        413,
        tooLarge,
        [],
      ])
    })

    test('is refused in chunks, before its end has come', async () => {
      const headers = { ...json, 'Transfer-Encoding': 'chunked' }
      const begun = chunked(exactBody(9000), [3000]).subarray(0, 8000)
      const answer = await send({ target: CHAT, headers, body: begun }, other)
      expect([answer.status, JSON.parse(textOf(answer)), callsTo(upstream)]).toEqual([
        413,
        tooLarge,
        [],
      ])
    })

    test('is told in the dialect of the path', async () => {
      const answer = await send(
        { target: '/v1/messages', headers: json, body: exactBody(3000) },
        other,
      )
      expect([answer.status, JSON.parse(textOf(answer))]).toEqual([
        413,
        { type: 'error', error: { type: 'request_too_large', message: tooLarge.error.message } },
      ])
    })

    test('is not read for someone without a key', async () => {
      const headers = { 'Content-Type': 'application/json', 'Content-Length': '999999999' }
      const answer = await send({ method: 'POST', target: CHAT, headers }, other)
      expect([answer.status, callsTo(upstream)]).toEqual([401, []])
    })
  })

  describe('the body of an answer', () => {
    test('of binary data arrives byte for byte', async () => {
      const answer = await send({ target: '/v1/audio/speech', headers: json, body: ask })
      expect([
        answer.status,
        headerValue(answer, 'content-type'),
        answer.body.equals(SPEECH_BYTES),
      ]).toEqual([200, 'audio/wav', true])
    })

    test.each([CHAT, '/v1/messages', '/v1/responses', '/v1/completions', '/completion'])(
      'of %s is that of upstream, as JSON and as a stream',
      async (target) => {
        for (const body of [ask, stream]) {
          const direct = await sendRaw(upstream.url, rawRequest({ target, headers: json, body }))
          const answer = await send({ target, headers: json, body })
          const type = headerValue(direct, 'content-type')
          expect([answer.status, headerValue(answer, 'content-type'), textOf(answer)]).toEqual([
            200,
            type,
            textOf(direct),
          ])
        }
      },
    )

    test('of many megabytes arrives byte for byte', async () => {
      const bytes = Buffer.alloc(8_000_000, BINARY)
      const headers = [['content-type', 'image/png']] as const
      upstream.behave({ kind: 'answer', status: 200, headers, body: bytes })
      const answer = await send({ target: '/v1/images/generations', headers: json, body: ask })
      expect([answer.ending, digest(answer.body)]).toEqual(['complete', digest(bytes)])
    })

    test('is the final one, after an interim answer', async () => {
      const direct = await sendRaw(
        upstream.url,
        rawRequest({ target: CHAT, headers: json, body: ask }),
      )
      upstream.behave({ kind: 'early-hints' }, { kind: 'early-hints' })
      const answer = await send({ target: CHAT, headers: json, body: ask })
      const cannot = harness.cannot['interim-answers']
      expect([answer.interim, answer.status, textOf(answer) === textOf(direct)]).toEqual(
        cannot === undefined ? [[], 200, true] : [[], 503, false],
      )
    })

    test('comes in the order of the requests, when they were sent ahead', async () => {
      const requests = [{ target: CHAT, headers: json, body: ask }, { target: '/health' }]
      const connection = await openRaw(gate.url, Buffer.concat(requests.map(rawRequest)))
      const answers: string[] = []
      for (const method of ['POST', 'GET'])
        answers.push(await connection.answer({ method }).then(textOf, () => ''))
      connection.close()
      const inOrder = [expect.stringContaining('chat.completion'), '{"status":"ok"}']
      expect(answers).toEqual(harness.cannot.pipelining === undefined ? inOrder : ['', ''])
    })

    test.each<[what: string, request: RawRequest, status: number]>([
      ['HEAD', { method: 'HEAD', target: '/props?model=gpt-oss-120b', headers: auth }, 200],
      ['HEAD of a list', { method: 'HEAD', target: '/v1/models', headers: auth }, 200],
      ['HEAD of something refused', { method: 'HEAD', target: '/unload', headers: auth }, 403],
      [
        'HEAD of something unknown',
        { method: 'HEAD', target: '/props?model=x', headers: auth },
        404,
      ],
      ['204', { target: CHAT, headers: json, body: ask }, 204],
      ['304', { target: CHAT, headers: json, body: ask }, 304],
    ])('is empty for %s, and the connection stays in step', async (_what, request, status) => {
      if (status === 204 || status === 304) upstream.behave({ kind: 'empty', status })
      const connection = await openRaw(gate.url, rawRequest(request))
      const first = await connection.answer()
      await connection.write(rawRequest({ target: '/health' }))
      const second = await connection.answer({ method: 'GET' })
      connection.close()
      expect([first.status, first.body.length, second.status, textOf(second)]).toEqual([
        status,
        0,
        200,
        '{"status":"ok"}',
      ])
    })

    test('of a HEAD leaves nothing in the log but its own line', () => {
      const lines = gate.output().split('\n')
      expect(lines.filter((line) => /ERR_|already sent|at .*:\d+:\d+/i.test(line))).toEqual([])
    })

    test('is told as long as it is, when upstream told it', async () => {
      const head = await send({
        method: 'HEAD',
        target: '/props?model=gpt-oss-120b',
        headers: auth,
      })
      const get = await send({ target: '/props?model=gpt-oss-120b', headers: auth })
      expect(headerValue(head, 'content-length')).toBe(String(get.body.length))
    })

    test.each([
      ['JSON', ask],
      ['a stream', stream],
    ])('of %s that upstream compressed is what its header says', async (_what, body) => {
      const direct = await sendRaw(upstream.url, rawRequest({ target: CHAT, headers: json, body }))
      upstream.behave({ kind: 'gzip' }, { kind: 'gzip' })
      for (const accepted of ['identity', 'gzip']) {
        const headers = { ...json, 'Accept-Encoding': accepted }
        const answer = await send({ target: CHAT, headers, body })
        const encoding = headerValue(answer, 'content-encoding')
        const plain = encoding === 'gzip' ? gunzipSync(answer.body) : answer.body
        expect([answer.status, answer.ending, answer.extra.length, plain.toString()]).toEqual([
          200,
          'complete',
          0,
          textOf(direct),
        ])
      }
    })
  })

  describe('the header of an answer', () => {
    test.each([
      ['JSON', ask, ['content-type', ...OWN_FIELDS, 'x-kept']],
      [
        'a stream',
        stream,
        ['cache-control', 'content-type', ...OWN_FIELDS, 'x-accel-buffering', 'x-kept'],
      ],
    ])('of %s has nothing of the connection to upstream', async (_what, body, fields) => {
      upstream.behave({ kind: 'unclean-headers' })
      const answer = await send({ target: CHAT, headers: json, body })
      expect([answer.status, fieldsOf(answer), headerValue(answer, 'x-kept')]).toEqual([
        200,
        fields.toSorted(),
        UNCLEAN_HEADERS.find(([name]) => name === 'x-kept')![1],
      ])
    })

    test('of an admin page has nothing of the connection to upstream', async () => {
      const extra = [
        ['connection', 'x-nominated'],
        ['connection', 'x-second, close'],
        ['x-nominated', '1'],
        ['x-second', '1'],
        ['upgrade', 'h2c'],
        ['x-request-id', 'of upstream'],
        ['alt-svc', 'h3=":443"'],
        ...UNCLEAN_HEADERS.filter(([name]) => name !== 'connection'),
      ] as const
      upstream.behaveAt('/logs', { kind: 'answer', status: 200, headers: extra, body: 'x' })
      const answer = await send({ target: '/logs', headers: { 'x-api-key': KEYS.admin } })
      const pages = ['cross-origin-resource-policy', 'x-content-type-options', 'x-frame-options']
      const unset = fieldsOf(answer).filter((name) => name !== 'content-type')
      expect(unset).toEqual(['x-kept', ...OWN_FIELDS, ...pages].toSorted())
    })

    test('holds one request id, that of the gate, under both names', async () => {
      const headers = [
        ['x-request-id', 'upstream'],
        ['request-id', 'upstream'],
      ] as const
      upstream.behave({ kind: 'answer', status: 200, headers, body: '{}' })
      const asked = { ...json, 'X-Request-Id': 'client', 'Request-Id': 'client' }
      const answer = await send({ target: CHAT, headers: asked, body: ask })
      const [id] = headerValues(answer, 'x-request-id')
      expect([id, headerValues(answer, 'request-id'), passed().headers['x-request-id']]).toEqual([
        expect.stringMatching(/^[0-9a-f-]{36}$/),
        [id],
        id,
      ])
    })
  })

  describe('a redirect of upstream', () => {
    test.each([301, 302, 303, 307, 308] as const)('%i is not followed', async (status) => {
      upstream.behave({ kind: 'redirect', status, location: '/unload' })
      const answer = await send({ target: CHAT, headers: json, body: ask })
      expect([
        answer.status,
        headerValue(answer, 'location'),
        callsTo(upstream).map(({ url }) => url),
        upstream.loaded(),
      ]).toEqual([502, undefined, [CHAT], 'gpt-oss-120b'])
    })

    test.each([
      ['/ui/models', '/ui/models'],
      ['http://10.0.0.7:8080/ui/', undefined],
      ['//10.0.0.7/ui/', undefined],
      ['/\\10.0.0.7/ui/', undefined],
      ['javascript:alert(1)', undefined],
    ])('of an admin page to %s is shown as %s', async (location, shown) => {
      upstream.behaveAt('/ui', { kind: 'redirect', status: 302, location })
      const answer = await send({ target: '/ui', headers: { 'x-api-key': KEYS.admin } })
      expect([answer.status, headerValue(answer, 'location'), callsTo(upstream).length]).toEqual([
        302,
        shown,
        1,
      ])
    })
  })

  describe('upstream', () => {
    test.each(LEAKS)("does not see the client's key in %s", async (_what, lines, query) => {
      for (const request of [
        { target: CHAT + query, headers: json, lines, body: ask },
        { target: `/props${query || '?'}&model=gpt-oss-120b`, headers: auth, lines },
      ]) {
        upstream.reset()
        const { status } = await send(request)
        const { url, rawHeaders, body } = passed()
        const seen = decodeURIComponent([url, ...rawHeaders, body.toString()].join('\n'))
        expect([status, seen.includes(KEYS.user)]).toEqual([200, false])
      }
    })

    test('does not see the password of an admin page in any form', async () => {
      const password = btoa(`me:${KEYS.admin}`)
      const headers = { Authorization: basic(KEYS.admin), Cookie: `a=${password}` }
      const { status } = await send({ target: '/logs', headers })
      const seen = passed().rawHeaders.join('\n')
      expect([status, seen.includes(KEYS.admin), seen.includes(password)]).toEqual([
        200,
        false,
        false,
      ])
    })

    test('and the log see no key, wherever a client puts it', async () => {
      const wrong = 'sk-wrong-0123456789abcdef0123456789'
      for (const [key, name] of [
        [KEYS.user, KEYS.user],
        [KEYS.limited, KEYS.limited],
        [wrong, wrong],
        [KEYS.user, wrong],
      ] as const) {
        const headers = { 'x-api-key': key, 'User-Agent': key, Cookie: key }
        await send({
          target: CHAT,
          headers,
          body: JSON.stringify({ model: name, user: 'prompt-text' }),
        })
        await send({ target: `/v1/${name}`, headers })
        await send({ target: `/props?model=${name}&key=${name}`, headers })
        await send({ method: 'OPTIONS', target: `/${name}`, headers })
      }
      await send({ target: CHAT, headers: { Authorization: basic(KEYS.admin) }, body: ask })
      // Lines are written in the turn of the loop after the answer.
      await sleep(20)
      const log = gate.output() + other.output()
      expect(log).toContain('"keyId":"limited"')
      for (const secret of [
        ...Object.values(KEYS),
        wrong,
        'internal-key',
        btoa(KEYS.admin),
        'prompt-text',
      ])
        expect([secret, log.includes(secret)]).toEqual([secret, false])
    })

    test('gets the key and the fields of the configuration instead, also with the question for the list', async () => {
      // A gate that has asked nothing yet.
      const fresh = await harness.start(otherConfig())
      const claims = {
        'X-Tunnel': 'client',
        'CF-Access-Client-Id': 'client',
        'User-Agent': 'client',
      }
      const headers = { ...claims, 'x-api-key': KEYS.limited }
      const target = '/props?model=glm-4.7-flash'
      const { status } = await send({ target, headers }, fresh)
      await fresh.stop()
      const names = ['authorization', 'x-api-key', 'cf-access-client-id', 'x-tunnel', 'user-agent']
      // After its answer a model may be asked for, too.
      const reached = upstream.requests
        .filter(({ url }) => url !== '/running')
        .map(({ url, headers: sent }) => [url, ...names.map((name) => sent[name])])
      const own = ['Bearer internal-key', undefined, 'tunnel', 'token', 'swapgate']
      expect([status, reached]).toEqual([
        200,
        [
          ['/v1/models', ...own],
          [target, ...own],
        ],
      ])
    })

    test('gets no key when none is configured', async () => {
      await send({ target: CHAT, headers: json, body: ask })
      expect(passed().headers).not.toHaveProperty('authorization')
    })

    test('gets none of what a client claims about itself or its connection', async () => {
      const { status } = await send({ target: CHAT, headers: { ...json, ...CLAIMS }, body: ask })
      const claimed = Object.entries(CLAIMS).filter(([name, value]) =>
        [passed().headers[name.toLowerCase()]].flat().includes(value),
      )
      expect([status, claimed]).toEqual([200, []])
      const { headers } = passed()
      expect(JSON.stringify(headers)).not.toMatch(/claimed|6\.6\.6\.6|7\.7\.7\.7/)
      expect([headers['host'], headers['via'], headers['x-forwarded-for']]).toEqual([
        new URL(upstream.url).host,
        expect.stringMatching(/^1\.1 swapgate-[0-9a-f]{8}$/),
        '127.0.0.1',
      ])
    })

    test('gets the fields that mean something to it, as they are', async () => {
      await send({ target: CHAT, headers: { ...json, ...KEPT }, body: ask })
      const { headers } = passed()
      expect(Object.fromEntries(Object.keys(KEPT).map((name) => [name, headers[name]]))).toEqual(
        KEPT,
      )
    })

    test("gets no field that the client nominates as its connection's, and its own all the same", async () => {
      const lines = [
        'Connection: x-one, x-forwarded-for, content-type',
        'Connection: X-Two ,\tx-three',
        'X-One: 1',
        'X-Two: 2',
        'X-Three: 3',
        'X-Four: 4',
      ]
      const { status } = await send({ target: CHAT, headers: json, lines, body: ask })
      const { headers } = passed()
      const names = ['x-one', 'x-two', 'x-three', 'x-four', 'x-forwarded-for', 'content-type']
      expect([status, ...names.map((name) => headers[name])]).toEqual([
        200,
        undefined,
        undefined,
        undefined,
        '4',
        '127.0.0.1',
        'application/json',
      ])
    })

    test('is asked for an answer without encoding', async () => {
      await send({ target: CHAT, headers: { ...json, 'Accept-Encoding': 'gzip' }, body: ask })
      expect(passed().headers['accept-encoding']).toBe('identity;q=1, *;q=0')
    })

    test('gets the query without what names a model or a key, and the rest in its order', async () => {
      const query = '?beta=true&model=x&b=%26%3D%20&key=1&a=%C3%A9&token=2&a=2&flag'
      await send({ target: CHAT + query, headers: json, body: ask })
      const { searchParams } = new URL(passed().url, upstream.url)
      expect([...searchParams]).toEqual([
        ['beta', 'true'],
        ['b', '&= '],
        ['a', 'é'],
        ['a', '2'],
        ['flag', ''],
      ])
    })

    test('learns the address of the peer, not what a client says of it', async () => {
      const cannot = harness.cannot['client-address']
      const headers = { ...json, 'CF-Connecting-IP': '6.6.6.6', 'X-Forwarded-For': '6.6.6.6' }
      await send({ target: CHAT, headers, body: ask })
      const told = cannot === undefined ? '127.0.0.1' : '6.6.6.6'
      expect(passed().headers['x-forwarded-for']).toBe(told)
    })
  })
})
