import { describe, expect, test } from 'vitest'
import {
  headersOf,
  isRefusal,
  isRetryable,
  retryAfterSecondsOf,
  statusOf,
  type GateError,
} from '../../../src/errors/gate-error.ts'
import type { LimitName } from '../../../src/limit/limit-store.ts'
import { EVERY_ERROR } from './every-error.ts'

test('each refusal has its status', () => {
  const statuses = EVERY_ERROR.map((error) => [error.kind, statusOf(error)])
  expect(Object.fromEntries(statuses)).toEqual({
    'bad-host': 400,
    'bad-path': 404,
    'bad-request': 400,
    'body-too-large': 413,
    'body-encoded': 415,
    'request-too-slow': 408,
    loop: 508,
    'upgrade-refused': 426,
    'method-not-allowed': 405,
    'route-unknown': 404,
    'credential-missing': 401,
    'credential-malformed': 401,
    'credential-unknown': 401,
    'credentials-conflict': 400,
    'basic-not-here': 401,
    'key-expired': 401,
    'key-disabled': 401,
    'scope-missing': 403,
    'cross-site': 403,
    'model-missing': 400,
    'model-unknown': 404,
    'limit-reached': 429,
    'key-queue-full': 429,
    'queue-full': 503,
    'waited-too-long': 503,
    'model-not-loaded': 503,
    draining: 503,
    'counters-unavailable': 503,
    'upstream-unreachable': 503,
    'upstream-broken': 502,
    'upstream-timeout': 504,
    'upstream-busy': 503,
    'upstream-key-refused': 502,
    'upstream-not-llama-swap': 502,
    'model-loading': 503,
    'model-load-failed': 503,
    'upstream-refused': 500,
    'prompt-too-long': 400,
    'overflow-loop': 400,
    'stream-cut': 502,
    internal: 500,
  })
})

test.each([400, 409, 422, 501])('a refusal of upstream keeps its status %d', (status) => {
  expect(statusOf({ kind: 'upstream-refused', status, message: 'no' })).toBe(status)
})

describe('x-should-retry', () => {
  const mayPass = new Set<GateError['kind']>(['limit-reached', 'key-queue-full'])
  const finals = EVERY_ERROR.filter((error) => statusOf(error) < 500 && !mayPass.has(error.kind))

  test.each(finals)('$kind is final and says so', (error) => {
    expect(headersOf(error)).toMatchObject({ 'x-should-retry': 'false' })
  })

  test.each([400, 401, 403, 404])('some refusal is a final %d', (status) => {
    expect(finals.map(statusOf)).toContain(status)
  })

  test('what may succeed later does not forbid a retry', () => {
    const retryable = EVERY_ERROR.filter((error) => isRetryable(error))
    expect(new Set(retryable.map(({ kind }) => kind))).toEqual(
      new Set([
        'limit-reached',
        'key-queue-full',
        'queue-full',
        'waited-too-long',
        'draining',
        'counters-unavailable',
        'upstream-unreachable',
        'upstream-broken',
        'upstream-timeout',
        'upstream-busy',
        'model-loading',
        'upstream-refused',
        'stream-cut',
        'internal',
      ]),
    )
    expect(retryable.filter((error) => 'x-should-retry' in headersOf(error))).toEqual([])
  })

  test.each<LimitName>([
    'requests-per-minute',
    'tokens-per-minute',
    'tokens-per-day',
    'concurrent',
  ])(
    'a wait for %s of more than a minute is final: SDKs would put a second in its place',
    (limit) => {
      const after = (retryAfterMs: number): Record<string, string> =>
        headersOf({ kind: 'limit-reached', limit, retryAfterMs, tokens: { needed: 1, left: 0 } })
      expect([after(60_000), after(60_001)]).toEqual([
        { 'retry-after': '60', 'retry-after-ms': '60000' },
        { 'retry-after': '61', 'retry-after-ms': '60001', 'x-should-retry': 'false' },
      ])
    },
  )

  test('a load that failed, a wrong key of the gate and a missing feature stay as they are', () => {
    const unchanging: GateError[] = [
      { kind: 'model-load-failed' },
      { kind: 'upstream-key-refused' },
      { kind: 'upstream-refused', status: 501, message: 'not supported' },
      { kind: 'model-not-loaded', model: 'a' },
    ]
    expect(unchanging.map((error) => headersOf(error)['x-should-retry'])).toEqual([
      'false',
      'false',
      'false',
      'false',
    ])
  })
})

test('the gate refuses with every status below 500, and with those of the queue and of its counters above', () => {
  const above = EVERY_ERROR.filter((error) => statusOf(error) >= 500)
  expect({
    below: EVERY_ERROR.filter((error) => statusOf(error) < 500 && !isRefusal(error)),
    refused: above.filter(isRefusal).map(({ kind }) => kind),
    failed: new Set(above.filter((error) => !isRefusal(error)).map(({ kind }) => kind)),
  }).toEqual({
    below: [],
    refused: [
      'loop',
      'queue-full',
      'waited-too-long',
      'model-not-loaded',
      'draining',
      'counters-unavailable',
    ],
    failed: new Set([
      'upstream-unreachable',
      'upstream-not-llama-swap',
      'upstream-broken',
      'upstream-timeout',
      'upstream-busy',
      'upstream-key-refused',
      'model-loading',
      'model-load-failed',
      'upstream-refused',
      'stream-cut',
      'internal',
    ]),
  })
})

describe('retry-after', () => {
  test('is told in seconds and in milliseconds, rounded up', () => {
    expect(headersOf({ kind: 'model-loading', retryAfterSeconds: 2.0004 })).toEqual({
      'retry-after': '3',
      'retry-after-ms': '2001',
    })
  })

  test('is what upstream asked for, or what fits the fault', () => {
    const seconds = EVERY_ERROR.flatMap((error) => {
      const after = retryAfterSecondsOf(error)
      return after === undefined ? [] : [[error.kind, after]]
    })
    expect(Object.fromEntries(seconds)).toEqual({
      'limit-reached': 0.25,
      'key-queue-full': 5,
      'queue-full': 5,
      'waited-too-long': 5,
      draining: 5,
      'counters-unavailable': 5,
      'model-not-loaded': 30,
      'upstream-unreachable': 5,
      'upstream-busy': 1,
      'model-loading': 2.5,
      'model-load-failed': 30,
    })
  })
})

describe('other fields', () => {
  test('every 401 names the scheme, and never Basic, which would open a password box', () => {
    const challenges = EVERY_ERROR.filter((error) => statusOf(error) === 401).map(
      (error) => headersOf(error)['www-authenticate'],
    )
    expect(new Set(challenges)).toEqual(new Set(['Bearer realm="swapgate"']))
  })

  test('no other refusal carries a challenge', () => {
    const others = EVERY_ERROR.filter((error) => statusOf(error) !== 401)
    expect(others.filter((error) => 'www-authenticate' in headersOf(error))).toEqual([])
  })

  test('405 lists the methods (RFC 9110 §15.5.6), 426 the protocol (§15.5.22)', () => {
    expect([
      headersOf({ kind: 'method-not-allowed', allow: ['GET', 'HEAD'] }),
      headersOf({ kind: 'upgrade-refused' }),
    ]).toEqual([
      { 'x-should-retry': 'false', allow: 'GET, HEAD' },
      { 'x-should-retry': 'false', upgrade: 'HTTP/1.1' },
    ])
  })

  test('every name is in lower case', () => {
    const names = EVERY_ERROR.flatMap((error) => Object.keys(headersOf(error)))
    expect(names).toEqual(names.map((name) => name.toLowerCase()))
  })
})
