import { expect, test } from 'vitest'
import { tellShapes } from '../../../../src/llama-swap/config/config-shape.ts'
import { readSource } from '../../../../src/llama-swap/config/read-source.ts'

function problemsOf(text: string): string[] {
  const problems: string[] = []
  const tell = (problem: string): void => void problems.push(problem)
  tellShapes(readSource(text, {}, tell), tell)
  return problems
}

test('a configuration in which every part is as llama-swap expects it has no problem', () => {
  const text = `
models:
  a:
    cmd: x
    name: ~
    aliases: [b]
    env: [A=1]
    unlisted: True
    concurrencyLimit: 4
    filters: { setParamsByID: { c: {} } }
    metadata: { anything: [1] }
    capabilities: { in: [text], out: [text], tools: false, reranker: false, context: 8192 }
groups: { g: { members: [a] } }
selectors: { s: { targets: [a] } }
profiles: { p: { pins: { a: ~ } } }
peers: { q: { models: [m] } }
`
  expect(problemsOf(text)).toEqual([])
})

const MODELS = 'models: { a: { cmd: x } }\n'

test.each([
  ['- a', 'the file: must be a mapping with models and the like'],
  ['models: none', 'models: must be a mapping'],
  ['models: [a]', 'models: must be a mapping'],
  ['models: { a: llama-server }', 'models.a: must be a mapping'],
  ['models: { a: ~ }', 'models.a.cmd: is missing, so llama-swap cannot start this model'],
  ['models: { a: { cmd: "" } }', 'models.a.cmd: is missing, so llama-swap cannot start this model'],
  ['models: { a: { cmd: [x] } }', 'models.a.cmd: must be a text'],
  ['models: { a: { cmd: x, aliases: b } }', 'models.a.aliases: must be a list'],
  ['models: { a: { cmd: x, env: { A: 1 } } }', 'models.a.env: must be a list'],
  ['models: { a: { cmd: x, unlisted: maybe } }', 'models.a.unlisted: must be a truth value'],
  [
    'models: { a: { cmd: x, capabilities: { context: 4k } } }',
    'models.a.capabilities.context: must be a number',
  ],
  [
    'models: { a: { cmd: x, capabilities: { in: text } } }',
    'models.a.capabilities.in: must be a list',
  ],
  [`${MODELS}groups: { g: { members: a } }`, 'groups.g.members: must be a list'],
  [`${MODELS}profiles: { day: [a] }`, 'profiles.day: must be a mapping'],
  [`${MODELS}selectors: { s: { targets: a } }`, 'selectors.s.targets: must be a list'],
  [`${MODELS}peers: { p: { models: m } }`, 'peers.p.models: must be a list'],
  [
    'models: { a: { cmd: x, capabilities: { out: [video] } } }',
    'models.a.capabilities.out: llama-swap knows text, audio, image only',
  ],
  [
    'models: { a: { cmd: x, filters: { setParamsByID: { a: {}, b: {} } } }, b: { cmd: x } }',
    'models.a.filters.setParamsByID: b is a model already; llama-swap refuses it',
  ],
  [
    'models: { a: { cmd: x, aliases: [c] }, b: { cmd: x, aliases: [c] } }',
    'models.b.aliases: c is an alias of a already; llama-swap refuses it',
  ],
  [
    `${MODELS}groups: { g: { members: [a] }, h: { members: [a] } }`,
    'groups.h.members: a is in groups.g.members already; llama-swap refuses it',
  ],
  [
    `${MODELS}groups: { g: { members: [a] } }\nrouting: { router: { use: group } }`,
    'groups: llama-swap refuses it beside routing.router; move it there',
  ],
])('what llama-swap does not expect is told with its place: %s', (text, problem) => {
  expect(problemsOf(text)).toEqual([problem])
})
