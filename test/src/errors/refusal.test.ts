import { describe, expect, test } from 'vitest'
import { voiceOf } from '../../../src/dialects/dialect-of.ts'
import type { Dialect } from '../../../src/dialects/dialect.ts'
import { headersOf, statusOf } from '../../../src/errors/gate-error.ts'
import { refusalOf } from '../../../src/errors/refusal.ts'
import { EVERY_ERROR } from './every-error.ts'

const DIALECTS: readonly Dialect[] = ['openai', 'anthropic']

describe.each(DIALECTS)('in the dialect of %s', (dialect) => {
  test.each(EVERY_ERROR)('$kind becomes status, fields and bytes', (error) => {
    const body = new TextEncoder().encode(voiceOf(dialect).errorBody(error))
    expect(refusalOf(error, dialect)).toEqual({
      status: statusOf(error),
      headers: [
        ['content-type', 'application/json'],
        ['content-length', String(body.length)],
        ['cache-control', 'no-store'],
        ['swapgate-error', error.kind],
        ...Object.entries(headersOf(error)),
      ],
      body,
    })
  })

  test('a final refusal tells SDKs not to retry', () => {
    const finals = EVERY_ERROR.map((error) => refusalOf(error, dialect)).filter(({ status }) =>
      [400, 401, 403, 404].includes(status),
    )
    expect(finals.length).toBeGreaterThan(10)
    expect(finals.map(({ headers }) => Object.fromEntries(headers)['x-should-retry'])).toEqual(
      finals.map(() => 'false'),
    )
  })

  test('the length counts bytes, not letters', () => {
    const { headers, body } = refusalOf({ kind: 'model-unknown', model: 'modèle-😀' }, dialect)
    expect(Object.fromEntries(headers)['content-length']).toBe(String(body.length))
    expect(new TextDecoder().decode(body)).toContain('modèle-😀')
  })

  test('every field is one that fetch and Node accept', () => {
    const fields = EVERY_ERROR.map((error) => refusalOf(error, dialect).headers)
    expect(() => fields.map((pairs) => new Headers(pairs.map(([n, v]) => [n, v])))).not.toThrow()
  })
})
