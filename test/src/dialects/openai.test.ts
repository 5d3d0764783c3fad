import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openai } from '../../../src/dialects/openai.ts'
import { isRetryable, statusOf, type GateError } from '../../../src/errors/gate-error.ts'
import { messageOf } from '../../../src/errors/message-of.ts'
import type { LimitName } from '../../../src/limit/limit-store.ts'
import { EVERY_ERROR, finalErrorsSaying } from '../errors/every-error.ts'
import { RETRY_TRIGGERS, retryTriggersIn } from '../errors/opencode-retry.ts'

function typeAndCode(error: GateError): [kind: string, typeAndCode: string] {
  const { error: body } = JSON.parse(openai.errorBody(error))
  return [error.kind, `${body.type} ${body.code}`]
}

test("every refusal is OpenAI's envelope around its message", () => {
  const bodies = EVERY_ERROR.map((error) => JSON.parse(openai.errorBody(error)))
  expect(bodies).toEqual(
    EVERY_ERROR.map((error) => ({
      error: {
        message: messageOf(error),
        type: expect.any(String),
        param: error.kind === 'bad-request' ? (error.param ?? null) : null,
        code: expect.any(String),
      },
    })),
  )
})

test('each kind has its type and code', () => {
  const ownWords = EVERY_ERROR.filter(
    ({ kind }) => kind !== 'upstream-refused' && kind !== 'limit-reached',
  )
  expect(Object.fromEntries(ownWords.map(typeAndCode))).toEqual({
    'bad-host': 'invalid_request_error invalid_host',
    'bad-path': 'not_found_error not_found',
    'bad-request': 'invalid_request_error invalid_request',
    'body-too-large': 'invalid_request_error request_too_large',
    'body-encoded': 'invalid_request_error unsupported_encoding',
    'request-too-slow': 'invalid_request_error request_timeout',
    loop: 'server_error loop_detected',
    'upgrade-refused': 'invalid_request_error upgrade_not_supported',
    'method-not-allowed': 'invalid_request_error method_not_allowed',
    'route-unknown': 'not_found_error not_found',
    'credential-missing': 'authentication_error missing_api_key',
    'credential-malformed': 'authentication_error malformed_api_key',
    'credential-unknown': 'authentication_error invalid_api_key',
    'credentials-conflict': 'invalid_request_error conflicting_api_keys',
    'basic-not-here': 'authentication_error invalid_api_key',
    'key-expired': 'authentication_error expired_api_key',
    'key-disabled': 'authentication_error disabled_api_key',
    'scope-missing': 'permission_error scope_missing',
    'cross-site': 'permission_error cross_site_request',
    'model-missing': 'invalid_request_error model_missing',
    'model-unknown': 'not_found_error model_not_found',
    'prompt-too-long': 'invalid_request_error context_length_exceeded',
    'overflow-loop': 'invalid_request_error compaction_did_not_help',
    'key-queue-full': 'rate_limit_error rate_limit_exceeded',
    'queue-full': 'server_error queue_full',
    'waited-too-long': 'server_error queue_timeout',
    'model-not-loaded': 'server_error model_not_loaded',
    draining: 'server_error gate_stopping',
    'counters-unavailable': 'server_error counters_unavailable',
    'upstream-unreachable': 'server_error upstream_unavailable',
    'upstream-broken': 'server_error upstream_failed',
    'upstream-timeout': 'server_error upstream_timeout',
    'upstream-busy': 'server_error upstream_busy',
    'upstream-key-refused': 'server_error upstream_key_refused',
    'upstream-not-llama-swap': 'server_error upstream_misconfigured',
    'model-loading': 'server_error model_loading',
    'model-load-failed': 'server_error model_load_failed',
    'stream-cut': 'server_error stream_interrupted',
    internal: 'server_error internal_error',
  })
})

test.each<[LimitName, string]>([
  ['requests-per-minute', 'rate_limit_error rate_limit_exceeded'],
  ['tokens-per-minute', 'rate_limit_error rate_limit_exceeded'],
  ['tokens-per-day', 'insufficient_quota insufficient_quota'],
  ['concurrent', 'rate_limit_error concurrency_limit_exceeded'],
])('the limit %s has type and code %s', (limit, expected) => {
  const tokens = { needed: 1, left: 0 }
  const error: GateError = { kind: 'limit-reached', limit, retryAfterMs: 1000, tokens }
  expect(typeAndCode(error)).toEqual(['limit-reached', expected])
})

describe("upstream's own refusal", () => {
  const refused = { kind: 'upstream-refused', message: 'No.' } as const

  test('keeps its type and code', () => {
    const error = { ...refused, status: 501, type: 'not_supported_error', code: 'no_rerank' }
    expect(JSON.parse(openai.errorBody(error))).toEqual({
      error: { message: 'No.', type: 'not_supported_error', param: null, code: 'no_rerank' },
    })
  })

  test.each([
    [400, 'invalid_request_error'],
    [404, 'not_found_error'],
    [409, 'invalid_request_error'],
    [500, 'server_error'],
  ])('with status %d and without a type is a %s', (status, type) => {
    expect(JSON.parse(openai.errorBody({ ...refused, status }))).toEqual({
      error: { message: 'No.', type, param: null, code: 'upstream_error' },
    })
  })

  test('that is final gets our type where its own would make OpenCode retry', () => {
    const error = { ...refused, status: 400, type: 'server_error', code: 'error_500' }
    expect(JSON.parse(openai.errorBody(error))).toEqual({
      error: { message: 'No.', type: 'invalid_request_error', param: null, code: 'upstream_error' },
    })
  })
})

describe('a final refusal', () => {
  const finals = EVERY_ERROR.filter(
    (error) => statusOf(error) < 500 && !isRetryable(error) && error.kind !== 'prompt-too-long',
  )

  test.each(finals)('$kind holds nothing on which OpenCode retries', (error) => {
    expect(retryTriggersIn(openai.errorBody(error))).toEqual([])
  })

  test('holds nothing of the kind, whatever a client or upstream wrote', () => {
    const part = fc.oneof(
      fc.constantFrom(...RETRY_TRIGGERS),
      fc.constantFrom('5', '0', '2', '4', '\u0005', '\ud850', '"', '\\', '\n'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const bodies = finalErrorsSaying(parts.join('')).map((error) => openai.errorBody(error))
        expect(bodies.flatMap(retryTriggersIn)).toEqual([])
      }),
      { numRuns: 200 },
    )
  })

  test('names the parameter at most in its first letters', () => {
    const error: GateError = { kind: 'bad-request', detail: 'Twice.', param: 'p'.repeat(100_000) }
    expect(openai.errorBody(error).length).toBeLessThan(300)
  })
})

describe('in a stream', () => {
  test('an error is one data frame that holds the same body on one line', () => {
    expect(EVERY_ERROR.map((error) => openai.errorFrame(error))).toEqual(
      EVERY_ERROR.map((error) => `data: ${openai.errorBody(error)}\n\n`),
    )
    const multiline = openai.errorFrame({ kind: 'bad-request', detail: 'a\n\nb\r\nc' })
    expect(multiline.match(/[\r\n]/g)).toEqual(['\n', '\n'])
  })

  test('the heartbeat is a comment', () => {
    expect(openai.heartbeat).toBe(': keep-alive\n\n')
  })
})
