import { assert, property, string } from 'fast-check'
import { split } from 'shlex'
import { parse as parseToml } from 'smol-toml'
import { expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { shellWord, tomlString, yamlString } from '../../../src/connect/quoting.ts'

/** Any text but NUL, which no command line can hold. */
const texts = string({ unit: 'binary' }).map((text) => text.replaceAll('\0', ''))

test.each([
  ['qwen3-coder:latest', 'qwen3-coder:latest'],
  ['http://box:3000/v1', 'http://box:3000/v1'],
  ['', "''"],
  ["it's", String.raw`'it'\''s'`],
  ['$(touch x) `y` "z" \\', '\'$(touch x) `y` "z" \\\''],
])('%j is %s to a shell', (text, word) => {
  expect(shellWord(text)).toBe(word)
})

test('a shell reads every word back as it was', () => {
  assert(
    property(texts, texts, (first, second) => {
      expect(split(`${shellWord(first)} ${shellWord(second)}`)).toEqual([first, second])
    }),
  )
})

test('TOML reads every string back as it was', () => {
  assert(
    property(texts, (text) => {
      expect(parseToml(`a = ${tomlString(text)}\nb = 1`)).toEqual({ a: text, b: 1 })
    }),
  )
})

test('YAML reads every string back as it was', () => {
  assert(
    property(texts, (text) => {
      expect(parseYaml(`- a: ${yamlString(text)}\n  b: 1`)).toEqual([{ a: text, b: 1 }])
    }),
  )
})
