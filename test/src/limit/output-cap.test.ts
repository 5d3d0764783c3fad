import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withMembers } from '../../../src/body/rewrite-json.ts'
import { scanJsonObject, type ScannedObject } from '../../../src/body/scan-json.ts'
import type { StreamFormat } from '../../../src/dialects/stream-format.ts'
import { allowedOutput, capOutput, type Capped } from '../../../src/limit/output-cap.ts'

const decoder = new TextDecoder()

function membersOf(text: string): ScannedObject {
  const body = new TextEncoder().encode(text)
  const scan = scanJsonObject(body)
  if (!scan.ok) throw new Error(scan.problem)
  return { body, members: scan.members }
}

/** The text of a request that may have 100 tokens. */
function capped(text: string, format: StreamFormat = 'chat', cap = 100): string {
  const members = membersOf(text)
  const result = capOutput(members, format, cap)
  if (!result.ok) throw new Error(result.error.kind)
  return decoder.decode(withMembers(members, result.changes))
}

describe('a request without a limit', () => {
  test.each<[StreamFormat, string]>([
    ['chat', '{"max_tokens":100,"model":"a"}'],
    ['messages', '{"max_tokens":100,"model":"a"}'],
    ['responses', '{"max_output_tokens":100,"model":"a"}'],
    ['native', '{"n_predict":100,"model":"a"}'],
  ])('of %s gets the one of its format', (format, sent) => {
    expect(capped('{"model":"a"}', format)).toBe(sent)
  })

  test('that is empty gets one, too', () => {
    expect(capped('{}')).toBe('{"max_tokens":100}')
  })

  test.each([
    ['{"max_tokens":null}', '{"max_tokens":100}'],
    ['{"max_completion_tokens":null}', '{"max_tokens":100,"max_completion_tokens":100}'],
    ['{"n_predict":null,"max_tokens":null}', '{"n_predict":100,"max_tokens":100}'],
  ])('but with null in its place, %s, is sent as %s', (text, sent) => {
    expect(capped(text)).toBe(sent)
  })
})

describe('a request that stays below', () => {
  test.each([
    '{"max_tokens":100}',
    '{"max_tokens":1}',
    '{"max_tokens":0}',
    '{ "max_completion_tokens" : 99.5 }',
    '{"max_output_tokens":5}',
    '{"n_predict":1e2}',
    '{"max_tokens":7,"n_predict":8,"max_completion_tokens":null}',
    '{"max_tokens":50,"n":2}',
    '{"max_tokens":50,"prompt":["a","b"]}',
    '{"max_tokens":100,"prompt":[1,2,3]}',
  ])('is sent as it is or with null filled in: %s', (text) => {
    expect(capped(text)).toBe(text.replace('null', '100'))
  })
})

describe('a request that asks for more', () => {
  test.each([
    ['by max_tokens', '{"max_tokens":101}', '{"max_tokens":100}'],
    ['by max_completion_tokens', '{"max_completion_tokens":1e9}', '{"max_completion_tokens":100}'],
    ['by max_output_tokens', '{"max_output_tokens":101}', '{"max_output_tokens":100}'],
    ['by n_predict, which counts most', '{"n_predict":101}', '{"n_predict":100}'],
    [
      'by n_predict behind a small max_tokens',
      '{"max_tokens":5,"n_predict":9999}',
      '{"max_tokens":5,"n_predict":100}',
    ],
    [
      'by max_completion_tokens behind a small max_tokens',
      '{"max_tokens":5,"max_completion_tokens":9999}',
      '{"max_tokens":5,"max_completion_tokens":100}',
    ],
    ['by a number that stands for none', '{"n_predict":-1}', '{"n_predict":100}'],
    ['by a negative limit', '{"max_tokens":-2}', '{"max_tokens":100}'],
    ['by a text', '{"max_tokens":"9999"}', '{"max_tokens":100}'],
    ['by a list', '{"max_tokens":[9999]}', '{"max_tokens":100}'],
    ['by an object', '{"max_tokens":{"a":1}}', '{"max_tokens":100}'],
    ['by true', '{"max_tokens":true}', '{"max_tokens":100}'],
    ['by a number beyond all numbers', '{"max_tokens":1e999}', '{"max_tokens":100}'],
    ['under an escaped name', '{"n_pr\\u0065dict":9999}', '{"n_pr\\u0065dict":100}'],
    ['by two answers', '{"max_tokens":100,"n":2}', '{"max_tokens":50,"n":2}'],
    ['by n_cmpl', '{"max_tokens":100,"n_cmpl":3}', '{"max_tokens":33,"n_cmpl":3}'],
    ['by best_of', '{"max_tokens":100,"best_of":4}', '{"max_tokens":25,"best_of":4}'],
    [
      'by the largest of the three',
      '{"n":2,"best_of":4,"n_cmpl":3}',
      '{"max_tokens":25,"n":2,"best_of":4,"n_cmpl":3}',
    ],
    ['by broken numbers of answers', '{"n":1.5}', '{"max_tokens":50,"n":1.5}'],
    [
      'by several prompts',
      '{"prompt":["a","b","c","d"]}',
      '{"max_tokens":25,"prompt":["a","b","c","d"]}',
    ],
    [
      'by several prompts as tokens',
      '{"prompt":[[1,2],[3]]}',
      '{"max_tokens":50,"prompt":[[1,2],[3]]}',
    ],
    [
      'by several answers to several prompts',
      '{"n":5,"prompt":["a","b"],"max_tokens":11}',
      '{"n":5,"prompt":["a","b"],"max_tokens":10}',
    ],
  ])('%s is sent with less', (_how, text, sent) => {
    expect(capped(text)).toBe(sent)
  })

  test('keeps every other byte, blanks and order included', () => {
    const text = '{ "a" : "max_tokens" ,\n"max_tokens"\t: 500 , "z":{"n_predict":500}}\n'
    expect(capped(text)).toBe(text.replace(': 500', ': 100'))
  })

  test.each(['{"n":1}', '{"n":0}', '{"n":-5}', '{"n":"7"}', '{"n":null}', '{"prompt":[]}'])(
    'does so not by %s',
    (text) => {
      expect(capped(text)).toBe(text.replace('{', '{"max_tokens":100,'))
    },
  )
})

const refusal = (answers: string): Capped => ({
  ok: false,
  error: {
    kind: 'bad-request',
    detail: `This request asks for ${answers} answers, but this key may have 100 tokens in all (limits.maxOutputTokens).`,
    param: 'n',
  },
})

test('a request for more answers than there are tokens is refused', () => {
  expect([
    capOutput(membersOf('{"n":101}'), 'chat', 100),
    capOutput(membersOf('{"n":51,"prompt":["a","b"]}'), 'chat', 100),
    capOutput(membersOf('{"best_of":1e999}'), 'chat', 100),
    capOutput(membersOf('{"n":100}'), 'chat', 100),
  ]).toEqual([
    refusal('101'),
    refusal('102'),
    refusal('Infinity'),
    { ok: true, changes: [['max_tokens', '1']] },
  ])
})

describe('what a request allows itself', () => {
  test.each<[string, number | undefined]>([
    ['{}', undefined],
    ['{"max_tokens":null}', undefined],
    ['{"n_predict":-1}', undefined],
    ['{"max_tokens":"7"}', undefined],
    ['{"max_tokens":7}', 7],
    ['{"max_tokens":0}', 0],
    ['{"max_tokens":7,"n_predict":9}', 9],
    ['{"max_tokens":7,"n_predict":null}', 7],
    ['{"max_tokens":7,"n_predict":-1}', undefined],
    ['{"max_tokens":-1,"max_completion_tokens":7}', undefined],
    ['{"max_tokens":7,"max_output_tokens":"9"}', undefined],
    ['{"max_tokens":7,"n":3}', 21],
    ['{"max_tokens":7,"n":3,"prompt":["a","b"]}', 42],
  ])('by %s is %j', (text, allowed) => {
    expect(allowedOutput(membersOf(text))).toBe(allowed)
  })
})

const FIELDS = ['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n_predict'] as const

test('no request passes that could have more than the cap, however it is written', () => {
  const value = fc.oneof(
    fc.integer({ min: -5, max: 1000 }),
    fc.double({ min: -5, max: 1000, noNaN: true }),
    fc.constantFrom(null, '9', true, [], {}),
  )
  const count = fc.oneof(fc.integer({ min: -1, max: 12 }), fc.constantFrom(null, '3'))
  const request = fc.record(
    {
      ...Object.fromEntries(FIELDS.map((name) => [name, value])),
      n: count,
      n_cmpl: count,
      best_of: count,
      prompt: fc.constantFrom<unknown>('a', [1, 2], ['a', 'b'], [[1], [2], [3]]),
      messages: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  const format = fc.constantFrom<StreamFormat>('chat', 'responses', 'messages', 'native')
  fc.assert(
    fc.property(request, format, fc.integer({ min: 36, max: 500 }), (written, kind, cap) => {
      const sent: Record<string, unknown> = JSON.parse(capped(JSON.stringify(written), kind, cap))
      const counts = [sent['n'], sent['n_cmpl'], sent['best_of']].filter(
        (n): n is number => typeof n === 'number',
      )
      const prompts = { a: 1, '1,2': 1, 'a,b': 2, '1,2,3': 3 }[String(sent['prompt'])] ?? 1
      const limits = FIELDS.flatMap((name) => (name in sent ? [sent[name]] : []))
      expect(limits.length).toBeGreaterThan(0)
      for (const limit of limits) {
        expect(limit).toBeGreaterThanOrEqual(0)
        expect(Number(limit) * Math.max(1, ...counts) * prompts).toBeLessThanOrEqual(cap)
      }
    }),
  )
})
