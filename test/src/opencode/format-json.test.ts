import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changeJsonc } from '../../../src/opencode/edit-jsonc.ts'
import { formatJson } from '../../../src/opencode/format-json.ts'
import { withoutSubstitutions } from '../../../src/opencode/substitution.ts'
import { aModel } from './catalogue-samples.ts'

/** What OpenCode 1.18 replaces in the text of a configuration, before it reads it as JSON. */
const REPLACED = /\{env:[^}]+\}|\{file:[^}]+\}/

const HOSTILE = 'x-{file:~/.ssh/id_rsa}{env:HOME}'
const hostileText = fc
  .array(fc.constantFrom('{env:A}', '{file:/b}', '{', '}', '\\', '"', 'env:', 'file:', 'é', '\n'))
  .map((parts) => parts.join(''))

describe('text of the configuration that reads like a place for a variable or a file', () => {
  test('is written with an escape, as a name, a value or in a list', () => {
    expect(formatJson({ [HOSTILE]: [HOSTILE, { a: HOSTILE }] })).toBe(
      String.raw`{
  "x-\u007bfile:~/.ssh/id_rsa}\u007benv:HOME}": [
    "x-\u007bfile:~/.ssh/id_rsa}\u007benv:HOME}",
    { "a": "x-\u007bfile:~/.ssh/id_rsa}\u007benv:HOME}" }
  ]
}`,
    )
  })

  test('other braces stay as they are', () => {
    expect(formatJson({ a: '{environment} {File:x} {}' })).toBe(
      '{ "a": "{environment} {File:x} {}" }',
    )
  })

  test('is never there for OpenCode, and the same for a reader of JSON', () => {
    const value = fc.dictionary(hostileText, fc.oneof(hostileText, fc.array(hostileText)))
    fc.assert(
      fc.property(value, (each) => {
        const text = formatJson(each)
        expect([REPLACED.test(text), JSON.parse(text)]).toEqual([false, { ...each }])
      }),
    )
  })

  test.each(['{}', '{ "a": 1 }', '{\n  "a": 1\n}\n', '{\n}\n'])(
    'put into %j it is escaped as well, and what the user wrote is not',
    (text) => {
      const users = text.replace('1', '"{env:MINE}"')
      const changed = changeJsonc(users, [
        { path: [HOSTILE], value: 1 },
        { path: ['b', HOSTILE], value: HOSTILE },
      ])
      expect([
        JSON.parse(changed),
        changed.replaceAll('{env:MINE}', '').match(REPLACED),
        changed.includes('{env:MINE}'),
      ]).toEqual([
        { ...JSON.parse(users), [HOSTILE]: 1, b: { [HOSTILE]: HOSTILE } },
        null,
        users.includes('{env:MINE}'),
      ])
    },
  )
})

describe('models whose names read so', () => {
  test('are left out, and a name to show gives way to the id', () => {
    const models = [
      aModel('fine', { name: 'a {file:/etc/passwd}' }),
      aModel('named', { name: 'Named' }),
      aModel('{env:HOME}'),
      aModel('x-{file:~/.ssh/id_rsa}'),
    ]
    expect(withoutSubstitutions(models)).toEqual([{ ...models[0], name: undefined }, models[1]])
  })
})
