import { describe, expect, test } from 'vitest'
import { expandMacros } from '../../../../src/llama-swap/config/expand-macros.ts'
import { readSource } from '../../../../src/llama-swap/config/read-source.ts'

function expand(text: string): { config: unknown; problems: string[] } {
  const problems: string[] = []
  const tell = (problem: string): void => void problems.push(problem)
  return { config: expandMacros(readSource(text, {}, tell), tell), problems }
}

/** What a configuration of one model `a` becomes, with the macros that are declared around it. */
function modelOf(model: string, macros = ''): unknown {
  const text = `macros: {${macros}}\nmodels:\n  a: {proxy: 'http://x', ${model}}`
  return expand(text)
}

function becomes(model: object, problems: string[] = []): unknown {
  return { config: { models: { a: { proxy: 'http://x', ...model } } }, problems }
}

describe('macros', () => {
  test('of a model go before the global ones of their name', () => {
    expect(modelOf("macros: {c: 3}, cmd: 'x -c ${c} -np ${n}'", 'c: 1, n: 2')).toEqual(
      becomes({ cmd: 'x -c 3 -np 2' }),
    )
  })

  test('may use those that were declared before them', () => {
    expect(modelOf("cmd: 'x ${b}'", "a: 1, b: '-c ${a}'")).toEqual(becomes({ cmd: 'x -c 1' }))
  })

  test('of a model may use global ones, and stand in place of those that other macros use', () => {
    expect(modelOf("macros: {a: 9, c: '${b}!'}, cmd: 'x ${c}'", "a: 1, b: '-c ${a}'")).toEqual(
      becomes({ cmd: 'x -c 9!' }),
    )
  })

  test('may not use those that come later', () => {
    expect(modelOf("cmd: 'x ${a}'", "a: '-c ${b}', b: 1")).toEqual(
      becomes({ cmd: 'x -c ${b}' }, ['models.a.cmd: unknown macro ${b}; llama-swap refuses it']),
    )
  })

  test.each([
    ['4096', '4096'],
    ['0x1000', '4096'],
    ['131_072', '131072'],
    ['0.70', '0.7'],
    ['"0x1000"', '0x1000'],
    ['true', 'true'],
    ['yes', 'yes'],
    ["'a b'", 'a b'],
  ])('that are %s go into a command as %s', (written, text) => {
    expect(modelOf("cmd: 'x ${c}'", `c: ${written}`)).toEqual(becomes({ cmd: `x ${text}` }))
    expect(modelOf(`macros: {c: ${written}}, cmd: 'x \${c}'`)).toEqual(
      becomes({ cmd: `x ${text}` }),
    )
  })

  test('are replaced in lists, mappings and the keys of setParamsByID', () => {
    expect(
      modelOf(
        "aliases: ['${MODEL_ID}-${c}'], metadata: {n: {c: '${c}'}}, filters: {setParamsByID: {'${MODEL_ID}:${c}': {x: '${c}'}}}",
        'c: 7',
      ),
    ).toEqual(
      becomes({
        aliases: ['a-7'],
        metadata: { n: { c: '7' } },
        filters: { setParamsByID: { 'a:7': { x: '7' } } },
      }),
    )
  })

  test('are replaced outside of models, too, by the global ones', () => {
    expect(expand("macros: {g: 'a'}\ngroups: {x: {members: ['${g}']}}")).toEqual({
      config: { groups: { x: { members: ['a'] } }, models: undefined },
      problems: [],
    })
  })

  test('that hold what a replacement could take for a pattern are taken literally', () => {
    expect(modelOf("cmd: 'x ${c}'", "c: '$& $1 $$'")).toEqual(becomes({ cmd: 'x $& $1 $$' }))
  })

  test('in comments of a command do not count', () => {
    const text = `
models:
  a:
    cmd: |
      x \${PORT}
        # \${nobody}
      -c 1
`
    expect(expand(text)).toEqual({
      config: { models: { a: { cmd: 'x 5800\n-c 1\n', proxy: 'http://localhost:5800' } } },
      problems: [],
    })
  })

  test('that nobody declared stay, and are told with their place', () => {
    const text = `
models:
  a: { cmd: 'x \${PORT} \${no}', cmdStop: 'kill \${PID}', metadata: { n: ['\${PID}'] } }
groups: { g: { members: ['\${no}'] } }
own: '\${no}'
`
    expect(expand(text).problems).toEqual([
      'groups.g.members[0]: unknown macro ${no}; llama-swap refuses it',
      'models.a.cmd: unknown macro ${no}; llama-swap refuses it',
      'models.a.metadata.n[0]: unknown macro ${PID}; llama-swap refuses it',
    ])
  })
})

test.each([
  ["'a b': 1", 'macros.a b: a macro has a name of at most 63 letters, digits, _ and -'],
  ['PORT: 1', 'macros.PORT: this name is taken'],
  ['a: [1]', 'macros.a: a macro must be a text, a number or a truth value'],
  ["a: 'x ${a}'", 'macros.a: a macro cannot hold itself'],
])('a macro that llama-swap refuses is told: %s', (macros, problem) => {
  const model = `models: { b: { macros: {${macros}} } }`
  expect([expand(`macros: {${macros}}`).problems, expand(model).problems]).toEqual([
    [`${problem}; llama-swap refuses it`],
    [`models.b.${problem}; llama-swap refuses it`],
  ])
})

describe('ports', () => {
  test('are given in the order of the ids, to commands that name one', () => {
    const text = `
startPort: 9000
macros: { at: '--port \${PORT}' }
models:
  c: { cmd: 'x \${at}', proxy: 'http://localhost:\${PORT}' }
  b: { cmd: 'x', proxy: 'http://localhost:1' }
  a: { cmd: 'x \${PORT}' }
`
    expect(expand(text)).toEqual({
      config: {
        startPort: '9000',
        models: {
          c: { cmd: 'x --port 9001', proxy: 'http://localhost:9001' },
          b: { cmd: 'x', proxy: 'http://localhost:1' },
          a: { cmd: 'x 9000', proxy: 'http://localhost:9000' },
        },
      },
      problems: [],
    })
  })

  test('that neither the command nor the proxy names are told', () => {
    expect(
      expand('models: { a: { cmd: x }, b: { cmd: x, proxy: "http://x:${PORT}" } }').problems,
    ).toEqual([
      'models.a.cmd: has no ${PORT}, and proxy names no port; llama-swap refuses that. Use ${PORT} in cmd, or set proxy',
      'models.b.cmd: has no ${PORT}, and proxy names no port; llama-swap refuses that. Use ${PORT} in cmd, or set proxy',
    ])
  })
})

test.each([
  ['a list', '- a'],
  ['text', 'a'],
  ['models that are a list', 'models: [a]'],
  ['a model that is text', 'models: {a: b}'],
])('%s is left as it is', (_what, text) => {
  const source = readSource(text, {}, () => undefined)
  expect(expand(text)).toEqual({ config: source, problems: [] })
})
