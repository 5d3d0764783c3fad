import { expect, test } from 'vitest'
import { expandEnv, namesUnset } from '../../../../src/llama-swap/config/expand-env.ts'

test.each([
  ['a plain value', '${env.A}/x', '/models/x'],
  ['twice', '${env.A}${env.A}', '/models/models'],
  ['quotes and backslashes', '${env.B}', String.raw`C:\\x \"y\"`],
  ['other macros', '${A} ${env.} ${env.1} $env.A', '${A} ${env.} ${env.1} $env.A'],
  ['what a replacement could take for a pattern', '${env.C}', '$& $1'],
])('the value of a variable stands in its place: %s', (_what, text, expanded) => {
  const env = { A: '/models', B: String.raw`C:\x "y"`, C: '$& $1' }
  expect(expandEnv(text, env)).toBe(expanded)
})

test('a name that every object has is no variable', () => {
  expect(namesUnset(expandEnv('${env.constructor}', {})).names).toEqual(['constructor'])
})

test.each([
  ['is not set', {}],
  ['has several lines', { A: 'x\ny' }],
])('a variable that %s leaves a mark that YAML reads as text', (_what, env) => {
  const marked = expandEnv('[${env.A}, b ${env.A}]', env)
  expect(marked).not.toContain('{')
  expect(namesUnset(marked)).toEqual({ names: ['A', 'A'], written: '[${env.A}, b ${env.A}]' })
})
