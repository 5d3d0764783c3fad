import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startForwarder, type Forwarder } from '../support/forwarder.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import type { Behaviour } from '../support/look-alike/behaviour.ts'
import {
  concurrencyLimit,
  empty502,
  llamaServerError,
  llamaSwapError,
  loadFailure,
  oldStringError,
  overflow,
  overflowBody,
  plainTextError,
} from '../support/look-alike/error-answers.ts'
import type { RecordedRequest } from '../support/look-alike/recorded-request.ts'
import { openRaw, sendRaw } from '../support/raw-http.ts'
import { headerValue, textOf, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawJsonPost } from '../support/raw-http/raw-request.ts'
import { acquaint, callsTo, harnesses, KEYS, ROOMY } from './gates.ts'

const CHAT = '/v1/chat/completions'
const MESSAGES = '/v1/messages'
const ASK = { model: 'gpt-oss-120b', messages: [{ role: 'user', content: 'hi' }], prompt: 'hi' }

function request(path: string, stream = false): Buffer {
  return rawJsonPost(path, { ...ASK, stream }, { Authorization: `Bearer ${KEYS.user}` })
}

/** The fields of a refusal that tell a client what to do next; absent ones are left out. */
const TELLING = [
  'content-type',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'www-authenticate',
]

type Seen = { status: number; headers: Record<string, string>; body: string; ending: string }

function seenIn(answer: RawAnswer): Seen {
  const told = TELLING.map((name) => [name, headerValue(answer, name)] as const)
  return {
    status: answer.status,
    headers: Object.fromEntries(
      told.filter((pair): pair is [string, string] => pair[1] !== undefined),
    ),
    body: textOf(answer),
    ending: answer.ending,
  }
}

type Row = {
  what: string
  /** What upstream does to the request, once for each time that it is sent. */
  does: Behaviour[]
  status: number
  /** The refusal in OpenAI's words. */
  openai: { message: string; type: string; code: string }
  /** Its type in Anthropic's words. */
  anthropic: string
  retry: Record<string, string>
}

const FINAL = { 'x-should-retry': 'false' }
const AT_WILL = {}
function after(seconds: number): Record<string, string> {
  return { 'retry-after': `${seconds}`, 'retry-after-ms': `${seconds * 1000}` }
}

const fault = 'server_error'
const invalid = 'invalid_request_error'

const UNKNOWN_MODEL = {
  message: 'Unknown model "gpt-oss-120b". GET /v1/models lists what this key may use.',
  type: 'not_found_error',
  code: 'model_not_found',
}
const LOAD_FAILED = {
  message:
    'The model could not be loaded. The owner of the gate can see why in the log of llama-swap.',
  type: fault,
  code: 'model_load_failed',
}
const LOADING = { message: 'The model is being loaded.', type: fault, code: 'model_loading' }
const BUSY = {
  message: 'The model server has no free place for this model right now.',
  type: fault,
  code: 'upstream_busy',
}
const BROKEN = {
  message: 'The model server broke the connection before it answered.',
  type: fault,
  code: 'upstream_failed',
}
const UNREACHABLE = {
  message:
    'The model server behind this gate is not reachable. It may be starting; the owner of the gate can see why in its log.',
  type: fault,
  code: 'upstream_unavailable',
}
const KEY_REFUSED = {
  message:
    'The model server refused the key of this gate (not yours). The owner must set upstream.apiKey (UPSTREAM_API_KEY) to a key of llama-swap, or of the gate in front of it.',
  type: fault,
  code: 'upstream_key_refused',
}

const notFound = { type: invalid, code: 'not_found' }
const internal = { type: fault, code: 'internal_error' }

const NOBODY = {
  status: 503,
  openai: UNREACHABLE,
  anthropic: 'overloaded_error',
  retry: after(5),
}
const LATE = {
  status: 504,
  openai: {
    message:
      'The model server did not answer in time (timeouts.upstreamHeadersMs; for a list ten seconds).',
    type: fault,
    code: 'upstream_timeout',
  },
  anthropic: 'api_error',
  retry: AT_WILL,
}
const LOGIN = {
  status: 502,
  openai: {
    message:
      'What answers behind this gate does not answer as llama-swap does. The owner must point UPSTREAM_URL at llama-swap itself, without /v1; if a tunnel on the way asks for a service token, it belongs into upstream.headers.',
    type: fault,
    code: 'upstream_misconfigured',
  },
  anthropic: 'api_error',
  retry: FINAL,
}

const ROWS: Row[] = [
  // llama-swap's envelope.
  {
    what: 'a model that llama-swap does not know',
    does: [llamaSwapError(404, 'no router for requested model', notFound)],
    status: 404,
    openai: UNKNOWN_MODEL,
    anthropic: 'not_found_error',
    retry: FINAL,
  },
  {
    what: 'a load that failed',
    does: [loadFailure()],
    status: 503,
    openai: LOAD_FAILED,
    anthropic: 'api_error',
    retry: { ...after(30), ...FINAL },
  },
  {
    what: 'a load that took too long',
    does: [loadFailure('unspecific error: health check timed out after 15s')],
    status: 503,
    openai: LOAD_FAILED,
    anthropic: 'api_error',
    retry: { ...after(30), ...FINAL },
  },
  {
    what: 'a model that was unloaded while the request waited',
    does: [llamaSwapError(500, 'unspecific error: group: model unloaded', internal)],
    status: 503,
    openai: LOADING,
    anthropic: 'overloaded_error',
    retry: after(1),
  },
  {
    what: 'too many requests at once',
    does: [concurrencyLimit()],
    status: 503,
    openai: BUSY,
    anthropic: 'overloaded_error',
    retry: after(1),
  },
  {
    what: 'a peer that llama-swap cannot reach',
    does: [
      llamaSwapError(
        502,
        'peer proxy error: dial tcp 192.168.7.9:8080: connect: connection refused',
        { type: fault, code: 'bad_gateway' },
      ),
    ],
    status: 502,
    openai: BROKEN,
    anthropic: 'api_error',
    retry: AT_WILL,
  },
  {
    what: "the gate's own key refused by llama-swap",
    does: [
      {
        ...llamaSwapError(401, 'unauthorized: invalid or missing API key', {
          type: 'authentication_error',
          code: 'unauthorized',
        }),
        headers: [
          ['content-type', 'application/json'],
          ['www-authenticate', 'Basic realm="llama-swap"'],
        ],
      },
    ],
    status: 502,
    openai: KEY_REFUSED,
    anthropic: 'api_error',
    retry: FINAL,
  },
  // llama-server's envelope.
  {
    what: 'a field that llama-server misses',
    does: [llamaServerError(400, "'messages' is required", invalid)],
    status: 400,
    openai: { message: "'messages' is required", type: invalid, code: 'upstream_error' },
    anthropic: invalid,
    retry: FINAL,
  },
  {
    what: 'a model that llama-server still loads',
    does: [llamaServerError(503, 'Loading model', 'unavailable_error')],
    status: 503,
    openai: LOADING,
    anthropic: 'overloaded_error',
    retry: after(1),
  },
  {
    what: 'a context that ran full while generating',
    does: [llamaServerError(500, 'Context size has been exceeded.', fault)],
    status: 500,
    openai: { message: 'Context size has been exceeded.', type: fault, code: 'upstream_error' },
    anthropic: 'api_error',
    retry: AT_WILL,
  },
  {
    what: 'something that the model was not started for',
    does: [
      llamaServerError(501, 'This server does not support embeddings.', 'not_supported_error'),
    ],
    status: 501,
    openai: {
      message: 'This server does not support embeddings.',
      type: 'not_supported_error',
      code: 'upstream_error',
    },
    anthropic: 'api_error',
    retry: FINAL,
  },
  {
    what: 'an input beyond the batch size, which llama-server calls its own fault',
    does: [
      llamaServerError(
        500,
        'input (1204 tokens) is too large to process. increase the physical batch size (current batch size: 512)',
        fault,
      ),
    ],
    status: 400,
    openai: {
      message:
        'input (1204 tokens) is too large to process. increase the physical batch size (current batch size: 512)',
      type: invalid,
      code: 'upstream_error',
    },
    anthropic: invalid,
    retry: FINAL,
  },
  {
    what: "a refusal of the gate's key by a bare llama-server",
    does: [llamaServerError(401, 'Invalid API Key', 'authentication_error')],
    status: 502,
    openai: KEY_REFUSED,
    anthropic: 'api_error',
    retry: FINAL,
  },
  // The bare string of llama-swap before August 2026.
  {
    what: 'an unknown model in the words of an older llama-swap',
    does: [oldStringError(404, 'no router for requested model')],
    status: 404,
    openai: UNKNOWN_MODEL,
    anthropic: 'not_found_error',
    retry: FINAL,
  },
  {
    what: 'a failed load in the words of an older llama-swap',
    does: [oldStringError(500, 'unspecific error: upstream command exited prematurely')],
    status: 503,
    openai: LOAD_FAILED,
    anthropic: 'api_error',
    retry: { ...after(30), ...FINAL },
  },
  // Plain text.
  {
    what: 'too many requests in plain text, with a longer wait',
    does: [
      {
        ...plainTextError(429, 'Too many requests\n'),
        headers: [
          ['content-type', 'text/plain; charset=utf-8'],
          ['retry-after', '7'],
        ],
      },
    ],
    status: 503,
    openai: BUSY,
    anthropic: 'overloaded_error',
    retry: after(7),
  },
  {
    what: 'a path that llama-swap does not have',
    does: [plainTextError(404, '404 page not found\n')],
    status: 404,
    openai: { message: '404 page not found', type: 'not_found_error', code: 'upstream_error' },
    anthropic: 'not_found_error',
    retry: FINAL,
  },
  // Nothing at all.
  {
    what: 'an empty 502, twice',
    does: [empty502(), empty502()],
    status: 502,
    openai: BROKEN,
    anthropic: 'api_error',
    retry: AT_WILL,
  },
  {
    what: 'an empty 413',
    does: [{ kind: 'answer', status: 413 }],
    status: 413,
    openai: {
      message: 'The request body is larger than this gate accepts (body.maxBytes in config.json).',
      type: invalid,
      code: 'request_too_large',
    },
    anthropic: 'request_too_large',
    retry: FINAL,
  },
  // What some other proxy in between says.
  {
    what: 'a page of a proxy whose other end is down',
    does: [
      {
        kind: 'answer',
        status: 502,
        headers: [['content-type', 'text/html']],
        body: '<html><h1>502 Bad Gateway</h1></html>',
      },
    ],
    ...NOBODY,
  },
  {
    what: 'Cloudflare without a tunnel',
    does: [{ kind: 'answer', status: 530, body: 'error code: 1033' }],
    ...NOBODY,
  },
  {
    what: 'frp without a client',
    does: [
      {
        kind: 'answer',
        status: 404,
        headers: [['content-type', 'text/html']],
        body: '<p>The page you requested was not found.</p><p><em>Faithfully yours, frp.</em></p>',
      },
    ],
    ...NOBODY,
  },
  {
    what: 'Cloudflare whose patience is over',
    does: [{ kind: 'answer', status: 524, headers: [['content-type', 'text/html']] }],
    ...LATE,
  },
  {
    what: 'a login page',
    does: [
      {
        kind: 'answer',
        status: 200,
        headers: [['content-type', 'text/html; charset=utf-8']],
        body: '<html>Sign in</html>',
      },
    ],
    ...LOGIN,
  },
  {
    what: 'the way to a login page',
    does: [{ kind: 'redirect', status: 302, location: 'https://team.example/login?kid=1' }],
    ...LOGIN,
  },
  {
    what: "another proxy's page",
    does: [
      {
        kind: 'answer',
        status: 504,
        headers: [['content-type', 'text/html']],
        body: '<html><h1>504 Gateway Time-out</h1> nginx at http://10.0.0.7</html>',
      },
    ],
    ...LATE,
  },
  {
    what: 'a redirect',
    does: [{ kind: 'redirect', status: 307, location: '/unload' }],
    status: 502,
    openai: BROKEN,
    anthropic: 'api_error',
    retry: AT_WILL,
  },
  // An answer that breaks.
  {
    what: 'an error that breaks off',
    does: [
      {
        kind: 'pieces',
        status: 500,
        headers: [['content-type', 'application/json']],
        pieces: [{ bytes: '{"error":{"message":"half an err' }, { bytes: '', afterMs: 40 }],
        ending: 'reset',
      },
    ],
    status: 502,
    openai: BROKEN,
    anthropic: 'api_error',
    retry: AT_WILL,
  },
]

const CUT = {
  message: 'The model server ended the stream before the answer was complete.',
  type: fault,
  code: 'stream_interrupted',
}

type Told = { message: string; type: string; code: string }

/** The body of a refusal, or the data of an error frame, in the dialect of a path. */
function bodyFor(path: string, { message, type, code }: Told, anthropicType: string): string {
  return path === MESSAGES
    ? JSON.stringify({ type: 'error', error: { type: anthropicType, message } })
    : JSON.stringify({ error: { message, type, param: null, code } })
}

/** What upstream answers when the gate has already begun a stream with its heartbeats. */
const LATE_ROWS: {
  what: string
  does: Behaviour
  /** The error that the client is told. */
  told: Told
  anthropic: string
  /** `broken` where a retry would learn the true status, `complete` where none would help. */
  ending: 'broken' | 'complete'
}[] = [
  {
    what: 'an overflow',
    does: overflow(70_000, 65_536),
    told: CUT,
    anthropic: 'api_error',
    ending: 'broken',
  },
  {
    what: 'a context that ran full',
    does: llamaServerError(500, 'Context size has been exceeded.', fault),
    told: CUT,
    anthropic: 'api_error',
    ending: 'broken',
  },
  {
    what: 'a model that is still loading',
    does: llamaServerError(503, 'Loading model', 'unavailable_error'),
    told: CUT,
    anthropic: 'api_error',
    ending: 'broken',
  },
  {
    what: 'too many requests',
    does: concurrencyLimit(),
    told: CUT,
    anthropic: 'api_error',
    ending: 'broken',
  },
  {
    what: 'an empty 502',
    does: empty502(),
    told: CUT,
    anthropic: 'api_error',
    ending: 'broken',
  },
  {
    what: 'a reset before any header',
    does: { kind: 'reset-before-headers' },
    told: CUT,
    anthropic: 'api_error',
    ending: 'broken',
  },
  {
    what: 'JSON instead of a stream',
    does: {
      kind: 'answer',
      status: 200,
      headers: [['content-type', 'application/json']],
      body: '{}',
    },
    told: CUT,
    anthropic: 'api_error',
    ending: 'broken',
  },
  {
    what: 'an unknown model',
    does: llamaSwapError(404, 'no router for requested model', notFound),
    told: UNKNOWN_MODEL,
    anthropic: 'not_found_error',
    ending: 'complete',
  },
  {
    what: 'a missing field',
    does: llamaServerError(400, "'messages' is required", invalid),
    told: { message: "'messages' is required", type: invalid, code: 'upstream_error' },
    anthropic: invalid,
    ending: 'complete',
  },
  {
    what: 'a failed load',
    does: loadFailure(),
    told: LOAD_FAILED,
    anthropic: 'api_error',
    ending: 'complete',
  },
  {
    what: "a refusal of the gate's own key",
    does: llamaServerError(401, 'Invalid API Key', 'authentication_error'),
    told: KEY_REFUSED,
    anthropic: 'api_error',
    ending: 'complete',
  },
]

const OVERFLOW_ROUTES = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/responses',
  '/completion',
  '/infill',
  '/v/chat/completions',
  '/v1/embeddings',
]

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let late: Forwarder
  let gate: Running
  let beating: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    late = await startForwarder(upstream.url)
    ;[gate, beating] = await Promise.all([
      harness.start({ upstream: { url: upstream.url }, ...ROOMY }),
      harness.start({
        upstream: { url: late.url },
        ...ROOMY,
        heartbeat: { afterMs: 40, everyMs: 40 },
      }),
    ])
    await acquaint(upstream, gate, beating)
  })
  afterEach(() => upstream.reset())
  afterAll(() => Promise.all([gate.stop(), beating.stop(), late.stop(), upstream.stop()]))

  async function seen(path: string, stream: boolean, does: Behaviour[]): Promise<Seen> {
    upstream.behave(...does)
    return seenIn(await sendRaw(gate.url, request(path, stream)))
  }

  /** Closes the connections that the gate keeps for later, so that the next call needs a new one. */
  async function forgetConnections(): Promise<void> {
    upstream.closeIdle()
    await late.stop()
    await late.start()
    await sleep(30)
  }

  /** Holds upstream's words back until the gate has said something, or has had the time for it. */
  async function seenLate(path: string, stream: boolean, does: Behaviour): Promise<Seen> {
    await forgetConnections()
    upstream.behave(does)
    late.hold()
    const client = await openRaw(beating.url, request(path, stream))
    if (stream) await client.readUntil(path === MESSAGES ? PING : COMMENT)
    else await sleep(200)
    late.letThrough()
    const seenThen = seenIn(await client.answer())
    client.close()
    return { ...seenThen, body: beatsOnce(seenThen.body) }
  }

  describe('an error of upstream becomes one of each dialect, streamed or not', () => {
    test.each(ROWS)('$what', async ({ does, status, openai, anthropic, retry }) => {
      const headers = { 'content-type': 'application/json', ...retry }
      const expected = (path: string): Seen => ({
        status,
        headers,
        body: bodyFor(path, openai, anthropic),
        ending: 'complete',
      })
      expect({
        json: [await seen(CHAT, false, does), await seen(MESSAGES, false, does)],
        stream: [await seen(CHAT, true, does), await seen(MESSAGES, true, does)],
        attempts: callsTo(upstream).length,
      }).toEqual({
        json: [expected(CHAT), expected(MESSAGES)],
        stream: [expected(CHAT), expected(MESSAGES)],
        attempts: 4 * does.length,
      })
    })
  })

  describe('an overflow', () => {
    test.each(OVERFLOW_ROUTES)('reaches clients of %s byte for byte', async (path) => {
      const expected = {
        status: 400,
        headers: { 'content-type': 'application/json; charset=utf-8', ...FINAL },
        body: overflowBody(70_000, 65_536),
        ending: 'complete',
      }
      const does = [overflow(70_000, 65_536)]
      expect([await seen(path, false, does), await seen(path, true, does)]).toEqual([
        expected,
        expected,
      ])
    })

    test.each(['/v1/messages', '/v/messages', '/v1/messages/count_tokens'])(
      'reaches clients of %s in the only words that Claude Code understands',
      async (path) => {
        const expected = {
          status: 400,
          headers: { 'content-type': 'application/json', ...FINAL },
          body: '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 70000 tokens > 65536 maximum"}}',
          ending: 'complete',
        }
        const does = [overflow(70_000, 65_536)]
        expect([await seen(path, false, does), await seen(path, true, does)]).toEqual([
          expected,
          expected,
        ])
      },
    )
  })

  describe('the one safe retry', () => {
    const nobody = {
      status: 503,
      headers: { 'content-type': 'application/json', ...after(5) },
      body: bodyFor(CHAT, UNREACHABLE, 'overloaded_error'),
    }
    const COMES_BACK: { what: string; does: Behaviour; twice: object }[] = [
      {
        what: 'an empty 502',
        does: empty502(),
        twice: {
          status: 502,
          headers: { 'content-type': 'application/json' },
          body: bodyFor(CHAT, BROKEN, 'api_error'),
        },
      },
      { what: 'a reset before any header', does: { kind: 'reset-before-headers' }, twice: nobody },
      { what: 'a close before any header', does: { kind: 'close-before-headers' }, twice: nobody },
    ]

    test.each(COMES_BACK)('hides $what: the same request is sent again', async ({ does }) => {
      await forgetConnections()
      const json = await seen(CHAT, false, [does])
      await forgetConnections()
      const stream = await seen(MESSAGES, true, [does])
      const usually = [
        await sendRaw(upstream.url, request(CHAT)),
        await sendRaw(upstream.url, request(MESSAGES, true)),
      ]
      expect([json, stream]).toEqual(usually.map(seenIn))
      const [first, again, third, fourth] = callsTo(upstream).map(asSent)
      expect([again, fourth]).toEqual([first, third])
    })

    test.each(COMES_BACK)(
      'is only one: $what for a second time is told',
      async ({ does, twice }) => {
        await forgetConnections()
        const answer = await seen(CHAT, false, [does, does])
        expect([answer, callsTo(upstream).length]).toEqual([{ ...twice, ending: 'complete' }, 2])
      },
    )

    const own = harness.cannot['retry-once']
    test(`on a kept connection is ${own ? `still not the only one: ${own}` : 'only one, too'}`, async () => {
      const reset: Behaviour = { kind: 'reset-before-headers' }
      await seen(CHAT, false, [{ kind: 'normal' }])
      await seen(CHAT, false, [reset, reset, reset])
      expect(callsTo(upstream).length).toBe(1 + (own ? 3 : 2))
    })

    const NOT_AGAIN: { what: string; does: Behaviour; status: number }[] = [
      { what: 'a failed load', does: loadFailure(), status: 503 },
      {
        what: 'a model that is loading',
        does: llamaServerError(503, 'Loading model', 'unavailable_error'),
        status: 503,
      },
      {
        what: 'a 502 that says something',
        does: llamaSwapError(502, 'peer proxy error', { type: fault, code: 'bad_gateway' }),
        status: 502,
      },
      {
        what: 'an empty 502 of a certain type',
        does: { kind: 'answer', status: 502, headers: [['content-type', 'text/plain']] },
        status: 502,
      },
      {
        what: 'an empty 502 that took its time',
        does: { kind: 'pieces', status: 502, headers: [], pieces: [{ bytes: '', afterMs: 1200 }] },
        status: 502,
      },
      { what: 'an empty 500', does: { kind: 'answer', status: 500 }, status: 500 },
    ]

    test.each(NOT_AGAIN)('is not for $what', async ({ does, status }) => {
      const answer = await seen(CHAT, false, [does])
      expect([answer.status, callsTo(upstream).length]).toEqual([status, 1])
    })
  })

  test('upstream that is down is 503 without a word on where it should be, and needs no restart to come back', async () => {
    const way = await startForwarder(upstream.url)
    await way.stop()
    const away = await harness.start({ upstream: { url: way.url }, ...ROOMY })
    const all = async (): Promise<Seen[]> => {
      const answers: Seen[] = []
      for (const path of [CHAT, MESSAGES])
        for (const stream of [false, true])
          answers.push(seenIn(await sendRaw(away.url, request(path, stream))))
      return answers
    }
    const down = [CHAT, CHAT, MESSAGES, MESSAGES].map((path) => ({
      status: 503,
      headers: { 'content-type': 'application/json', ...after(5) },
      body: bodyFor(path, UNREACHABLE, 'overloaded_error'),
      ending: 'complete',
    }))
    try {
      expect(await all()).toEqual(down)
      await way.start()
      expect((await all()).map(({ status }) => status)).toEqual([200, 200, 200, 200])
      await way.stop()
      await sleep(30)
      expect(await all()).toEqual(down)
      await way.start()
      expect((await all()).map(({ status }) => status)).toEqual([200, 200, 200, 200])
    } finally {
      await Promise.all([away.stop(), way.stop()])
    }
  })

  describe('behind a heartbeat, which has begun the answer with 200,', () => {
    const isHidden = harness.cannot['broken-connection-visible'] !== undefined
    test.each(LATE_ROWS)('$what is told, and the answer is then $ending', async (row) => {
      const answers = [
        await seenLate(CHAT, true, row.does),
        await seenLate(MESSAGES, true, row.does),
      ].map(({ status, body, ending }) => ({ status, body, ending: broadly(ending) }))
      const ending = row.ending === 'broken' && isHidden ? 'complete' : row.ending
      const toChat = `${COMMENT}data: ${bodyFor(CHAT, row.told, row.anthropic)}\n\n`
      const toMessages = `${PING}event: error\ndata: ${bodyFor(MESSAGES, row.told, row.anthropic)}\n\n`
      expect([answers, callsTo(upstream).length]).toEqual([
        [
          { status: 200, body: toChat, ending },
          { status: 200, body: toMessages, ending },
        ],
        2,
      ])
    })

    test('an error of a call that is not streamed keeps its status', async () => {
      expect(await seenLate(CHAT, false, overflow(70_000, 65_536))).toEqual({
        status: 400,
        headers: { 'content-type': 'application/json; charset=utf-8', ...FINAL },
        body: overflowBody(70_000, 65_536),
        ending: 'complete',
      })
    })
  })
})

/** The heartbeats of the dialects. */
const COMMENT = ': keep-alive\n\n'
const PING = 'event: ping\ndata: {"type": "ping"}\n\n'

/** Any number of heartbeats at the beginning as one. */
function beatsOnce(body: string): string {
  return body.replace(/^(: keep-alive\n\n|event: ping\ndata: \{"type": "ping"\}\n\n)+/, '$1')
}

/** How an answer ended, as far as the tests care. */
function broadly(ending: string): string {
  return ending === 'complete' ? ending : 'broken'
}

/** A request as upstream got it. */
function asSent({ method, url, headers, body }: RecordedRequest): unknown {
  return { method, url, headers, body: body.toString() }
}
