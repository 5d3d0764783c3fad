import { expect, test } from 'vitest'
import { placeholdersIn, substituteBare } from '../../../src/opencode/substitute.ts'

test('finds what OpenCode replaces: {file:} also in comments, but for lines that begin with //', () => {
  const text = `{ "a": "{file:one}", // {file:two}
  // {file:three}
  /* {file:four} */ "b": {env:FIVE}
}`
  expect(placeholdersIn(text).map(({ kind, name }) => [kind, name])).toEqual([
    ['file', 'one'],
    ['file', 'two'],
    ['file', 'four'],
    ['env', 'FIVE'],
  ])
  expect(placeholdersIn('{file:x}')).toEqual([{ kind: 'file', name: 'x', offset: 0 }])
})

test('replaces what stands outside of quotes and comments, and never a key in quotes', () => {
  const text = `{ "key": "{env:KEY}", "odd\\"": {env:A} /* {env:B} */, // {env:C}
  "d": {file:d} }`
  expect(substituteBare(text, ({ kind, name }) => `<${kind} ${name}>`)).toBe(
    `{ "key": "{env:KEY}", "odd\\"": <env A> /* {env:B} */, // {env:C}
  "d": <file d> }`,
  )
})
