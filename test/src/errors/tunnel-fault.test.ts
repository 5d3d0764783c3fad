import { describe, expect, test } from 'vitest'
import { tunnelFault } from '../../../src/errors/tunnel-fault.ts'

const PAGE = 'text/html; charset=UTF-8'

type Seen = {
  status: number
  contentType?: string | undefined
  location?: string | undefined
  body?: string
  fields?: Record<string, string>
}

function kindOf({ status, contentType, location, body = '', fields = {} }: Seen) {
  const known = new Map([
    ['content-type', contentType],
    ['location', location],
    ...Object.entries(fields),
  ])
  return tunnelFault({ status, field: (name) => known.get(name), body })?.kind
}

describe('by its status alone', () => {
  test.each([520, 521, 522, 523, 525, 526, 527, 530])('%d is nobody there', (status) => {
    const types = [undefined, PAGE, 'text/plain', 'application/json']
    expect(types.map((contentType) => kindOf({ status, contentType }))).toEqual(
      types.map(() => 'upstream-unreachable'),
    )
  })

  test('524 is too slow', () => {
    expect(kindOf({ status: 524 })).toBe('upstream-timeout')
  })

  test.each([200, 301, 307, 400, 401, 403, 404, 429, 500, 501, 502, 503, 504, 508, 519, 528, 529])(
    '%d is nothing of a tunnel',
    (status) => {
      const types = [undefined, 'text/plain', 'application/json']
      expect(types.map((contentType) => kindOf({ status, contentType }))).toEqual(
        types.map(() => undefined),
      )
    },
  )
})

describe('a page', () => {
  test.each([
    [200, 'upstream-not-llama-swap'],
    [403, 'upstream-not-llama-swap'],
    [404, undefined],
    [502, 'upstream-unreachable'],
    [503, 'upstream-unreachable'],
    [504, 'upstream-timeout'],
    [400, undefined],
    [401, undefined],
    [500, undefined],
  ])('with status %d is %s', (status, kind) => {
    expect(
      ['text/html', PAGE, 'Text/HTML'].map((contentType) => kindOf({ status, contentType })),
    ).toEqual([kind, kind, kind])
  })

  test.each<[string, Record<string, string>, string, string | undefined]>([
    ['Cloudflare’s number', { 'cf-ray': '8f-FRA' }, '', 'upstream-unreachable'],
    ['Cloudflare’s name', { server: 'Cloudflare' }, '', 'upstream-unreachable'],
    ['ngrok’s number', { 'ngrok-error-code': 'ERR_NGROK_3200' }, '', 'upstream-unreachable'],
    ['frp’s words', {}, '<em>Faithfully yours, frp.</em>', 'upstream-unreachable'],
    ['another server', { server: 'uvicorn' }, '<title>404 Not Found</title>', undefined],
    ['the words of a model', {}, 'Faithfully yours', undefined],
  ])('with status 404 and %s', (...row) => {
    const [, fields, body, kind] = row
    expect(kindOf({ status: 404, contentType: PAGE, fields, body })).toBe(kind)
  })

  test.each([403, 404, 500, 502, 503, 504])(
    'with status %d is none where it reads as an error, or as a load that failed',
    (status) => {
      const bodies = [
        '{"error":{"message":"no such voice"}}',
        '{"error":"no"}',
        'upstream command exited prematurely',
      ]
      expect(
        bodies.map((body) =>
          kindOf({ status, contentType: PAGE, body, fields: { 'cf-ray': '8f-FRA' } }),
        ),
      ).toEqual([undefined, undefined, undefined])
    },
  )

  test('that begins well is one, whatever it reads as', () => {
    expect(kindOf({ status: 200, contentType: PAGE, body: '{"error":"no"}' })).toBe(
      'upstream-not-llama-swap',
    )
  })

  test('is told by its type, not by its words', () => {
    expect(kindOf({ status: 404, contentType: 'text/htmlx', body: '<html>' })).toBeUndefined()
  })
})

test.each([
  [502, 'error code: 502', 'upstream-unreachable'],
  [503, 'error code: 1033\n', 'upstream-unreachable'],
  [504, 'error code: 504', 'upstream-timeout'],
  [502, 'the error code: 502', undefined],
  [502, 'error code: none', undefined],
])('%d with Cloudflare’s text for programs, %j, is %s', (status, body, kind) => {
  const contentType = 'text/plain; charset=UTF-8'
  expect([
    kindOf({ status, contentType, body, fields: { 'cf-ray': '8f-FRA' } }),
    kindOf({ status, contentType, body, fields: { server: 'cloudflare' } }),
    kindOf({ status, contentType, body }),
  ]).toEqual([kind, kind, undefined])
})

describe('a redirect', () => {
  test.each([
    'https://team.cloudflareaccess.com/cdn-cgi/access/login/box.example?kid=1',
    'HTTP://box.example/v1/models',
    '//login.example/',
  ])('to %s is no answer of llama-swap', (location) => {
    expect([302, 301, 307].map((status) => kindOf({ status, location }))).toEqual([
      'upstream-not-llama-swap',
      'upstream-not-llama-swap',
      'upstream-not-llama-swap',
    ])
  })

  test.each([undefined, '', '/ui/', 'models', '?a=https://b', '/https://x'])(
    'to %j may be one',
    (location) => {
      expect(kindOf({ status: 307, location })).toBeUndefined()
    },
  )

  test('is only one with a status of one', () => {
    expect(kindOf({ status: 201, location: 'https://elsewhere.example/' })).toBeUndefined()
  })
})
