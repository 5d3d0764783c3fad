import { describe, expect, test } from 'vitest'
import { corsHeaders } from '../../../src/http/cors.ts'
import { STREAM_TYPE } from '../../support/fake-upstream.ts'
import { CHAT } from '../../support/sse-samples.ts'
import { KEYS, openGate, post, type Answer, type Asked } from './open-gate.ts'

const PAGE = 'https://chat.example.com'
const OTHER = 'https://evil.example.com'
const EXPOSED =
  'x-request-id, request-id, retry-after, retry-after-ms, x-should-retry, ' +
  'x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, ' +
  'x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, ' +
  'anthropic-ratelimit-requests-limit, anthropic-ratelimit-requests-remaining, anthropic-ratelimit-requests-reset, ' +
  'anthropic-ratelimit-tokens-limit, anthropic-ratelimit-tokens-remaining, anthropic-ratelimit-tokens-reset'
const LISTS: Array<[string, string[]]> = [
  ['no page', []],
  ['one page', [PAGE]],
  ['any page', ['*']],
]

/** The CORS fields of an answer. */
function corsOf({ headers }: Answer): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => name.startsWith('access-control-') || name === 'vary',
    ),
  )
}

describe('what an answer says about pages', () => {
  test.each([
    [PAGE, [], []],
    [undefined, [], []],
    [
      PAGE,
      [PAGE],
      [
        ['access-control-allow-origin', PAGE],
        ['access-control-expose-headers', EXPOSED],
        ['vary', 'Origin'],
      ],
    ],
    [OTHER, [PAGE], [['vary', 'Origin']]],
    ['null', [PAGE], [['vary', 'Origin']]],
    [`${PAGE}.evil.com`, [PAGE], [['vary', 'Origin']]],
    [PAGE.toUpperCase(), [PAGE], [['vary', 'Origin']]],
    [undefined, [PAGE], [['vary', 'Origin']]],
    [
      OTHER,
      ['*'],
      [
        ['access-control-allow-origin', '*'],
        ['access-control-expose-headers', EXPOSED],
      ],
    ],
    [
      undefined,
      ['*'],
      [
        ['access-control-allow-origin', '*'],
        ['access-control-expose-headers', EXPOSED],
      ],
    ],
    [
      OTHER,
      [PAGE, '*'],
      [
        ['access-control-allow-origin', '*'],
        ['access-control-expose-headers', EXPOSED],
      ],
    ],
  ])('to the origin %s with the list %j', (origin, list, headers) => {
    expect(corsHeaders(origin, list)).toEqual(headers)
  })

  const asks: Array<[string, string, Asked, number]> = [
    ['of the gate', '/health', {}, 200],
    ['with a listing', '/v1/models', { key: KEYS.user }, 200],
    ['from upstream', '/v1/chat/completions', post(KEYS.user, { model: 'a' }), 200],
    ['without a key', '/v1/models', {}, 401],
    ['about a model', '/v1/chat/completions', post(KEYS.limited, { model: 'x' }), 404],
    ['about a path', '/nothing', { key: KEYS.user }, 404],
    ['about an address', '/v1//models', {}, 404],
    ['about an upgrade', '/v1/responses', { headers: { upgrade: 'websocket' } }, 426],
  ]
  describe.each(LISTS)('where %s is allowed', (_, origins) => {
    test.each(asks)('every answer says the same, an answer %s, too', async (...row) => {
      const [, path, asked, status] = row
      const { ask } = await openGate({ cors: { origins } })
      for (const origin of [PAGE, OTHER, undefined]) {
        const headers = new Headers(asked.headers)
        if (origin !== undefined) headers.set('origin', origin)
        const answer = await ask(path, { ...asked, headers })
        expect({ status: answer.status, cors: corsOf(answer) }).toEqual({
          status,
          cors: Object.fromEntries(corsHeaders(origin, origins)),
        })
      }
    })
  })

  test('what upstream says about pages never comes through, not even in a stream', async () => {
    const { ask, upstream } = await openGate({ cors: { origins: [PAGE] } })
    upstream.onCall = (call) =>
      void call.answer({
        headers: [
          ...STREAM_TYPE,
          ['access-control-allow-origin', ''],
          ['access-control-allow-origin', OTHER],
          ['access-control-allow-credentials', 'true'],
        ],
        body: CHAT.bytes,
      })
    const answer = await ask('/v1/chat/completions', {
      ...post(KEYS.user, { model: 'a', stream: true }),
      headers: { origin: PAGE },
    })
    expect(corsOf(answer)).toEqual({
      'access-control-allow-origin': PAGE,
      'access-control-expose-headers': EXPOSED,
      vary: 'Origin',
    })
  })
})

const preflight = (origin: string | undefined, asked = 'authorization, content-type'): Asked => ({
  method: 'OPTIONS',
  headers: {
    ...(origin !== undefined && { origin }),
    'access-control-request-method': 'POST',
    'access-control-request-headers': asked,
  },
})

describe('a preflight', () => {
  test.each([
    ['one page', [PAGE], PAGE, PAGE, 'Origin, Access-Control-Request-Headers'],
    ['any page', ['*'], OTHER, '*', 'Access-Control-Request-Headers'],
  ])('where %s is allowed is answered here, without a key, for any path', async (...row) => {
    const [, origins, origin, allowed, vary] = row
    const { ask, upstream, events } = await openGate({ cors: { origins } })
    for (const path of [
      '/v1/chat/completions',
      '/v1/models',
      '/no/such/path',
      '/health',
      '/unload',
    ]) {
      const answer = await ask(path, preflight(origin))
      expect({ status: answer.status, text: answer.text, cors: corsOf(answer) }).toEqual({
        status: 204,
        text: '',
        cors: {
          'access-control-allow-headers': 'authorization, content-type',
          'access-control-allow-methods': 'GET, POST, OPTIONS',
          'access-control-allow-origin': allowed,
          'access-control-expose-headers': EXPOSED,
          'access-control-max-age': '7200',
          vary,
        },
      })
    }
    expect({
      calls: upstream.calls.length,
      outcomes: new Set(events.map(({ outcome }) => outcome)),
    }).toEqual({
      calls: 0,
      outcomes: new Set(['completed']),
    })
  })

  test.each([
    ['another page', [PAGE], OTHER, { vary: 'Origin' }],
    ['no page at all', [PAGE], undefined, { vary: 'Origin' }],
    ['any page where none is allowed', [], PAGE, {}],
  ])('of %s allows nothing', async (...row) => {
    const [, origins, origin, cors] = row
    const { ask, upstream } = await openGate({ cors: { origins } })
    const answer = await ask('/v1/chat/completions', preflight(origin))
    expect({ status: answer.status, cors: corsOf(answer), calls: upstream.calls.length }).toEqual({
      status: 204,
      cors,
      calls: 0,
    })
  })

  test.each([
    ['X-Stainless-Lang, authorization', 'X-Stainless-Lang, authorization'],
    ['', 'authorization, content-type, x-api-key'],
    ['a;b', 'authorization, content-type, x-api-key'],
    ['x'.repeat(2001), 'authorization, content-type, x-api-key'],
  ])('that asks for the fields %j is allowed %j', async (asked, allowed) => {
    const { ask } = await openGate({ cors: { origins: [PAGE] } })
    const answer = await ask('/v1/models', preflight(PAGE, asked))
    expect(answer.headers['access-control-allow-headers']).toBe(allowed)
  })

  test('that names no fields gets those that a key needs', async () => {
    const { ask } = await openGate({ cors: { origins: [PAGE] } })
    const answer = await ask('/v1/models', { method: 'OPTIONS', headers: { origin: PAGE } })
    expect(answer.headers['access-control-allow-headers']).toBe(
      'authorization, content-type, x-api-key',
    )
  })

  test('carries the ids of the request', async () => {
    const { ask, events } = await openGate({ cors: { origins: ['*'] } })
    const answer = await ask('/v1/models', preflight(PAGE))
    expect([answer.headers['x-request-id'], answer.headers['request-id']]).toEqual([
      events[0]?.requestId,
      events[0]?.requestId,
    ])
  })
})
