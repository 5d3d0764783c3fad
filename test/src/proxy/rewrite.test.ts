import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HeaderPairs } from '../../../src/deps.ts'
import {
  outboundHeaders,
  outboundSearch,
  returnedHeaders,
  type OutboundExtras,
} from '../../../src/proxy/rewrite.ts'

const SECRET = 'sk-client-0123456789abcdef'

const nothing: OutboundExtras = {
  presentedSecret: undefined,
  upstreamApiKey: undefined,
  upstreamHeaders: {},
  clientAddress: undefined,
  toldClient: undefined,
  via: '1.1 swapgate-0123abcd',
  requestId: 'r-1',
  contentType: undefined,
}
const OWN: HeaderPairs = [
  ['accept-encoding', 'identity;q=1, *;q=0'],
  ['x-request-id', 'r-1'],
  ['via', '1.1 swapgate-0123abcd'],
]

/** Fields that never go on, whatever they say. */
const FORBIDDEN = [
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'expect',
  'accept-encoding',
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'cookie',
  'proxy-authorization',
  'origin',
  'referer',
  'sec-fetch-site',
  'sec-ch-ua',
  'access-control-request-method',
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'cf-access-client-secret',
  'proxy-connection',
  'proxy-authenticate',
  'tailscale-user-login',
  'swapgate-client',
  'x-request-id',
  'token',
  'x-access-token',
  'x-goog-iam-authorization-token',
  'cf-aig-token',
  'private-token',
  'x-openai-api-key',
  'subscription-key',
  'ocp-apim-subscription-key',
  'x-auth',
  'x-auth-key',
  'x-auth-email',
]
/** Fields that a client may send and llama-swap should see. */
const KNOWN = [
  'accept',
  'accept-language',
  'user-agent',
  'content-type',
  'cache-control',
  'range',
  'anthropic-version',
  'anthropic-beta',
  'openai-organization',
  'x-session-id',
  'request-id',
  'x-stainless-lang',
  'x-litellm-session-id',
  'traceparent',
  'idempotency-key',
  'priority',
  'x-author',
  'x-tokens',
  'x-token-count',
]

const names = (headers: HeaderPairs): string[] => headers.map(([name]) => name)

/** A name as another client would write it in a Connection field. */
const spelled = (name: string): fc.Arbitrary<string> =>
  fc.constantFrom(name, name.toUpperCase(), ` ${name} `, `\t${name}`)

/** Every byte as a percent escape. */
const escaped = (part: string): string =>
  Array.from(
    new TextEncoder().encode(part),
    (byte) => `%${byte.toString(16).padStart(2, '0')}`,
  ).join('')

describe('what of the header goes to llama-swap', () => {
  test.each(FORBIDDEN)('%s does not', (name) => {
    expect(outboundHeaders([[name, 'v']], nothing)).toEqual(OWN)
  })

  test.each(KNOWN)('%s does, unchanged', (name) => {
    expect(outboundHeaders([[name, ' v; "w", ü ']], nothing)).toEqual([
      [name, ' v; "w", ü '],
      ...OWN,
    ])
  })

  const value = fc.string({ maxLength: 12 })
  const unknownName = fc
    .stringMatching(/^x-[a-z]{1,8}$/)
    .filter((name) => ![...KNOWN, 'x-token', 'x-auth'].includes(name))
  const goesOn = fc.tuple(fc.oneof(fc.constantFrom(...KNOWN), unknownName), value)
  const stays = fc.tuple(
    fc.oneof(
      fc.constantFrom(...FORBIDDEN.filter((name) => name !== 'connection')),
      fc
        .tuple(
          fc.constantFrom(
            'proxy-',
            'cf-',
            'x-forwarded-',
            'sec-',
            'access-control-',
            'tailscale-',
            'swapgate-',
          ),
          fc.stringMatching(/^[a-z-]{0,8}$/),
        )
        .map(([prefix, rest]) => prefix + rest),
    ),
    value,
  )
  const withSecret = fc.oneof(
    fc
      .tuple(unknownName, value, value)
      .map(([name, before, after]): [string, string] => [name, before + SECRET + after]),
    fc
      .tuple(fc.constantFrom('x-', 'my-', ''), value)
      .map(([before, kept]): [string, string] => [before + SECRET.toLowerCase(), kept]),
  )
  const field = fc.oneof(
    goesOn.map((pair) => ({ pair, goesOn: true })),
    fc.oneof(stays, withSecret).map((pair) => ({ pair, goesOn: false })),
  )
  const connections = fc.array(
    fc.array(fc.oneof(spelled('close'), unknownName.chain(spelled)), { maxLength: 3 }),
    { maxLength: 2 },
  )

  test('nothing of the connection, no credential and no address survives; all else does, in order', () => {
    fc.assert(
      fc.property(fc.array(field), connections, (fields, nominating) => {
        const nominated = new Set(nominating.flat().map((name) => name.trim().toLowerCase()))
        const inbound: HeaderPairs = [
          ...fields.map(({ pair }) => pair),
          ...nominating.map((list) => ['connection', list.join(',')] as const),
        ]
        const survivors = fields.filter((one) => one.goesOn && !nominated.has(one.pair[0]))

        expect(outboundHeaders(inbound, { ...nothing, presentedSecret: SECRET })).toEqual([
          ...survivors.map(({ pair }) => pair),
          ...OWN,
        ])
      }),
      { numRuns: 1000 },
    )
  })

  test('a field that the client nominates to slip past the gate cannot take away what the gate sets', () => {
    const inbound: HeaderPairs = [['connection', 'authorization, x-request-id, x-forwarded-for']]
    const extras = { ...nothing, upstreamApiKey: 'k', clientAddress: '192.0.2.7' }
    expect(Object.fromEntries(outboundHeaders(inbound, extras))).toEqual({
      'accept-encoding': 'identity;q=1, *;q=0',
      'x-request-id': 'r-1',
      via: '1.1 swapgate-0123abcd',
      'x-forwarded-for': '192.0.2.7',
      authorization: 'Bearer k',
    })
  })

  test('a field that has the key for its name does not, however it is spelled', () => {
    const presentedSecret = 'SK-Client-0123456789'
    const inbound: HeaderPairs = [
      ['sk-client-0123456789', '1'],
      ['x-sk-client-0123456789-x', '1'],
    ]
    expect(outboundHeaders(inbound, { ...nothing, presentedSecret })).toEqual(OWN)
  })

  test('the gate puts its own fields in the place of the client’s', () => {
    const inbound: HeaderPairs = [
      ['content-type', 'text/plain'],
      ['x-forwarded-for', '203.0.113.1'],
      ['authorization', `Bearer ${SECRET}`],
      ['x-tunnel-token', 'mine'],
      ['x-request-id', 'mine'],
      ['accept', '*/*'],
    ]
    const extras: OutboundExtras = {
      ...nothing,
      presentedSecret: SECRET,
      upstreamApiKey: 'internal',
      upstreamHeaders: { 'X-Tunnel-Token': 't' },
      clientAddress: '192.0.2.7',
      requestId: 'r-2',
      contentType: 'application/json',
    }
    expect(outboundHeaders(inbound, extras)).toEqual([
      ['accept', '*/*'],
      ['accept-encoding', 'identity;q=1, *;q=0'],
      ['x-request-id', 'r-2'],
      ['via', '1.1 swapgate-0123abcd'],
      ['content-type', 'application/json'],
      ['x-forwarded-for', '192.0.2.7'],
      ['authorization', 'Bearer internal'],
      ['x-tunnel-token', 't'],
    ])
  })

  test('the configured fields are the owner’s word: they win over what the gate would set', () => {
    const extras = {
      ...nothing,
      upstreamApiKey: 'internal',
      upstreamHeaders: { Authorization: 'Basic b3duZXI=', 'Accept-Encoding': 'identity' },
    }
    expect(outboundHeaders([], extras)).toEqual([
      ['accept-encoding', 'identity'],
      ['x-request-id', 'r-1'],
      ['via', '1.1 swapgate-0123abcd'],
      ['authorization', 'Basic b3duZXI='],
    ])
  })

  test('another gate is told of the client in one field of the gate’s own, and of nothing else', () => {
    const extras = { ...nothing, toldClient: '"192.0.2.7";key="friend"' }
    const forged: HeaderPairs = [
      ['swapgate-client', '"203.0.113.1";key="owner"'],
      ['swapgate-anything', 'x'],
      ['x-forwarded-for', '203.0.113.1'],
    ]
    expect(outboundHeaders(forged, extras)).toEqual([
      ...OWN,
      ['swapgate-client', '"192.0.2.7";key="friend"'],
    ])
  })

  test('without a key of the gate’s own none goes up: the client’s is never a stand-in', () => {
    const inbound: HeaderPairs = [
      ['authorization', `Bearer ${SECRET}`],
      ['x-api-key', SECRET],
    ]
    expect(outboundHeaders(inbound, { ...nothing, presentedSecret: SECRET })).toEqual(OWN)
  })
})

describe('what of the query goes to llama-swap', () => {
  const rule = { isAdmin: false, model: undefined, presentedSecret: SECRET }
  test.each([
    ['', ''],
    ['?', ''],
    ['?beta=true', '?beta=true'],
    ['?a=1&a=2&b', '?a=1&a=2&b='],
    ['?model=x', ''],
    ['?mod%65l=x&beta=true', '?beta=true'],
    ['?model=x&model=y', ''],
    ['?Model=x', '?Model=x'],
    ['?key=k&api_key=k&API-KEY=k&ApiKey=k&access_token=k&token=k&a=1', '?a=1'],
    ['?%6bey=k', ''],
    [`?q=${SECRET}`, ''],
    [`?q=a${SECRET}b&r=1`, '?r=1'],
    [`?q=${SECRET.replace('k', '%6b')}`, ''],
    [`?${SECRET}`, ''],
    [`?${SECRET}=1&r=1`, '?r=1'],
    ['?a=%zz&b=%ff', '?a=%25zz&b=%EF%BF%BD'],
    ['?a=1;model=x', '?a=1%3Bmodel%3Dx'],
    ['?a=1?model=x', '?a=1%3Fmodel%3Dx'],
    ['?a=1%26model=x', '?a=1%26model%3Dx'],
    ['?a=b+c%20d', '?a=b+c+d'],
  ])('of %j it is %j', (search, out) => {
    expect(outboundSearch(search, rule)).toBe(out)
  })

  test("of a page of llama-swap's own keeps its filters, but never the key", () => {
    const page = { isAdmin: true, model: undefined, presentedSecret: SECRET }
    expect(outboundSearch(`?model=abc&key=zzz&page=2&x=${SECRET}`, page)).toBe(
      '?model=abc&key=zzz&page=2',
    )
  })

  test('the checked model stands once, at the end', () => {
    const allowed = { isAdmin: false, model: 'a/b c', presentedSecret: SECRET }
    expect([
      outboundSearch('?x=1&model=other&y=2', allowed),
      outboundSearch('?model=a', allowed),
    ]).toEqual(['?x=1&y=2&model=a%2Fb+c', '?model=a%2Fb+c'])
  })

  const text = fc.string({ unit: 'grapheme', maxLength: 6 })
  const name = fc.oneof(text, fc.constantFrom('model', 'key', 'Token', 'api_key', 'a', SECRET))
  const value = fc.oneof(text, fc.constantFrom(SECRET, `x${SECRET}`, '', 'm'))

  test('every other field stays, in order; none of the forbidden ones does, however it is spelled', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, value), { minLength: 1 }),
        fc.option(text, { nil: undefined }),
        (fields, model) => {
          const search = `?${fields.map(([n, v]) => `${escaped(n)}=${escaped(v)}`).join('&')}`
          const dropped = ['model', 'key', 'token', 'api_key']
          const kept = fields.filter(
            ([n, v]) =>
              !dropped.includes(n.toLowerCase()) && !n.includes(SECRET) && !v.includes(SECRET),
          )

          const out = outboundSearch(search, { isAdmin: false, model, presentedSecret: SECRET })

          expect([...new URLSearchParams(out)]).toEqual([
            ...kept,
            ...(model === undefined ? [] : [['model', model]]),
          ])
          expect(outboundSearch(out, { isAdmin: false, model, presentedSecret: SECRET })).toBe(out)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('what of llama-swap’s header the client gets', () => {
  test.each([
    'connection',
    'keep-alive',
    'transfer-encoding',
    'trailer',
    'upgrade',
    'proxy-connection',
    'set-cookie',
    'server',
    'alt-svc',
    'date',
    'x-request-id',
    'request-id',
    'cf-request-id',
    'access-control-allow-origin',
    'access-control-allow-credentials',
    'access-control-max-age',
    'x-ratelimit-remaining-requests',
    'anthropic-ratelimit-tokens-limit',
    'ratelimit-policy',
    'swapgate-client',
    'swapgate-error',
    'cf-ray',
    'cf-cache-status',
    'x-forwarded-host',
    'via',
    'forwarded',
    'nel',
    'report-to',
    'reporting-endpoints',
    'clear-site-data',
    'refresh',
    'strict-transport-security',
    'www-authenticate',
  ])('%s does not come back', (name) => {
    expect(
      returnedHeaders([
        [name, 'v'],
        ['x-a', '1'],
      ]),
    ).toEqual([['x-a', '1']])
  })

  test.each([
    'content-type',
    'content-length',
    'etag',
    'retry-after',
    'content-disposition',
    'vary',
    'x-unknown',
  ])('%s comes back unchanged, every one of it', (name) => {
    expect(
      returnedHeaders([
        [name, 'a'],
        [name, 'b'],
      ]),
    ).toEqual([
      [name, 'a'],
      [name, 'b'],
    ])
  })

  test('what holds a secret of the configuration does not come back', () => {
    const headers: HeaderPairs = [
      ['x-echo', 'Bearer internal-key'],
      ['location', '/login?token=internal-key'],
      ['x-other', 'internal'],
    ]
    expect([returnedHeaders(headers, ['internal-key']), returnedHeaders(headers)]).toEqual([
      [['x-other', 'internal']],
      headers,
    ])
  })

  test('what Connection nominates does not come back', () => {
    expect(
      returnedHeaders([
        ['connection', 'X-Hop'],
        ['x-hop', '1'],
        ['etag', '"a"'],
      ]),
    ).toEqual([['etag', '"a"']])
  })

  test.each([
    ['/ui/', true],
    ['/upstream/a/', true],
    ['ui/', true],
    ['models', true],
    ['?tab=logs', true],
    ['http://127.0.0.1:8080/ui/', false],
    ['https://elsewhere.test/', false],
    ['//elsewhere.test/', false],
    ['/\\elsewhere.test/', false],
    ['\\\\elsewhere.test/', false],
    ['javascript:alert(1)', false],
    ['', false],
  ])('a redirect to %j comes back: %j', (location, comes) => {
    expect(names(returnedHeaders([['location', location]]))).toEqual(comes ? ['location'] : [])
  })
})
