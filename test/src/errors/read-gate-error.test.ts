import { describe, expect, test } from 'vitest'
import type { Dialect } from '../../../src/dialects/dialect.ts'
import { readGateError } from '../../../src/errors/read-gate-error.ts'
import { headersOf, isRetryable, statusOf, type GateError } from '../../../src/errors/gate-error.ts'
import { refusalOf } from '../../../src/errors/refusal.ts'
import { overflowBody } from '../../support/look-alike/error-answers.ts'
import { EVERY_ERROR } from './every-error.ts'

const decoder = new TextDecoder()
const DIALECTS: Dialect[] = ['openai', 'anthropic']

/** An error as the gate behind this one sends it. */
function sent(error: GateError, dialect: Dialect) {
  const shouldRetry = headersOf(error)['x-should-retry']
  return {
    status: statusOf(error),
    shouldRetry,
    mark: error.kind,
    body: decoder.decode(refusalOf(error, dialect).body),
  }
}

const frameOf = (body: string, dialect: Dialect): string =>
  dialect === 'anthropic' ? `event: error\ndata: ${body}\n\n` : `data: ${body}\n\n`

const isAboutKey = (error: GateError): boolean => [401, 403].includes(statusOf(error))

describe.each(DIALECTS)('in the dialect of %s', (dialect) => {
  test.each(EVERY_ERROR.filter(isAboutKey))('$kind is about the gate’s own key', (error) => {
    expect(readGateError(sent(error, dialect), dialect)).toBeUndefined()
  })

  const passed = EVERY_ERROR.filter(
    (error) => !isAboutKey(error) && error.kind !== 'prompt-too-long',
  )
  test.each(passed)(
    '$kind is passed on, and told in a stream where asking again is no use',
    (error) => {
      const answer = sent(error, dialect)
      // Each 429 is worth a retry to clients that see the status, and only to those.
      const isFinal = !isRetryable(error) && statusOf(error) !== 429
      expect(readGateError(answer, dialect)).toEqual({
        mark: error.kind,
        reason: 'upstream-refused',
        frame: isFinal ? frameOf(answer.body, dialect) : undefined,
      })
    },
  )
})

test.each<[string, Dialect, string]>([
  ['of llama-server', 'openai', overflowBody(70_000, 65_536)],
  [
    'for Anthropic’s clients',
    'anthropic',
    '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 70000 tokens > 65536 maximum"}}',
  ],
])(
  'a prompt that is too long, %s, is known by its status: no frame can tell it',
  (_, dialect, body) => {
    expect(
      readGateError({ status: 400, shouldRetry: 'false', mark: 'x-y', body }, dialect),
    ).toEqual({
      mark: 'x-y',
      reason: 'context-overflow',
      frame: undefined,
    })
  },
)

test('an error over several lines is one line of a frame', () => {
  const body = '{\n  "error": {\r\n    "message": "no"\n  }\n}\n'
  expect(
    readGateError({ status: 400, shouldRetry: 'false', mark: 'x-y', body }, 'openai')?.frame,
  ).toBe('data: {   "error": {     "message": "no"   } }\n\n')
})

test.each([
  [200, '{"error":{"message":"m"}}'],
  [307, ''],
  [407, '{"error":{"message":"m"}}'],
  [502, ''],
  [502, 'Bad Gateway'],
  [502, '<html>'],
  [503, '{"status":"down"}'],
  [503, '{"error":null}'],
  [503, '{"error":7}'],
  [503, 'null'],
])('%d with %j is no error of a gate', (status, body) => {
  expect(
    readGateError({ status, shouldRetry: undefined, mark: 'x-y', body }, 'openai'),
  ).toBeUndefined()
})

test.each([undefined, '', 'upstream-refused, upstream-refused', 'No', '"x"', 'x'.repeat(65)])(
  'an error that is marked with %j is of somebody on the way',
  (mark) => {
    const body = '{"error":{"message":"m"}}'
    expect(readGateError({ status: 400, shouldRetry: 'false', mark, body }, 'openai')).toBe(
      undefined,
    )
  },
)
