import { readFileSync } from 'node:fs'
import { array, assert, constantFrom, dictionary, letrec, oneof, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { NO_MODEL_CONFIG, type ModelConfig } from '../../../../src/llama-swap/model-config.ts'
import { allowsModel, NO_NAMES, type ModelNames } from '../../../../src/llama-swap/model-names.ts'
import { readModelConfig } from '../../../../src/llama-swap/config/read-config.ts'

/** The names as plain objects, easy to compare. */
function plain({ ids, aliases, selectors, pins }: ModelNames): object {
  return {
    ids: [...ids],
    aliases: Object.fromEntries(aliases),
    selectors: Object.fromEntries(selectors),
    pins: Object.fromEntries(pins),
  }
}

function names(text: string): object {
  return plain(readModelConfig([text], {}).names)
}

const NOTHING = plain(NO_NAMES)

test("the example of llama-swap's configuration has three models, one with an alias", () => {
  const example = new URL('../../../../config.yaml.example', import.meta.url)
  expect(names(readFileSync(example, 'utf8'))).toEqual({
    ids: ['gpt-oss-120b', 'glm-4.7-flash', 'qwen3-coder-next'],
    aliases: { coder: 'qwen3-coder-next' },
    selectors: {},
    pins: {},
  })
})

describe('models', () => {
  test('are known with their aliases, listed or not', () => {
    const text = `
models:
  a:
    cmd: llama-server
    aliases: [x, y]
    unlisted: true
  "org/b:Q4":
    cmd: llama-server
`
    expect(names(text)).toEqual({
      ids: ['a', 'org/b:Q4'],
      aliases: { x: 'a', y: 'a' },
      selectors: {},
      pins: {},
    })
  })

  test('have an alias for every key of setParamsByID', () => {
    const text = `
models:
  a:
    filters:
      setParamsByID:
        a: { temperature: 0 }
        "\${MODEL_ID}:high": { reasoning_effort: high }
        fast: { reasoning_effort: low }
`
    expect(names(text)).toEqual({
      ids: ['a'],
      aliases: { 'a:high': 'a', fast: 'a' },
      selectors: {},
      pins: {},
    })
  })

  test('win over aliases of the same name, wherever these stand', () => {
    const text = `
models:
  a: { aliases: [b, c] }
  b: { aliases: [a] }
`
    expect(names(text)).toEqual({ ids: ['a', 'b'], aliases: { c: 'a' }, selectors: {}, pins: {} })
  })

  test('have names that look like numbers, dates or truth values', () => {
    const text = `
models:
  7: { aliases: [1.10, 0x10, yes, 2026-01-01, ~] }
`
    expect(names(text)).toEqual({
      ids: ['7'],
      aliases: { '1.10': '7', '0x10': '7', yes: '7', '2026-01-01': '7', '~': '7' },
      selectors: {},
      pins: {},
    })
  })

  test('may share what they say through YAML anchors and merge keys', () => {
    const text = `
shared: &shared
  aliases: [x]
models:
  a:
    <<: *shared
    cmd: llama-server
`
    expect(names(text)).toMatchObject({ ids: ['a'], aliases: { x: 'a' } })
  })
})

describe('selectors', () => {
  test('are known with their targets, which may be numbers, too', () => {
    const text = `
models: { a: {}, 7: {} }
selectors:
  fast: { strategy: warm, targets: [a, 7] }
  empty: { strategy: pin }
`
    expect(names(text)).toMatchObject({ selectors: { fast: ['a', '7'], empty: [] } })
  })
})

describe('profiles', () => {
  test('pin names to what any of them may put in place', () => {
    const text = `
models: { a: {}, b: {}, 7: {} }
profiles:
  day: { pins: { a: b, default: a } }
  night: { pins: { a: 7 } }
`
    expect(names(text)).toMatchObject({ pins: { a: ['b', '7'], default: ['a'] } })
  })

  test('lead nowhere where a pin has no target', () => {
    const text = `
profiles:
  day: { pins: { a: ~, b: null, c: "", d: } }
`
    expect(names(text)).toEqual(NOTHING)
  })

  test('of a number are not lost: the model behind must be allowed', () => {
    const { names: box } = readModelConfig(
      ['models: {a: {}, 7: {}}\nprofiles: {day: {pins: {a: 7}}}'],
      {},
    )
    expect([allowsModel(['a'], 'a', box), allowsModel(['a', '7'], 'a', box)]).toEqual([false, true])
  })
})

describe('peers', () => {
  test('offer their models under both names', () => {
    const text = `
peers:
  cloud: { proxy: "https://cloud.example", models: [big, small] }
`
    expect(names(text)).toEqual({
      ids: ['cloud/big', 'cloud/small'],
      aliases: { big: 'cloud/big', small: 'cloud/small' },
      selectors: {},
      pins: {},
    })
  })

  test('that offer the same model are told apart by the full name only', () => {
    const text = `
peers:
  one: { models: [big] }
  two: { models: [big] }
`
    expect(names(text)).toMatchObject({ ids: ['one/big', 'two/big'], aliases: {} })
  })

  test('come after local models and aliases of the same name', () => {
    const text = `
models: { big: {}, a: { aliases: [small] } }
peers:
  cloud: { models: [big, small] }
`
    expect(names(text)).toMatchObject({
      ids: ['big', 'a', 'cloud/big', 'cloud/small'],
      aliases: { small: 'a' },
    })
  })
})

describe('a file with other content', () => {
  test.each([
    ['is empty', ''],
    ['holds only a comment', '# nothing'],
    ['is a list', '- a'],
    ['is text', 'hello'],
    ['has models without content', 'models:\n'],
    ['has models as text', 'models: none'],
    ['has parts of unexpected kinds', 'models: []\nselectors: 7\nprofiles: x\npeers: [y]'],
    ['has profiles in the form of old versions', 'profiles:\n  coding: [a, b]'],
  ])('that %s has no names', (_what, text) => {
    expect(names(text)).toEqual(NOTHING)
  })

  test('keeps what can be read beside what cannot', () => {
    const text = `
models:
  a: ~
  b: { aliases: x }
  c: { aliases: [{ no: name }, y], filters: [] }
`
    expect(names(text)).toMatchObject({ ids: ['a', 'b', 'c'], aliases: { y: 'c' } })
  })

  test.each([
    ['is not YAML', 'models: [a', 'line 1'],
    ['gives a model twice', 'models:\n  a: {}\n  a: {}', 'line 3'],
  ])('that %s is refused with the place', (_what, text, place) => {
    expect(() => readModelConfig([text], {})).toThrow(place)
  })
})

const USUAL_GROUP = { id: 'g', swap: true, exclusive: true, persistent: false, members: ['a'] }

const groups = (text: string): object => readModelConfig([text], {}).groups

describe('groups', () => {
  test('have the defaults of llama-swap', () => {
    expect(groups('groups: { g: { members: [a] } }')).toEqual([USUAL_GROUP])
  })

  test('say which models can be loaded together', () => {
    const text = `
groups:
  g: { swap: false, exclusive: false, persistent: true, members: [a, 7] }
`
    expect(groups(text)).toEqual([
      { id: 'g', swap: false, exclusive: false, persistent: true, members: ['a', '7'] },
    ])
  })

  test('stand at the top in old files and below routing in new ones', () => {
    const text = `
groups: { old: { members: [a] } }
routing: { router: { settings: { groups: { new: { members: [b] } } } } }
`
    expect(groups(text)).toEqual([
      { ...USUAL_GROUP, id: 'old' },
      { ...USUAL_GROUP, id: 'new', members: ['b'] },
    ])
  })

  test.each([
    ['True', true],
    ['TRUE', true],
    ['"true"', true],
    ['false', false],
    ['""', false],
    ['~', false],
    ['[true]', false],
  ])('persistent: %s is %s', (written, persistent) => {
    expect(groups(`groups: { g: { persistent: ${written}, members: [a] } }`)).toEqual([
      { ...USUAL_GROUP, persistent },
    ])
  })

  test('of unexpected kinds have no members', () => {
    expect(groups('groups: { g: none, h: { members: a } }')).toEqual([
      { ...USUAL_GROUP, members: [] },
      { ...USUAL_GROUP, id: 'h', members: [] },
    ])
  })
})

test('the requests that a model takes at a time are what the file says, else ten', () => {
  const text = `
models:
  a: { concurrencyLimit: 2 }
  b: { concurrencyLimit: 0 }
  c: {}
  d: { concurrencyLimit: -1 }
  e: { concurrencyLimit: many }
  f: ~
`
  expect(readModelConfig([text], {}).concurrency).toEqual(
    new Map([
      ['a', 2],
      ['b', 10],
      ['c', 10],
      ['d', 10],
      ['e', 10],
      ['f', 10],
    ]),
  )
})

test('models whose command names llama-server are run by llama.cpp', () => {
  const text = `
models:
  a: { cmd: llama-server -m a.gguf }
  b: { cmd: "env X=1 /opt/llama.cpp/build/bin/llama-server --port 1" }
  c: { cmd: "docker run ghcr.io/ggml-org/llama.cpp:server --name llama-server" }
  d: { cmd: vllm serve d }
  e: { cmd: "/opt/my-llama-servers/run" }
  f: ~
`
  expect(readModelConfig([text], {}).llamaCpp).toEqual(new Set(['a', 'b', 'c']))
})

test('models of peers are remote under their full names', () => {
  const text = 'models: { a: {} }\npeers: { cloud: { models: [big, small] } }'
  expect(readModelConfig([text], {}).remote).toEqual(new Set(['cloud/big', 'cloud/small']))
})

test('a matrix takes the place of groups', () => {
  const settings = 'settings: { groups: { g: { members: [a] } } }'
  expect([
    groups(`routing: { router: { use: matrix, ${settings} } }`),
    groups('matrix: { sets: { s: a } }\ngroups: { g: { members: [a] } }'),
    groups(`routing: { router: { use: group, ${settings} } }`),
  ]).toEqual([[], [], [USUAL_GROUP]])
})

test('several files are one configuration, and what is wrong is told once', () => {
  const files = [
    'models: { a: { cmd: "x ${PORT} ${m}" } }',
    'models: { b: { cmd: "y ${PORT} ${no}", aliases: [c] } }\nmacros: { m: 1 }',
    'models: { a: { aliases: [d] } }',
  ]
  const config = readModelConfig(files, {})
  expect({ ...plainNames(config.names), lines: commandLines(config) }).toEqual({
    ids: ['a', 'b'],
    aliases: { c: 'b' },
    lines: { a: 'x 5800 1', b: undefined },
  })
  expect(config.problems).toEqual([
    'models.a: stands in two files; llama-swap refuses them, and here the first one counts',
    'models.b.cmd: unknown macro ${no}; llama-swap refuses it',
  ])
})

function plainNames({ ids, aliases }: ModelNames): object {
  return { ids: [...ids], aliases: Object.fromEntries(aliases) }
}

function commandLines({ models }: ModelConfig): object {
  return Object.fromEntries([...models].map(([id, { commandLine }]) => [id, commandLine]))
}

const KEYS =
  'models cmd macros aliases groups members routing router settings peers profiles pins selectors capabilities context env __proto__ ~ a 4096'.split(
    ' ',
  )

test('any content at all is read without a fault', () => {
  const word = constantFrom(...KEYS, '${a}', '${PORT}', '${env.X}', 'llama-server -c 4k "', '')
  const { content } = letrec<{ content: unknown }>((tie) => ({
    content: oneof(
      { maxDepth: 5 },
      word,
      array(tie('content'), { maxLength: 3 }),
      dictionary(word, tie('content'), { maxKeys: 4 }),
    ),
  }))
  const file = dictionary(word, content, { maxKeys: 5 }).map((value) => stringify(value))
  assert(
    property(array(file, { maxLength: 2 }), (files) => {
      const config = readModelConfig(files, {})
      expect([...config.models.keys()].every((id) => config.names.ids.has(id))).toBe(true)
    }),
  )
})

test('an empty file says nothing at all', () => {
  expect([readModelConfig([], {}), readModelConfig(['', '# nothing'], {})]).toEqual([
    NO_MODEL_CONFIG,
    NO_MODEL_CONFIG,
  ])
})
