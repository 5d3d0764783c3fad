import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import type { Behaviour } from '../support/look-alike/behaviour.ts'
import {
  concurrencyLimit,
  empty502,
  loadFailure,
  overflow,
} from '../support/look-alike/error-answers.ts'
import { sendRaw } from '../support/raw-http.ts'
import { headerValues, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawRequest, type RawRequest } from '../support/raw-http/raw-request.ts'
import { harnesses, ROOMY, KEYS } from './gates.ts'

const CHAT = '/v1/chat/completions'
const PAGE = 'https://chat.example'
const OTHER_PAGE = 'http://localhost:5173'
const EXPOSED = [
  'x-request-id',
  'request-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-tokens',
  'anthropic-ratelimit-requests-limit',
  'anthropic-ratelimit-requests-remaining',
  'anthropic-ratelimit-requests-reset',
  'anthropic-ratelimit-tokens-limit',
  'anthropic-ratelimit-tokens-remaining',
  'anthropic-ratelimit-tokens-reset',
]
const ask = '{"model":"gpt-oss-120b","messages":[]}'
const json = { Authorization: `Bearer ${KEYS.user}`, 'Content-Type': 'application/json' }
const call: RawRequest = { target: CHAT, headers: json, body: ask }

/** Every field of an answer that CORS is made of, each line of it. */
function corsOf(answer: RawAnswer): Record<string, string[]> {
  const names = answer.headerLines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase())
  const ours = names.filter((name) => name.startsWith('access-control-') || name === 'vary')
  const of = (name: string) => headerValues(answer, name).join(', ').split(', ')
  return Object.fromEntries(ours.toSorted().map((name) => [name, of(name)]))
}

/** What lets a page read an answer. */
function readableBy(origin: string): Record<string, string[]> {
  return {
    'access-control-allow-origin': [origin],
    'access-control-expose-headers': EXPOSED,
    ...(origin !== '*' && { vary: ['Origin'] }),
  }
}

/** What lets a page send these fields. */
function sendableBy(origin: string, fields: string[]): Record<string, string[]> {
  return {
    ...readableBy(origin),
    'access-control-allow-headers': fields,
    'access-control-allow-methods': ['GET', 'POST', 'OPTIONS'],
    'access-control-max-age': ['7200'],
    vary: [...(origin === '*' ? [] : ['Origin']), 'Access-Control-Request-Headers'],
  }
}

const PATHS = [
  CHAT,
  '/v1/messages',
  '/v1/models',
  '/running',
  '/health',
  '/',
  '/unload',
  '/upstream/gpt-oss-120b/props',
  '/nowhere',
  '/%75nload',
  '//unload',
]

/** Origins that are not on the list, however much they look like it. */
const STRANGERS = [
  'https://evil.example',
  'http://chat.example',
  'https://chat.example:8443',
  'https://chat.example.evil.example',
  'https://evilchat.example',
  'https://CHAT.example',
  'https://chat.example/',
  'https://chat.example, https://evil.example',
  'null',
  '*',
]

/** Fields that a page asks to send, and those that it may. */
const ASKED: [asked: string | undefined, allowed: string[]][] = [
  ['authorization,content-type', ['authorization,content-type']],
  [
    'authorization, x-api-key, anthropic-version',
    ['authorization', 'x-api-key', 'anthropic-version'],
  ],
  ['x-stainless-os', ['x-stainless-os']],
  [undefined, ['authorization', 'content-type', 'x-api-key']],
  ['x-"quoted"', ['authorization', 'content-type', 'x-api-key']],
  ['a'.repeat(3000), ['authorization', 'content-type', 'x-api-key']],
]

/** Answers of every kind: what is asked, what upstream does, the status. */
const ANSWERS: [what: string, request: RawRequest, status: number, behaviour?: Behaviour][] = [
  ['an answer', call, 200],
  ['a stream', { ...call, body: ask.replace('}', ',"stream":true}') }, 200],
  ['an answer of upstream with CORS of its own', call, 200, { kind: 'unclean-headers' }],
  ['the list of models', { target: '/v1/models', headers: json }, 200],
  ['what is running', { target: '/running', headers: { 'x-api-key': KEYS.status } }, 200],
  ['an admin page', { target: '/logs', headers: { 'x-api-key': KEYS.admin } }, 200],
  ['health', { target: '/health' }, 200],
  ['no key', { target: CHAT, body: ask }, 401],
  ['an unknown key', { target: CHAT, headers: { 'x-api-key': 'sk-x' }, body: ask }, 401],
  ['two keys', { target: CHAT, headers: { ...json, 'x-api-key': 'sk-x' }, body: ask }, 400],
  ['a missing scope', { target: '/unload', headers: json }, 403],
  ['an unknown path', { target: '/nowhere', headers: json }, 404],
  ['a path with escapes', { target: '/%75nload', headers: json }, 404],
  ['a path with an empty segment', { target: '/v1//models', headers: json }, 404],
  ['another method', { target: CHAT, headers: json }, 405],
  ['broken JSON', { ...call, body: '{' }, 400],
  ['an unknown model', { ...call, body: '{"model":"nothing"}' }, 404],
  [
    'a model that the key may not use',
    { target: CHAT, headers: { 'x-api-key': KEYS.limited }, body: ask },
    404,
  ],
  ['a body that is too large', { ...call, body: ask.padEnd(5000) }, 413],
  ['an encoded body', { ...call, headers: { ...json, 'Content-Encoding': 'gzip' } }, 415],
  ['a busy upstream', call, 503, concurrencyLimit()],
  ['a load that failed', call, 503, loadFailure()],
  ['a context overflow', call, 400, overflow(4923, 256)],
  ['a redirect of upstream', call, 502, { kind: 'redirect', status: 307, location: '/unload' }],
]

/** Each gate of the suite: its list, a page that asks, and the origin that it is told. */
const GATES = [
  { origins: [PAGE, OTHER_PAGE], page: PAGE, told: PAGE },
  { origins: [PAGE, OTHER_PAGE], page: OTHER_PAGE, told: OTHER_PAGE },
  { origins: ['*'], page: 'https://anything.example', told: '*' },
  { origins: [PAGE], page: 'https://evil.example', told: undefined },
  { origins: [], page: PAGE, told: undefined },
] as const

/** What a browser asks before a page may send something. */
function preflight(target: string, origin: string, asked?: string): RawRequest {
  const headers = {
    Origin: origin,
    'Access-Control-Request-Method': 'POST',
    ...(asked !== undefined && { 'Access-Control-Request-Headers': asked }),
  }
  return { method: 'OPTIONS', target, headers }
}

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  const gates = new Map<string, Running>()
  beforeAll(async () => {
    upstream = await startLookAlike()
    const lists = new Map(GATES.map(({ origins }) => [origins.join(), origins]))
    for (const [name, origins] of lists)
      gates.set(
        name,
        await harness.start({
          upstream: { url: upstream.url },
          ...ROOMY,
          body: { maxBytes: 4096 },
          cors: { origins: [...origins] },
        }),
      )
  })
  afterEach(() => upstream.reset())
  afterAll(async () => {
    await Promise.all([...gates.values()].map((gate) => gate.stop()))
    await upstream.stop()
  })

  function send(origins: readonly string[], request: RawRequest): Promise<RawAnswer> {
    return sendRaw(gates.get(origins.join())!.url, rawRequest(request))
  }

  describe.each(GATES)('a gate for $origins', ({ origins, page, told }) => {
    /** A page that is not on a list learns that the answer depends on who asks, and nothing more. */
    const unreadable: Record<string, string[]> = origins.length === 0 ? {} : { vary: ['Origin'] }

    test.each(PATHS)(
      `answers the preflight of ${page} for %s itself, without a key`,
      async (path) => {
        const answer = await send(origins, preflight(path, page, 'authorization'))
        expect([answer.status, answer.body.length, corsOf(answer), upstream.requests]).toEqual([
          204,
          0,
          told === undefined ? unreadable : sendableBy(told, ['authorization']),
          [],
        ])
      },
    )

    test.each(ANSWERS)(
      `lets ${page} read ${told === undefined ? 'nothing' : 'everything'}: %s`,
      async (...row) => {
        const [, request, status, behaviour] = row
        if (behaviour) upstream.behave(behaviour, behaviour)
        const headers = { ...request.headers, Origin: page }
        const answer = await send(origins, { ...request, headers })
        expect([answer.status, corsOf(answer)]).toEqual([
          status,
          told === undefined ? unreadable : readableBy(told),
        ])
      },
    )
  })

  describe('a gate for two pages', () => {
    const origins = [PAGE, OTHER_PAGE]

    test.each(STRANGERS)('takes %s for neither of them', async (stranger) => {
      const asked = await send(origins, preflight(CHAT, stranger, 'authorization'))
      const answer = await send(origins, { ...call, headers: { ...json, Origin: stranger } })
      expect([corsOf(asked), corsOf(answer)]).toEqual([{ vary: ['Origin'] }, { vary: ['Origin'] }])
    })

    test.each(ASKED)('lets a page that asks for %j send %j', async (asked, allowed) => {
      const answer = await send(origins, preflight(CHAT, PAGE, asked))
      expect([answer.status, corsOf(answer)]).toEqual([204, sendableBy(PAGE, allowed)])
    })

    test('answers without a word of CORS but Vary when no page asks', async () => {
      expect(corsOf(await send(origins, call))).toEqual({ vary: ['Origin'] })
    })

    test('keeps the origin to itself', async () => {
      await send(origins, { ...call, headers: { ...json, Origin: PAGE, Referer: `${PAGE}/x` } })
      expect(
        upstream.requests.map(({ headers }) => [headers['origin'], headers['referer']]),
      ).toEqual([[undefined, undefined]])
    })

    test('gives the whole header of a failure, too', async () => {
      upstream.behave(empty502(), empty502())
      const answer = await send(origins, { ...call, headers: { ...json, Origin: PAGE } })
      expect([answer.status, corsOf(answer)]).toEqual([502, readableBy(PAGE)])
    })
  })
})
