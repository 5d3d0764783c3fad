import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { openRaw, sendRaw } from '../support/raw-http.ts'
import type { RawAnswer } from '../support/raw-http/answer.ts'
import { rawRequest, type RawRequest } from '../support/raw-http/raw-request.ts'
import { callsTo, harnesses, KEYS, ROOMY } from './gates.ts'

const CHAT = '/v1/chat/completions'
const UPLOAD = '/v1/audio/transcriptions'
const ALLOWED = 'glm-4.7-flash'
const FORBIDDEN = 'gpt-oss-120b'
const allowedBody = JSON.stringify({ model: ALLOWED, messages: [] })
const forbiddenBody = JSON.stringify({ model: FORBIDDEN, messages: [] })

/** The connections between gate and upstream, with every byte that the gate sent. */
type Wire = { url: string; sent(): string; stop(): Promise<void> }

/** What upstream would refuse to parse shows in no record of it, so the bytes themselves are kept. */
async function startWire(upstream: LookAlike): Promise<Wire> {
  const { hostname, port } = new URL(upstream.url)
  const sockets = new Set<Socket>()
  const sent: Buffer[] = []
  const server = createServer((gate) => {
    const box = connect({ host: hostname, port: Number(port) })
    gate.on('data', (bytes: Buffer) => sent.push(bytes))
    gate.pipe(box).pipe(gate)
    for (const [socket, other] of [
      [gate, box],
      [box, gate],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => void (sockets.delete(socket), other.destroy()))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    sent: () => Buffer.concat(sent).toString('latin1'),
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** What a request became upstream, as far as it decides what is run. */
type Passed = { call: string; model: string | undefined; type: unknown; body: string }

/** Everything that reached upstream but the gate's own questions. */
function passedTo(upstream: LookAlike): Passed[] {
  return callsTo(upstream).map(({ method, url, model, headers, body }) => ({
    call: `${method} ${url}`,
    model,
    type: headers['content-type'],
    body: body.toString(),
  }))
}

function bearer(key: string): Record<string, string> {
  return { Authorization: `Bearer ${key}` }
}

/** One JSON text as upstream must get it, whatever the client called it. */
function passedJson(call: string, body: string): Passed {
  return { call, model: ALLOWED, type: 'application/json', body }
}

type Part = { headers: string[]; content: string }

const field = (name: string, content: string): Part => ({
  headers: [`Content-Disposition: form-data; name="${name}"`],
  content,
})
const file: Part = {
  headers: [
    'Content-Disposition: form-data; name="file"; filename="a.wav"',
    'Content-Type: audio/wav',
  ],
  content: 'RIFF',
}

function form(...parts: Part[]): string {
  const written = parts.map(
    ({ headers, content }) => `--B\r\n${headers.join('\r\n')}\r\n\r\n${content}\r\n`,
  )
  return `${written.join('')}--B--\r\n`
}

const FORM_TYPE = 'multipart/form-data; boundary=B'

/** Bodies that some parser reads as the forbidden model, or as none. */
const BODIES: [what: string, body: string | Buffer, status: number][] = [
  ['the forbidden model', forbiddenBody, 404],
  [
    'a forbidden model before the allowed one',
    `{"model":"${FORBIDDEN}","model":"${ALLOWED}"}`,
    400,
  ],
  ['a forbidden model after the allowed one', `{"model":"${ALLOWED}","model":"${FORBIDDEN}"}`, 400],
  ['the allowed model twice', `{"model":"${ALLOWED}","model":"${ALLOWED}"}`, 400],
  ['an escaped second key', `{"mod\\u0065l":"${FORBIDDEN}","model":"${ALLOWED}"}`, 400],
  ['an escaped key alone', `{"mod\\u0065l":"${FORBIDDEN}"}`, 404],
  ['two keys, both escaped', `{"\\u006dodel":"${ALLOWED}","mod\\u0065l":"${FORBIDDEN}"}`, 400],
  ['text before the object', `garbage${allowedBody}`, 400],
  ['a number before the object', `1${allowedBody}`, 400],
  ['text behind the object', `${allowedBody} trailing`, 400],
  ['a second object', `${allowedBody}${forbiddenBody}`, 400],
  ['a second line', `${allowedBody}\n${forbiddenBody}`, 400],
  ['a byte order mark', `\uFEFF${allowedBody}`, 400],
  ['UTF-16', Buffer.from(allowedBody, 'utf16le'), 400],
  ['a broken object', `{"model":"${ALLOWED}", bad`, 400],
  ['a trailing comma', `{"model":"${ALLOWED}",}`, 400],
  ['a comment', `{/* x */"model":"${ALLOWED}"}`, 400],
  ['a name without quotes', `{model:"${ALLOWED}"}`, 400],
  ['single quotes', `{'model':'${ALLOWED}'}`, 400],
  ['a form', `model=${ALLOWED}`, 400],
  ['an array', `["${ALLOWED}"]`, 400],
  ['an array of objects', `[${allowedBody}]`, 400],
  ['a bare string', `"${ALLOWED}"`, 400],
  ['nothing', '', 400],
  ['null', 'null', 400],
  ['no model', '{"messages":[]}', 400],
  ['an empty model', '{"model":""}', 400],
  ['a number as model', '{"model":123}', 400],
  ['a list as model', `{"model":["${ALLOWED}"]}`, 400],
  ['an object as model', `{"model":{"id":"${ALLOWED}"}}`, 400],
  ['null as model', '{"model":null}', 400],
  ['a model that is not UTF-8', Buffer.from(`{"model":"${ALLOWED}\xff"}`, 'latin1'), 400],
  ['a key that is not UTF-8', Buffer.from(`{"model\xff":1,"model":"x"}`, 'latin1'), 400],
  ['a raw line break in a key', `{"model\n":"${FORBIDDEN}","model":"${ALLOWED}"}`, 400],
  ['a quote behind two backslashes', `{"x":"\\\\","model":"${FORBIDDEN}"}`, 404],
  ['a quote behind one backslash', `{"x":"\\","model":"${FORBIDDEN}"}`, 400],
  ['nesting without end', `{"model":"${ALLOWED}","x":${'['.repeat(5000)}`, 400],
  ['deep nesting', `{"x":${'['.repeat(500)}${']'.repeat(500)},"model":"${ALLOWED}"}`, 400],
  ['a model only inside another field', `{"body":{"model":"${ALLOWED}"}}`, 400],
]

/** Bodies that only look odd: one reading, and the model is the allowed one. */
const HARMLESS_BODIES: [what: string, body: string][] = [
  ['a forbidden model inside another field', `{"x":{"model":"${FORBIDDEN}"},"model":"${ALLOWED}"}`],
  [
    'a forbidden model in a text',
    `{"x":"\\",\\"model\\":\\"${FORBIDDEN}\\"","model":"${ALLOWED}"}`,
  ],
  ['blanks around everything', ` \r\n\t{ "x" : 1 , "model" : "${ALLOWED}" } \n`],
  ['a model with an escape', `{"model":"glm-4.7-fl\\u0061sh"}`],
]

/** Media types under which llama-swap looks for the model in other places than in the JSON. */
const MEDIA_TYPES: [what: string, lines: string[]][] = [
  ['no media type', []],
  ['an empty media type', ['Content-Type:']],
  ['text/plain', ['Content-Type: text/plain']],
  ['capital letters', ['Content-Type: Application/JSON']],
  ['a form', ['Content-Type: application/x-www-form-urlencoded']],
  ['a multipart form', [`Content-Type: ${FORM_TYPE}`]],
  ['JSON as a parameter', ['Content-Type: text/plain; x=application/json']],
  ['another charset', ['Content-Type: application/json; charset=utf-16']],
  ['two media types', ['Content-Type: text/plain', 'Content-Type: application/json']],
  ['two media types, JSON first', ['Content-Type: application/json', 'Content-Type: text/plain']],
]

const QUERIES = [
  `?model=${FORBIDDEN}`,
  `?mod%65l=${FORBIDDEN}`,
  `?model=${FORBIDDEN}&model=${ALLOWED}`,
  `?model=${ALLOWED}&model=${FORBIDDEN}`,
  `?a=%26model=${FORBIDDEN}`,
  `?a=1;model=${FORBIDDEN}`,
]

const JSON_ROUTES = [
  CHAT,
  '/v1/completions',
  '/v1/responses',
  '/v1/messages',
  '/v1/messages/count_tokens',
  '/v1/embeddings',
  '/v1/rerank',
  '/v1/reranking',
  '/rerank',
  '/reranking',
  '/infill',
  '/completion',
  '/v1/audio/speech',
  '/v1/audio/voices',
  '/v1/audio/transcriptions',
  '/v1/images/generations',
  '/v1/images/edits',
  '/sdapi/v1/txt2img',
  '/sdapi/v1/img2img',
  '/audioapi/v1/tasks/run',
  '/v/chat/completions',
  '/v/completions',
  '/v/responses',
  '/v/messages',
  '/v/messages/count_tokens',
  '/v/embeddings',
  '/v/rerank',
  '/v/reranking',
]

const UPLOADS: [what: string, type: string, body: string, status: number][] = [
  ['the forbidden model', FORM_TYPE, form(field('model', FORBIDDEN), file), 404],
  ['no model', FORM_TYPE, form(file), 400],
  ['an empty model', FORM_TYPE, form(field('model', ''), file), 400],
  [
    'the allowed model, then another',
    FORM_TYPE,
    form(field('model', ALLOWED), field('model', FORBIDDEN)),
    400,
  ],
  [
    'a forbidden model, then the allowed one',
    FORM_TYPE,
    form(field('model', FORBIDDEN), field('model', ALLOWED)),
    400,
  ],
  [
    'a capital letter in a second field',
    FORM_TYPE,
    form(field('model', ALLOWED), field('Model', FORBIDDEN)),
    400,
  ],
  [
    'a file under the name',
    FORM_TYPE,
    form({
      headers: ['Content-Disposition: form-data; name="model"; filename="m"'],
      content: ALLOWED,
    }),
    400,
  ],
  [
    'a second name without quotes',
    FORM_TYPE,
    form(field('model', ALLOWED), {
      headers: ['Content-Disposition: form-data; name=model'],
      content: FORBIDDEN,
    }),
    400,
  ],
  [
    'a second, encoded name',
    FORM_TYPE,
    form(field('model', ALLOWED), {
      headers: [`Content-Disposition: form-data; name*=utf-8''model`],
      content: FORBIDDEN,
    }),
    400,
  ],
  [
    'two names in one part',
    FORM_TYPE,
    form(field('model', ALLOWED), {
      headers: ['Content-Disposition: form-data; name="x"; name="model"'],
      content: FORBIDDEN,
    }),
    400,
  ],
  [
    'two dispositions in one part',
    FORM_TYPE,
    form({
      headers: [
        'Content-Disposition: form-data; name="model"',
        'Content-Disposition: form-data; name="x"',
      ],
      content: ALLOWED,
    }),
    400,
  ],
  [
    'a folded part header',
    FORM_TYPE,
    form({ headers: ['Content-Disposition: form-data;', ' name="model"'], content: ALLOWED }),
    400,
  ],
  [
    'an encoded model',
    FORM_TYPE,
    form({
      headers: [
        'Content-Disposition: form-data; name="model"',
        'Content-Transfer-Encoding: quoted-printable',
      ],
      content: 'gpt=2Doss-120b',
    }),
    400,
  ],
  ['a preamble', FORM_TYPE, `x\r\n${form(field('model', ALLOWED))}`, 400],
  [
    'another part behind the end',
    FORM_TYPE,
    form(field('model', ALLOWED)) + form(field('model', FORBIDDEN)),
    400,
  ],
  ['bare line feeds', FORM_TYPE, form(field('model', ALLOWED)).replaceAll('\r\n', '\n'), 400],
  ['no end', FORM_TYPE, form(field('model', ALLOWED)).replace('--B--', ''), 400],
  ['no boundary', 'multipart/form-data', form(field('model', ALLOWED)), 400],
  ['two boundaries', `${FORM_TYPE}; boundary=C`, form(field('model', ALLOWED)), 400],
  ['two types in one', `${FORM_TYPE}, application/json`, form(field('model', ALLOWED)), 400],
  ['another multipart type', 'multipart/mixed; boundary=B', form(field('model', ALLOWED)), 400],
  ['JSON under a form type', FORM_TYPE, allowedBody, 400],
  ['a form under a JSON type', 'application/json', form(field('model', ALLOWED)), 400],
]

/** Names that stand for models that the key may not use, and names that only look like its own. */
const NAMES = [
  FORBIDDEN,
  'qwen3-coder-next',
  'gpt',
  'coder',
  'fast',
  'cloud/big-model',
  'big-model',
  'GLM-4.7-Flash',
  ' glm-4.7-flash',
  'glm-4.7-flash ',
  'glm-4.7-flash\u0000',
  'glm-4.7-flash/',
  '../glm-4.7-flash',
  'glm-4.7-flash,gpt-oss-120b',
  'glm‑4.7‑flash',
  '*',
  '__proto__',
  'constructor',
]

/** Ways to write a path that some server reads as one of llama-swap's own pages. */
const PATHS = [
  '/unload',
  '/%75nload',
  '/%6cogs',
  '/%2575nload',
  '/unload%00',
  '/unload%20',
  '/unload/',
  '/unload;x=1',
  '/unload?x',
  '/unload#x',
  '/UNLOAD',
  '//unload',
  '///unload',
  '/./unload',
  '/%2e/unload',
  '/../unload',
  '/v1/../unload',
  '/v1/..//unload',
  '/v1/..;/unload',
  '/v1/%2e%2e/unload',
  '/v1/.%2e/unload',
  '/v1/..%2funload',
  '/v1/..%5cunload',
  '/v1/%252e%252e/unload',
  '/v1/%c0%ae%c0%ae/unload',
  '/v1/\xc3\xa9/../../unload',
  '/v1\\..\\unload',
  '\\unload',
  '/v1/models/../../unload',
  '/v1/models/%2e%2e/%2e%2e/unload',
  '/v1%2Fmodels',
  '/health/../unload',
  '/health/..%2funload',
  '/api/hello/../captures/1',
  '/api/hello/../../unload',
  '/v1/chat/completions/../../../unload',
  `/props/../unload?model=${ALLOWED}`,
  `/props/..%2funload?model=${ALLOWED}`,
  `/props%2f..%2funload?model=${ALLOWED}`,
  `/upstream/${ALLOWED}/../../unload`,
  `/upstream/${ALLOWED}/props`,
  `/upstream/${FORBIDDEN}/v1/models`,
  `/upstream/cloud%2Fbig-model/v1/models`,
  `/%75pstream/${FORBIDDEN}/props`,
  `/Upstream/${FORBIDDEN}/props`,
  `//upstream/${FORBIDDEN}/props`,
  `/upstream//${FORBIDDEN}/props`,
  `/v1/models/../../upstream/${FORBIDDEN}/props`,
  '/%72unning',
  '/comfyui/',
  '/api/captures/1',
  '/logs/stream',
  '/v1/models/x',
  '*',
  'unload',
  'http://127.0.0.1/unload',
  'http://127.0.0.1//unload',
  'http://127.0.0.1/v1/../unload',
  'http://127.0.0.1/%75nload',
  'http://other.example/unload',
  'http://other.example\\@127.0.0.1/unload',
  'http://user@127.0.0.1/unload',
  'https://127.0.0.1/unload',
  'HTTP://127.0.0.1/unload',
  'http:/unload',
  'http:unload',
  'http:///unload',
  'ftp://127.0.0.1/unload',
  'file:///unload',
  '//127.0.0.1/unload',
  '/unload HTTP/1.1',
]

/** Ways from a page that only shows something to one that changes something. */
const WAYS_OUT = [
  '/ui/../unload',
  '/ui/%2e%2e/unload',
  '/ui/.%2E/unload',
  '/ui/..%2funload',
  '/ui/%2e%2e%2funload',
  '/ui/..%5cunload',
  '/ui/..\\unload',
  '/ui\\..\\unload',
  '/ui/./../unload',
  '/ui//../../unload',
  '/ui/x/../../unload',
  '/ui/%252e%252e/unload',
  '/ui/../upstream/gpt-oss-120b/props',
  '/ui/..%2fupstream%2fgpt-oss-120b%2fprops',
  '/logs/stream/../../unload',
  '/logs/stream/%2e%2e/%2e%2e/unload',
  '/logs/../unload',
  '/api/captures/../../unload',
  'http://127.0.0.1/ui/../unload',
  'http://127.0.0.1/ui/%2e%2e/unload',
]

/** Hosts that some runtime lets choose the path. */
const HOSTS = [
  '',
  'x\\unload?',
  'x/unload?',
  'x/unload/',
  'x/unload#',
  'x/..',
  'x?',
  'x#',
  'x@y',
  'user:password@127.0.0.1',
  'x y',
  'x,y',
  '127.0.0.1:99999',
  '127.0.0.1:x',
  '127.0.0.1:80/unload',
  '[::1',
  '[::1]/unload',
  'x%2funload',
  '\xe9',
  '..',
]

/** Lines of a header that bring no known key, or two. */
const CREDENTIALS: [what: string, lines: string[], status: number][] = [
  ['no key', [], 401],
  ['an empty field', ['Authorization:'], 401],
  ['a scheme without a key', ['Authorization: Bearer'], 401],
  ['a key without a scheme', [`Authorization: ${KEYS.limited}`], 401],
  ['another scheme', [`Authorization: Token ${KEYS.limited}`], 401],
  ['a tab behind the scheme', [`Authorization: Bearer\t${KEYS.limited}`], 401],
  ['quotes', [`Authorization: Bearer "${KEYS.limited}"`], 401],
  ['a key that is too long by one', [`Authorization: Bearer ${KEYS.limited}x`], 401],
  ['a key that is too short by one', [`Authorization: Bearer ${KEYS.limited.slice(0, -1)}`], 401],
  ['capital letters', [`Authorization: Bearer ${KEYS.limited.toUpperCase()}`], 401],
  ['two words', [`Authorization: Bearer ${KEYS.limited} x`], 401],
  ['two keys in a field', [`Authorization: Bearer x, Bearer ${KEYS.limited}`], 401],
  [
    'two Authorization fields, the good one first',
    [`Authorization: Bearer ${KEYS.limited}`, 'Authorization: Bearer x'],
    401,
  ],
  [
    'two Authorization fields, the good one last',
    ['Authorization: Bearer x', `Authorization: Bearer ${KEYS.limited}`],
    401,
  ],
  ['two x-api-key fields', [`x-api-key: ${KEYS.limited}`, `x-api-key: ${KEYS.user}`], 401],
  [
    'two keys in two fields',
    [`Authorization: Bearer ${KEYS.limited}`, `x-api-key: ${KEYS.user}`],
    400,
  ],
  ['a good and a bad field', ['Authorization: Bearer x', `x-api-key: ${KEYS.limited}`], 400],
  ['a malformed and a good field', ['Authorization: Basic %%%', `x-api-key: ${KEYS.limited}`], 401],
  ['a password', [`Authorization: Basic ${btoa(`x:${KEYS.limited}`)}`], 401],
  ['the hash of a key', [`Authorization: Bearer sha256:${'0'.repeat(64)}`], 401],
  ['api-key', [`api-key: ${KEYS.limited}`], 401],
  ['x-goog-api-key', [`x-goog-api-key: ${KEYS.limited}`], 401],
  ['Proxy-Authorization', [`Proxy-Authorization: Bearer ${KEYS.limited}`], 401],
  ['a cookie', [`Cookie: key=${KEYS.limited}; Authorization=Bearer ${KEYS.limited}`], 401],
]

const GOOD_CREDENTIALS: [what: string, lines: string[]][] = [
  ['Bearer', [`Authorization: Bearer ${KEYS.limited}`]],
  ['bearer in small letters', [`authorization: bearer ${KEYS.limited}`]],
  ['BEARER in capitals', [`AUTHORIZATION: BEARER ${KEYS.limited}`]],
  ['two blanks', [`Authorization: Bearer  ${KEYS.limited}`]],
  ['blanks at the end', [`Authorization: Bearer ${KEYS.limited}  `]],
  ['x-api-key', [`X-Api-Key: ${KEYS.limited}`]],
  ['the same key twice', [`Authorization: Bearer ${KEYS.limited}`, `x-api-key: ${KEYS.limited}`]],
]

const HEAD_LINES = [
  'Host: 127.0.0.1',
  `Authorization: Bearer ${KEYS.limited}`,
  'Content-Type: application/json',
]
const SMUGGLED = `GET /unload?smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${KEYS.limited}\r\n\r\n`
const LENGTH = allowedBody.length
const SIZE = LENGTH.toString(16)
const CHUNKED = `${SIZE}\r\n${allowedBody}\r\n0\r\n\r\n`

/** A chat request with these further lines, and bytes behind its header. */
function post(lines: string[], rest: string, first = `POST ${CHAT} HTTP/1.1`): string {
  return [first, ...HEAD_LINES, ...lines, '', ''].join('\r\n') + rest
}

/** Requests on which two parsers disagree where they end, each with another one behind. */
const SMUGGLING: [what: string, bytes: string][] = [
  [
    'a length and chunks',
    post([`Content-Length: ${CHUNKED.length}`, 'Transfer-Encoding: chunked'], CHUNKED + SMUGGLED),
  ],
  [
    'chunks and a length',
    post(
      ['Transfer-Encoding: chunked', `Content-Length: ${CHUNKED.length + SMUGGLED.length}`],
      CHUNKED + SMUGGLED,
    ),
  ],
  [
    'chunks and a length of nothing',
    post(['Content-Length: 0', 'Transfer-Encoding: chunked'], CHUNKED + SMUGGLED),
  ],
  [
    'chunks and a length that is too short',
    post(['Content-Length: 4', 'Transfer-Encoding: chunked'], CHUNKED + SMUGGLED),
  ],
  [
    'a smuggled request inside a chunk',
    post(
      [`Content-Length: ${SIZE.length + 2}`, 'Transfer-Encoding: chunked'],
      `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    ),
  ],
  ...[
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding : chunked',
    'Transfer-Encoding:\tchunked',
    'Transfer-Encoding:\vchunked',
    'Transfer-Encoding: \x00chunked',
    'Transfer-Encoding: chunked\x00',
    'Transfer-Encoding: identity, chunked',
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: chunked, gzip',
    'Transfer-Encoding: chunked, chunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
    'Transfer-Encoding: "chunked"',
    'Transfer-Encoding: chunked;q=1',
    'Transfer-Encoding: CHUNKED',
    'Transfer-Encoding: chun\u212Aed',
    'Transfer_Encoding: chunked',
    'X: x\nTransfer-Encoding: chunked',
    'X: x\rTransfer-Encoding: chunked',
    'X: x\r\n Transfer-Encoding: chunked',
    'Transfer-Encoding:\r\n chunked',
    'Transfer-Encoding\r\n: chunked',
  ].flatMap((line): [string, string][] => [
    [`only ${JSON.stringify(line)}`, post([line], CHUNKED + SMUGGLED)],
    [
      `${JSON.stringify(line)} beside a length`,
      post([`Content-Length: ${LENGTH}`, line], allowedBody + SMUGGLED),
    ],
  ]),
  [
    'chunks in HTTP/1.0',
    post(['Transfer-Encoding: chunked'], CHUNKED + SMUGGLED, `POST ${CHAT} HTTP/1.0`),
  ],
  ...[
    `Content-Length: ${LENGTH}\r\nContent-Length: ${LENGTH + SMUGGLED.length}`,
    `Content-Length: ${LENGTH + SMUGGLED.length}\r\nContent-Length: ${LENGTH}`,
    `Content-Length: ${LENGTH}\r\nContent-Length: ${LENGTH}`,
    `Content-Length: ${LENGTH}, ${LENGTH}`,
    `Content-Length: ${LENGTH}, 0`,
    `Content-Length: +${LENGTH}`,
    `Content-Length: -${LENGTH}`,
    `Content-Length: 0x${SIZE}`,
    `Content-Length: ${LENGTH}.0`,
    `Content-Length: ${LENGTH}e0`,
    `Content-Length: 0${LENGTH}`,
    `Content-Length: ${2n ** 64n + BigInt(LENGTH)}`,
    `Content-Length: ${LENGTH} 0`,
    `Content-Length: ${LENGTH};`,
    `Content-Length: "${LENGTH}"`,
    'Content-Length:',
    `Content-Length : ${LENGTH}`,
    `Content-Length\t: ${LENGTH}`,
    `Content_Length: ${LENGTH}`,
    `Content-Length: \r\n ${LENGTH}`,
    `X: x\nContent-Length: ${LENGTH}`,
    `X: x\rContent-Length: ${LENGTH}`,
  ].map((line): [string, string] => [JSON.stringify(line), post([line], allowedBody + SMUGGLED)]),
  ...[
    'X: a\x00b',
    'X\x00: a',
    'X Y: a',
    'X(Y): a',
    ': a',
    'no colon',
    ' X: a',
    'X: a\r\n\tfolded',
    `X: a\r\n ${SMUGGLED.replaceAll('\r\n', '\r\n ').trimEnd()}`,
    'X: a\n\nGET /unload?smuggled HTTP/1.1',
    'X: a\r\rGET /unload?smuggled HTTP/1.1',
    'Connection: content-length, content-type, host',
    'Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__',
    'Expect: 100-continue',
    'Expect: anything',
    'Trailer: Content-Length',
    'TE: trailers, chunked',
  ].map((line): [string, string] => [
    JSON.stringify(line),
    post([line, `Content-Length: ${LENGTH}`], allowedBody + SMUGGLED),
  ]),
  ...[
    `+${SIZE}\r\n${allowedBody}\r\n0\r\n\r\n`,
    `0x${SIZE}\r\n${allowedBody}\r\n0\r\n\r\n`,
    `-${SIZE}\r\n${allowedBody}\r\n0\r\n\r\n`,
    ` ${SIZE}\r\n${allowedBody}\r\n0\r\n\r\n`,
    `${SIZE} \r\n${allowedBody}\r\n0\r\n\r\n`,
    `000${SIZE}\r\n${allowedBody}\r\n000\r\n\r\n`,
    `1${'0'.repeat(16)}${SIZE}\r\n${allowedBody}\r\n0\r\n\r\n`,
    `${SIZE}\n${allowedBody}\n0\n\n`,
    `${SIZE}\r${allowedBody}\r0\r\r`,
    `${SIZE};x\n\r\n${allowedBody}\r\n0\r\n\r\n`,
    `${SIZE};x="\r\n${allowedBody}\r\n0\r\n\r\n`,
    `${SIZE}\r\n${allowedBody}0\r\n\r\n`,
    `${SIZE}\r\n${allowedBody}xx0\r\n\r\n`,
    `g\r\n${allowedBody}\r\n0\r\n\r\n`,
    `\r\n${allowedBody}\r\n0\r\n\r\n`,
    `${SIZE}\r\n${allowedBody}\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `${SIZE}\r\n${allowedBody}\r\n0\r\nx-api-key: ${KEYS.admin}\r\n\r\n`,
    `${SIZE}\r\n${allowedBody}\r\n0\r\n`,
    `${(LENGTH + 9).toString(16)}\r\n${allowedBody}`,
  ].map((body): [string, string] => [
    `chunks written as ${JSON.stringify(body.replace(allowedBody, '…'))}`,
    post(['Transfer-Encoding: chunked'], body + SMUGGLED),
  ]),
  ['no length at all', post([], allowedBody + SMUGGLED)],
  ['a length that is too short', post([`Content-Length: ${LENGTH - 5}`], allowedBody + SMUGGLED)],
  ['a smuggled request as body', post([`Content-Length: ${SMUGGLED.length}`], SMUGGLED)],
  [
    'a list with a smuggled request as body',
    `GET /v1/models HTTP/1.1\r\n${HEAD_LINES.join('\r\n')}\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  ],
  [
    'a probe with a smuggled request in chunks',
    `GET /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  ],
  ['line breaks before the request', `\r\n\r\n${post([], SMUGGLED)}`],
  [
    'bare line feeds throughout',
    post([`Content-Length: ${LENGTH}`], allowedBody + SMUGGLED).replaceAll('\r\n', '\n'),
  ],
  ['bare carriage returns throughout', post([], SMUGGLED).replaceAll('\r\n', '\r')],
  ...[
    `POST  ${CHAT} HTTP/1.1`,
    `POST\t${CHAT}\tHTTP/1.1`,
    `POST ${CHAT} /unload?smuggled HTTP/1.1`,
    `POST ${CHAT}\x00 HTTP/1.1`,
    `POST ${CHAT}\r/unload?smuggled HTTP/1.1`,
    `POST ${CHAT} HTTP/1.1x`,
    `POST ${CHAT} HTTP/1.2`,
    `POST ${CHAT} HTTP/2.0`,
    `POST ${CHAT} http/1.1`,
    ` POST ${CHAT} HTTP/1.1`,
    `POST\x00 ${CHAT} HTTP/1.1`,
  ].map((first): [string, string] => [
    `a first line like ${JSON.stringify(first)}`,
    post([`Content-Length: ${LENGTH}`], allowedBody + SMUGGLED, first),
  ]),
  ['HTTP/0.9', 'GET /unload?smuggled\r\n'],
  ['the preface of HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${SMUGGLED}`],
]

/** Sends pieces on one connection, each when the one before was answered or is not going to be. */
async function sendInTurn(url: string, pieces: string[]): Promise<void> {
  const connection = await openRaw(url)
  for (const piece of pieces) {
    const before = connection.received().length
    await connection.write(Buffer.from(piece, 'latin1'))
    const answered = (received: Buffer) => received.length > before
    await connection.readUntil(answered, 30).catch(() => {})
  }
  connection.destroy()
}

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let wire: Wire
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    wire = await startWire(upstream)
    gate = await harness.start({ upstream: { url: wire.url }, ...ROOMY })
  })
  afterEach(() => upstream.reset())
  afterAll(async () => {
    await gate.stop()
    await wire.stop()
    await upstream.stop()
  })

  function send(request: RawRequest): Promise<RawAnswer> {
    return sendRaw(gate.url, rawRequest(request))
  }

  /** The status, and what came through. */
  async function outcome(request: RawRequest): Promise<[number, Passed[]]> {
    const { status } = await send(request)
    return [status, passedTo(upstream)]
  }

  describe('a key for one model', () => {
    const limited = bearer(KEYS.limited)
    const json = { ...limited, 'Content-Type': 'application/json' }

    test.each(BODIES)('gets nothing for a body with %s', async (_what, body, status) => {
      expect(await outcome({ target: CHAT, headers: json, body })).toEqual([status, []])
    })

    test.each(HARMLESS_BODIES)('may send %s', async (_what, body) => {
      expect(await outcome({ target: CHAT, headers: json, body })).toEqual([
        200,
        [passedJson(`POST ${CHAT}`, body)],
      ])
    })

    test.each(JSON_ROUTES)('reaches only its own model at POST %s', async (path) => {
      const target = `${path}?model=${FORBIDDEN}`
      const headers = { ...limited, 'Content-Type': 'text/plain' }
      expect(await outcome({ target, headers, body: forbiddenBody })).toEqual([404, []])
      expect(await outcome({ target, headers, body: allowedBody })).toEqual([
        200,
        [passedJson(`POST ${path}`, allowedBody)],
      ])
    })

    describe.each(MEDIA_TYPES)('with %s', (_what, lines) => {
      test.each(QUERIES)('is not let round its list by the query %s', async (query) => {
        const request = { target: CHAT + query, headers: limited, lines, body: allowedBody }
        const [status, passed] = await outcome(request)
        expect([status, passed.map(({ model, type, body }) => ({ model, type, body }))]).toEqual([
          200,
          [{ model: ALLOWED, type: 'application/json', body: allowedBody }],
        ])
        expect(new URL(passed[0]!.call.slice(5), upstream.url).searchParams.has('model')).toBe(
          false,
        )
      })

      test('gets nothing by naming its own model in the query', async () => {
        const target = `${CHAT}?model=${ALLOWED}`
        const request = { target, headers: limited, lines, body: forbiddenBody }
        expect(await outcome(request)).toEqual([404, []])
      })
    })

    test.each(UPLOADS)('gets nothing for an upload with %s', async (...upload) => {
      const [, type, body, status] = upload
      const headers = { ...limited, 'Content-Type': type }
      expect(await outcome({ target: UPLOAD, headers, body })).toEqual([status, []])
    })

    test('may upload for its own model, whatever the query says', async () => {
      const body = form(field('model', ALLOWED), file)
      const headers = { ...limited, 'Content-Type': 'Multipart/Form-Data;boundary=B' }
      const target = `${UPLOAD}?model=${FORBIDDEN}`
      const type = 'multipart/form-data; boundary="B"'
      expect(await outcome({ target, headers, body })).toEqual([
        200,
        [{ call: `POST ${UPLOAD}`, model: ALLOWED, type, body }],
      ])
    })

    test.each(NAMES)('gets nothing by the name %j, in a body or in a query', async (model) => {
      const inQuery = `/props?model=${encodeURIComponent(model)}`
      const body = JSON.stringify({ model })
      expect(await outcome({ target: CHAT, headers: json, body })).toEqual([404, []])
      expect(await outcome({ target: inQuery, headers: limited })).toEqual([404, []])
    })

    test.each(['/props', '/v1/audio/voices', '/sdapi/v1/loras'])(
      'reaches only its own model at GET and HEAD %s',
      async (path) => {
        const tries: [query: string, status: number][] = [
          [`?model=${FORBIDDEN}`, 404],
          [`?model=${ALLOWED}&model=${FORBIDDEN}`, 400],
          [`?model=${FORBIDDEN}&model=${ALLOWED}`, 400],
          [`?model=${ALLOWED}&mod%65l=${FORBIDDEN}`, 400],
          ['?model=', 400],
          ['', 400],
        ]
        for (const [query, status] of tries)
          for (const method of ['GET', 'HEAD'])
            expect(await outcome({ method, target: path + query, headers: limited })).toEqual([
              status,
              [],
            ])
        const call = `GET ${path}?model=${ALLOWED}`
        expect(await outcome({ target: call.slice(4), headers: limited })).toEqual([
          200,
          [{ call, model: ALLOWED, type: undefined, body: '' }],
        ])
      },
    )

    test('cannot hide another model in the body of a GET', async () => {
      const target = `/props?model=${ALLOWED}`
      const request = { method: 'GET', target, headers: json, body: forbiddenBody }
      await send(request)
      const passed = passedTo(upstream).map(({ call, model, body }) => ({ call, model, body }))
      expect(passed).toEqual([{ call: `GET ${target}`, model: ALLOWED, body: '' }])
    })
  })

  describe.each([
    ['with a key', bearer(KEYS.user)],
    ['with a key for one model', bearer(KEYS.limited)],
    ['without a key', {}],
  ])('%s', (_who, headers) => {
    test.each(PATHS)('nothing is reached at the path %s', async (target) => {
      await send({ target, headers })
      expect([passedTo(upstream), upstream.loaded()]).toEqual([[], FORBIDDEN])
    })

    test.each(['/unload', `/upstream/${FORBIDDEN}/props`, '/logs', '/api/captures/1'])(
      'no method changes what %s is for',
      async (target) => {
        const override = { ...headers, 'X-HTTP-Method-Override': 'GET' }
        for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'get', 'head', 'PROPFIND', 'UNLOAD'])
          await send({ method, target, headers: override })
        expect([passedTo(upstream), upstream.loaded()]).toEqual([[], FORBIDDEN])
      },
    )

    test('no protocol can be changed', async () => {
      for (const target of ['/v1/responses', '/api/events', `/upstream/${FORBIDDEN}/ws`]) {
        const upgrade = {
          ...headers,
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        }
        expect([target, ...(await outcome({ target, headers: upgrade }))]).toEqual([
          target,
          426,
          [],
        ])
      }
    })

    test('no tunnel can be opened', async () => {
      const connection = await openRaw(
        gate.url,
        rawRequest({ method: 'CONNECT', target: new URL(upstream.url).host, headers }),
      )
      await Promise.race([connection.peerEnded, sleep(100)])
      await connection.write(SMUGGLED)
      await Promise.race([connection.peerEnded, sleep(50)])
      connection.destroy()
      expect([passedTo(upstream), upstream.loaded()]).toEqual([[], FORBIDDEN])
    })
  })

  test.each(WAYS_OUT)(
    'a page of another site cannot use a password by way of %s',
    async (target) => {
      await send({ target, headers: { Authorization: `Basic ${btoa(`me:${KEYS.admin}`)}` } })
      expect([passedTo(upstream), upstream.loaded()]).toEqual([[], FORBIDDEN])
    },
  )

  test('the paths that are closed to a user are open to an administrator', async () => {
    const headers = bearer(KEYS.admin)
    expect(await outcome({ target: '/unload', headers })).toEqual([
      200,
      [{ call: 'GET /unload', model: undefined, type: undefined, body: '' }],
    ])
    expect(upstream.loaded()).toBeUndefined()
  })

  describe('the Host field', () => {
    const target = `/props?model=${ALLOWED}`
    const lines = [`Authorization: Bearer ${KEYS.limited}`]

    test.each(HOSTS)('cannot choose the path as %j', async (host) => {
      const { status } = await send({ target, lines: [`Host: ${host}`, ...lines] })
      const reached = passedTo(upstream).map(({ call }) => call)
      expect(reached).toEqual(status === 200 ? [`GET ${target}`] : [])
    })

    test.each([
      ['missing', `GET ${target} HTTP/1.1\r\n`],
      ['missing in HTTP/1.0', `GET ${target} HTTP/1.0\r\n`],
      ['given twice', `GET ${target} HTTP/1.1\r\nHost: a\r\nHost: b/unload?\r\n`],
      ['not that of the target', `GET http://a${target} HTTP/1.1\r\nHost: b/unload?\r\n`],
    ])('cannot choose the path when it is %s', async (_what, head) => {
      await sendRaw(gate.url, `${head}${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`)
      const reached = passedTo(upstream).map(({ call }) => call)
      expect([[], [`GET ${target}`]]).toContainEqual(reached)
    })
  })

  describe('a credential', () => {
    test.each(CREDENTIALS)('is refused as %s', async (_what, lines, status) => {
      const target = `${CHAT}?key=${KEYS.limited}&api_key=${KEYS.limited}`
      expect(await outcome({ target, lines, body: allowedBody })).toEqual([status, []])
    })

    test.each(GOOD_CREDENTIALS)('is accepted as %s', async (_what, lines) => {
      expect(await outcome({ target: CHAT, lines, body: allowedBody })).toEqual([
        200,
        [passedJson(`POST ${CHAT}`, allowedBody)],
      ])
    })
  })

  describe('a request that ends in two places', () => {
    test.each(SMUGGLING)('smuggles nothing: %s', async (_what, bytes) => {
      const apart = bytes.endsWith(SMUGGLED) ? [bytes.slice(0, -SMUGGLED.length), SMUGGLED] : []
      await sendInTurn(gate.url, [bytes])
      await sendInTurn(gate.url, apart)
      // What is left on the gate's own connections would spoil the next request of someone else.
      const next = await send({ target: CHAT, headers: bearer(KEYS.user), body: forbiddenBody })
      const own = passedJson(`POST ${CHAT}`, allowedBody)
      const others = passedTo(upstream).filter((each) => !isDeepStrictEqual(each, own))
      const itself = { ...own, model: FORBIDDEN, body: forbiddenBody }
      expect([next.status, others]).toEqual([200, [itself]])
      expect(wire.sent()).not.toContain('smuggled')
    })

    test('reaches upstream with one length and no other framing', async () => {
      for (const [, bytes] of SMUGGLING.filter(([, text]) => text.endsWith(SMUGGLED)))
        await sendInTurn(gate.url, [bytes.slice(0, -SMUGGLED.length)])
      await send({ target: CHAT, headers: bearer(KEYS.limited), body: allowedBody })
      const framings = callsTo(upstream)
        .filter(({ method }) => method === 'POST')
        .map(({ headers }) => [headers['content-length'], headers['transfer-encoding']])
      expect(framings.length).toBeGreaterThan(1)
      expect(new Set(framings.map(String))).toEqual(new Set([`${LENGTH},`]))
    })
  })
})
