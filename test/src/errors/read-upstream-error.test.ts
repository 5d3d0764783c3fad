import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Dialect } from '../../../src/dialects/dialect.ts'
import type { GateError } from '../../../src/errors/gate-error.ts'
import {
  readUpstreamError,
  type ReadError,
  type UpstreamAnswer,
} from '../../../src/errors/read-upstream-error.ts'
import { refusalOf } from '../../../src/errors/refusal.ts'
import { overflowBody } from '../../support/look-alike/error-answers.ts'
import { RETRY_TRIGGERS, retryTriggersIn } from './opencode-retry.ts'

const DIALECTS: readonly Dialect[] = ['openai', 'anthropic']

function read(
  status: number,
  body: string,
  rest: Partial<UpstreamAnswer> & { dialect?: Dialect } = {},
): ReadError {
  const { dialect = 'openai', ...answer } = rest
  return readUpstreamError(
    { status, body, retryAfter: undefined, model: 'gpt-oss', ...answer },
    dialect,
  )
}

function bodyIn(dialect: Dialect, error: GateError): unknown {
  return JSON.parse(new TextDecoder().decode(refusalOf(error, dialect).body))
}

/** How llama-swap and llama-server have written the same words. */
const SHAPES: ReadonlyArray<readonly [name: string, write: (message: string) => string]> = [
  [
    "llama-swap's envelope",
    (message) =>
      JSON.stringify({
        src: 'llama-swap',
        error: { message, type: 'server_error', param: null, code: 'internal_error' },
      }),
  ],
  ['the string of older versions', (error) => JSON.stringify({ src: 'llama-swap', error })],
  ['plain text', (message) => `llama-swap: ${message}\n`],
  ['a page', (message) => `<html><body><h1>llama-swap: ${message}</h1></body></html>`],
  [
    "llama-server's envelope",
    (message) => JSON.stringify({ error: { code: 500, message, type: 'server_error' } }),
  ],
]

/** What each answer of upstream means, told by its status and words alone. */
const MEANINGS: ReadonlyArray<readonly [status: number, message: string, error: GateError]> = [
  [401, 'unauthorized: invalid or missing API key', { kind: 'upstream-key-refused' }],
  [401, 'Invalid API Key', { kind: 'upstream-key-refused' }],
  [403, 'forbidden', { kind: 'upstream-key-refused' }],
  [407, 'proxy', { kind: 'upstream-key-refused' }],
  [404, 'no router for requested model', { kind: 'model-unknown', model: 'gpt-oss' }],
  [404, 'model not found', { kind: 'model-unknown', model: 'gpt-oss' }],
  [404, 'no model id could be identified', { kind: 'model-missing' }],
  [413, '', { kind: 'body-too-large' }],
  [429, 'Too many requests', { kind: 'upstream-busy', retryAfterSeconds: 1 }],
  [
    500,
    'unspecific error: upstream command exited prematurely',
    {
      kind: 'model-load-failed',
    },
  ],
  [500, 'unspecific error: health check timed out after 15s', { kind: 'model-load-failed' }],
  [
    500,
    'unspecific error: group: model unloaded',
    {
      kind: 'model-loading',
      retryAfterSeconds: 1,
    },
  ],
  [
    500,
    'unspecific error: group is shutting down',
    { kind: 'model-loading', retryAfterSeconds: 1 },
  ],
  [503, '[a] process is not ready', { kind: 'model-loading', retryAfterSeconds: 1 }],
  [503, 'Loading model', { kind: 'model-loading', retryAfterSeconds: 1 }],
  [
    502,
    'peer proxy error: dial tcp 10.0.0.7:8080: connect: connection refused',
    { kind: 'upstream-broken' },
  ],
  [504, 'gateway timeout', { kind: 'upstream-timeout' }],
]

describe.each(SHAPES)('in %s', (_name, write) => {
  test.each(MEANINGS)('%d "%s" is understood', (status, message, error) => {
    expect(read(status, write(message))).toEqual({ kind: 'error', error })
  })
})

describe('an answer without words', () => {
  test.each<[number, GateError]>([
    [502, { kind: 'upstream-broken' }],
    [503, { kind: 'model-loading', retryAfterSeconds: 1 }],
    [504, { kind: 'upstream-timeout' }],
    [413, { kind: 'body-too-large' }],
    [
      500,
      { kind: 'upstream-refused', status: 500, message: 'The model server refused the request.' },
    ],
    [
      404,
      { kind: 'upstream-refused', status: 404, message: 'The model server refused the request.' },
    ],
  ])('%d is understood by its status', (status, error) => {
    expect(read(status, '')).toEqual({ kind: 'error', error })
  })
})

describe('what upstream says of the request itself is passed on', () => {
  test("with llama-server's message and type", () => {
    const body =
      '{"error":{"code":400,"message":"\'messages\' is required","type":"invalid_request_error"}}'
    expect(read(400, body)).toEqual({
      kind: 'error',
      error: {
        kind: 'upstream-refused',
        status: 400,
        message: "'messages' is required",
        type: 'invalid_request_error',
      },
    })
  })

  test("with llama-swap's message, type and code", () => {
    const message = 'model b-slow is not loaded; path matches upstream.ignorePaths'
    const error = { message, type: 'invalid_request_error', param: null, code: 'conflict' }
    expect(read(409, JSON.stringify({ src: 'llama-swap', error }))).toEqual({
      kind: 'error',
      error: {
        kind: 'upstream-refused',
        status: 409,
        message,
        type: 'invalid_request_error',
        code: 'conflict',
      },
    })
  })

  test('as a missing feature with its 501', () => {
    const body =
      '{"error":{"code":501,"message":"This server does not support embeddings","type":"not_supported_error"}}'
    expect(read(501, body)).toEqual({
      kind: 'error',
      error: {
        kind: 'upstream-refused',
        status: 501,
        message: 'This server does not support embeddings',
        type: 'not_supported_error',
      },
    })
  })

  test('as a failure of the model with its 500', () => {
    const body =
      '{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}'
    expect(read(500, body)).toEqual({
      kind: 'error',
      error: {
        kind: 'upstream-refused',
        status: 500,
        message: 'Context size has been exceeded.',
        type: 'server_error',
      },
    })
  })

  test('as plain text', () => {
    expect(read(405, 'Method Not Allowed\n')).toEqual({
      kind: 'error',
      error: { kind: 'upstream-refused', status: 405, message: 'Method Not Allowed' },
    })
  })

  test('but a message without end or a page is not', () => {
    const refused: ReadError = {
      kind: 'error',
      error: {
        kind: 'upstream-refused',
        status: 400,
        message: 'The model server refused the request.',
      },
    }
    expect([
      read(400, 'x'.repeat(2001)),
      read(400, '<!doctype html><title>Bad</title>'),
      read(400, '{"error":{"message":17}}'),
      read(400, '{"error":{}}'),
    ]).toEqual([refused, refused, refused, refused])
  })
})

describe('an input over the physical batch size', () => {
  const message =
    'input (1204 tokens) is too large to process. increase the physical batch size (current batch size: 512)'
  const body = JSON.stringify({ error: { code: 500, message, type: 'server_error' } })

  test('is the fault of the request, not of the server, so that nobody repeats it', () => {
    expect(read(500, body)).toEqual({
      kind: 'error',
      error: { kind: 'upstream-refused', status: 400, message },
    })
  })

  test.each(DIALECTS)(
    'holds nothing on which OpenCode retries, in the dialect of %s',
    (dialect) => {
      const result = read(500, body, { dialect })
      expect(result.kind === 'error' && refusalOf(result.error, dialect).status).toBe(400)
      expect(
        result.kind === 'error' && retryTriggersIn(JSON.stringify(bodyIn(dialect, result.error))),
      ).toEqual([])
    },
  )
})

describe('a prompt that is longer than the context', () => {
  test('goes to OpenAI clients byte for byte', () => {
    expect(read(400, overflowBody(4923, 256))).toEqual({
      kind: 'as-is',
      overflow: { prompt: 4923, context: 256 },
    })
  })

  test('becomes the words of Anthropic for its clients', () => {
    const error: GateError = {
      kind: 'prompt-too-long',
      message: 'prompt is too long: 4923 tokens > 256 maximum',
    }
    expect(read(400, overflowBody(4923, 256), { dialect: 'anthropic' })).toEqual({
      kind: 'error',
      error,
      overflow: { prompt: 4923, context: 256 },
    })
    expect(bodyIn('anthropic', error)).toEqual({
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: 'prompt is too long: 4923 tokens > 256 maximum',
      },
    })
  })

  test('says so without numbers when upstream gave none', () => {
    const body = '{"error":{"message":"too long","type":"exceed_context_size_error"}}'
    expect(read(400, body, { dialect: 'anthropic' })).toEqual({
      kind: 'error',
      error: { kind: 'prompt-too-long', message: 'prompt is too long' },
      overflow: { prompt: undefined, context: undefined },
    })
  })

  test('is told by its type, not by words that a client could have sent', () => {
    const body = JSON.stringify({
      error: { message: 'exceeds the available context size', type: 'invalid_request_error' },
    })
    expect(read(400, body)).toMatchObject({ kind: 'error', error: { kind: 'upstream-refused' } })
  })
})

describe('Retry-After', () => {
  test.each([
    ['3', 3],
    ['0', 1],
    ['-5', 1],
    ['', 1],
    [undefined, 1],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 1],
    ['1e300', 1],
    ['Infinity', 1],
    ['0x10', 1],
  ])('%j means %d seconds', (retryAfter, retryAfterSeconds) => {
    expect(read(429, 'Too many requests', { retryAfter })).toEqual({
      kind: 'error',
      error: { kind: 'upstream-busy', retryAfterSeconds },
    })
  })

  test('counts for a model that is loading, too', () => {
    expect(read(503, '', { retryAfter: '7' })).toEqual({
      kind: 'error',
      error: { kind: 'model-loading', retryAfterSeconds: 7 },
    })
  })

  test('leaves the gate as whole numbers, whatever came', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.nat().map(String)), (after) => {
        const result = read(503, '', { retryAfter: after })
        const headers =
          result.kind === 'error'
            ? Object.fromEntries(refusalOf(result.error, 'openai').headers)
            : {}
        expect(headers['retry-after']).toMatch(/^\d+$/)
        expect(headers['retry-after-ms']).toMatch(/^\d+$/)
      }),
    )
  })
})

describe("nothing of the owner's network leaks", () => {
  const host = fc.constantFrom(
    '10.0.0.7',
    '192.168.178.20',
    'localhost',
    'gpu-box',
    'gpu-box.lan',
    'nas.example.internal',
    '[::1]',
    '[fe80::1%eth0]',
    '[2001:db8::17]',
  )
  const port = fc.integer({ min: 1024, max: 65_535 })
  const errno = fc.constantFrom(
    'ECONNREFUSED',
    'ECONNRESET',
    'ETIMEDOUT',
    'ENOTFOUND',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'EPIPE',
    'EADDRINUSE',
    'EAI_AGAIN',
    'ECONNABORTED',
  )
  const place = fc.record({ host, port, other: host, otherPort: port, errno })
  type Place = typeof place extends fc.Arbitrary<infer T> ? T : never

  const TEMPLATES: ReadonlyArray<readonly [name: string, say: (at: Place) => string]> = [
    ['a refused dial', ({ host: h, port: p }) => `dial tcp ${h}:${p}: connect: connection refused`],
    [
      'a read of a broken connection',
      (at) =>
        `read tcp ${at.host}:${at.port}->${at.other}:${at.otherPort}: read: connection reset by peer`,
    ],
    ['a failed look-up', (at) => `dial tcp: lookup ${at.host} on ${at.other}:53: no such host`],
    ['a look-up without dial', (at) => `lookup ${at.host}: no such host`],
    ['a URL', ({ host: h, port: p }) => `Post "http://${h}:${p}/v1/chat/completions": EOF`],
    ['an errno of Node', (at) => `connect ${at.errno} ${at.host}:${at.port}`],
    ['an errno alone', (at) => `getaddrinfo ${at.errno} ${at.host}`],
    ['an errno of Python', (at) => `[Errno 111] cannot connect to ${at.host}`],
    ['an errno of Rust', (at) => `error sending request to ${at.host} (os error 111)`],
    ['host and port', (at) => `upstream ${at.host}:${at.port} gave no answer`],
    ['host and port apart', (at) => `Failed to connect to ${at.host} port ${at.port}`],
    ['a certificate', (at) => `x509: certificate is valid for ${at.other}, not ${at.host}`],
  ]
  const status = fc.constantFrom(400, 401, 404, 409, 413, 422, 429, 500, 501, 502, 503, 504, 507)

  test.each(TEMPLATES)('from %s', (_name, say) => {
    fc.assert(
      fc.property(place, status, fc.constantFrom(...SHAPES), (at, code, [, write]) => {
        for (const dialect of DIALECTS) {
          const result = read(code, write(say(at)), { dialect })
          const text = result.kind === 'error' ? JSON.stringify(bodyIn(dialect, result.error)) : ''
          const secrets = [at.host, at.other, `${at.port}`, `${at.otherPort}`, at.errno, '111']
          expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
        }
      }),
    )
  })

  test('not by the type or the code of an error either', () => {
    fc.assert(
      fc.property(place, status, (at, code) => {
        const error = { message: 'No.', type: `${at.host}:${at.port}`, code: at.errno }
        for (const dialect of DIALECTS) {
          const result = read(code, JSON.stringify({ error }), { dialect })
          const text = result.kind === 'error' ? JSON.stringify(bodyIn(dialect, result.error)) : ''
          expect([at.host, `${at.port}`, at.errno].filter((leak) => text.includes(leak))).toEqual(
            [],
          )
        }
      }),
    )
  })

  test('and ordinary messages are not mistaken for addresses', () => {
    const messages = [
      "Field 'n': Value must be between 1 <= value <= 1",
      '[json.exception.parse_error.101] parse error at line 1, column 12: syntax error',
      'Cannot have 2 or more assistant messages at the end of the list.',
      'model qwen3:30b does not support tools',
      'Unsupported param: tools, "code":12',
      'tools param requires --jinja flag',
    ]
    const said = messages.map((message) => read(400, JSON.stringify({ error: { message } })))
    expect(said).toEqual(
      messages.map((message) => ({
        kind: 'error',
        error: { kind: 'upstream-refused', status: 400, message },
      })),
    )
  })
})

describe('whatever upstream answers', () => {
  const text = fc.oneof(
    fc.constantFrom(...RETRY_TRIGGERS),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('model not found', 'exceed_context_size_error', 'shutting down', '<'),
  )
  const error = fc.oneof(
    text,
    fc.jsonValue(),
    fc.record({
      message: fc.oneof(text, fc.jsonValue()),
      type: text,
      code: fc.oneof(text, fc.nat()),
    }),
  )
  const body = fc.oneof(
    text,
    fc.json(),
    error.map((said) => JSON.stringify({ error: said })),
  )
  const status = fc.integer({ min: 400, max: 599 })

  test('is read without an exception, and what is final holds nothing on which OpenCode retries', () => {
    fc.assert(
      fc.property(status, body, fc.constantFrom(...DIALECTS), (code, answer, dialect) => {
        const result = read(code, answer, { dialect })
        fc.pre(result.kind === 'error')
        const refusal = refusalOf(result.error, dialect)
        fc.pre(refusal.status < 500)
        expect(retryTriggersIn(new TextDecoder().decode(refusal.body))).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })

  test('a final status stays final', () => {
    fc.assert(
      fc.property(fc.integer({ min: 400, max: 499 }), body, (code, answer) => {
        fc.pre(![401, 403, 407, 429].includes(code))
        const result = read(code, answer)
        const refused = result.kind === 'error' ? refusalOf(result.error, 'openai').status : 400
        expect(refused).toBeLessThan(500)
      }),
    )
  })
})
