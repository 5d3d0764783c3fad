import { describe, expect, test } from 'vitest'
import { tunnelFault } from '../../../src/errors/tunnel-fault.ts'

const answer = { status: 200, contentType: undefined, location: undefined, body: '' }
const PAGE = 'text/html; charset=UTF-8'

const kindOf = (seen: Partial<Parameters<typeof tunnelFault>[0]>): string | undefined =>
  tunnelFault({ ...answer, ...seen })?.kind

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
    [404, 'upstream-unreachable'],
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
  expect(kindOf({ status, contentType: 'text/plain; charset=UTF-8', body })).toBe(kind)
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
