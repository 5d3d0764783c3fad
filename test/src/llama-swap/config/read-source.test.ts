import { describe, expect, test } from 'vitest'
import { readSource } from '../../../../src/llama-swap/config/read-source.ts'
import { field } from '../../../../src/json/read-unknown.ts'

function read(text: string, env: Record<string, string> = {}): Read {
  const problems: string[] = []
  return { source: readSource(text, env, (problem) => void problems.push(problem)), problems }
}

type Read = { source: unknown; problems: string[] }

describe('a file', () => {
  test('is mappings, lists and texts; anchors and merge keys are resolved', () => {
    const text = `
shared: &shared { ttl: 0x10, env: [A=1] }
models:
  7: { <<: *shared, name: yes, ttl: ~ }
  b: *shared
`
    const shared = { ttl: '0x10', env: ['A=1'] }
    expect(read(text)).toEqual({
      source: { shared, models: { 7: { ...shared, name: 'yes', ttl: '~' }, b: shared } },
      problems: [],
    })
  })

  test('holds the numbers of macros as llama-swap puts them into texts', () => {
    const text = `
macros: { a: 0x10, b: 1_000, c: "0x10", d: 010, macros.e: 0x10 }
models:
  m.macros.x: { macros: { a: 0x20 }, metadata: { macros: { a: 0x30 } } }
`
    expect(read(text)).toEqual({
      source: {
        macros: { a: '16', b: '1000', c: '0x10', d: '8', 'macros.e': '0x10' },
        models: { 'm.macros.x': { macros: { a: '32' }, metadata: { macros: { a: '0x30' } } } },
      },
      problems: [],
    })
  })

  test('may use an anchor as often as it likes', () => {
    const models = Array.from({ length: 300 }, (_, i) => `  m${i}: { <<: *x }`).join('\n')
    const { source } = read(`x: &x { ttl: 1 }\nmodels:\n${models}`)
    expect(Object.keys(Object(field(source, 'models')))).toHaveLength(300)
  })

  test('gets the values of variables before it is read', () => {
    expect(read('a: [${env.X}]\nb: "${env.Y}"', { X: '1, 2', Y: 'say "x"' })).toEqual({
      source: { a: ['1', '2'], b: 'say "x"' },
      problems: [],
    })
  })

  test('tells which variables are not set, except those in comments', () => {
    const text = 'apiKeys: [${env.X}] # ${env.Z}\nmodels: { a: { cmd: "b ${env.Y}" } }'
    expect(read(text)).toEqual({
      source: { apiKeys: ['${env.X}'], models: { a: { cmd: 'b ${env.Y}' } } },
      problems: [
        'apiKeys[0]: the variable X is not set here; llama-swap does not start without it',
        'models.a.cmd: the variable Y is not set here; llama-swap does not start without it',
      ],
    })
  })
})

/** Lists of nine, each of the one before. */
function bomb(levels: number, list: (alias: string) => string): string {
  const lines = Array.from({ length: levels }, (_, i) => `a${i + 1}: &a${i + 1} ${list(`*a${i}`)}`)
  return ['a0: &a0 {x: 1}', ...lines].join('\n')
}

const NINE = 9
const SECRET = 'sk-TOPSECRET'

describe('a file is refused, with the place and without what stands there,', () => {
  test.each([
    [
      'that grows without end',
      bomb(8, (alias) => `[${Array(NINE).fill(alias).join(', ')}]`),
      'line 6, column 9: with its anchors filled in this holds more than 200,000 values',
    ],
    [
      'that does so in merge keys',
      bomb(8, (alias) => `{<<: [${Array(NINE).fill(alias).join(', ')}]}`),
      'line 6, column 14: with its anchors filled in this holds more than 200,000 values',
    ],
    [
      'whose anchor holds itself',
      'a: 1\nb: &b [*b]',
      'line 2, column 8: an anchor (&) holds itself',
    ],
    [
      'whose anchor is not there',
      `a: *${SECRET}`,
      'line 1, column 4: an alias (*) names an anchor (&) that does not stand before it',
    ],
    [
      'that is too deep',
      `a: ${'['.repeat(300)}${']'.repeat(300)}`,
      'line 1, column 303: lists and mappings stand in one another more than 200 deep',
    ],
    [
      'that is far too deep',
      `a: ${'['.repeat(5000)}${']'.repeat(5000)}`,
      expect.stringMatching(/^line 1, column \d+: .* \(RESOURCE_EXHAUSTION\)$/),
    ],
    [
      'that merges no mapping',
      `a: { <<: ${SECRET} }`,
      'a merge key (<<) must name a mapping, or a list of mappings',
    ],
    [
      'whose bracket is open',
      `a: ["${SECRET}"\nb:\n`,
      expect.stringMatching(/^line 2, column 1: .* \(\w+\)$/),
    ],
    [
      'whose key stands there twice',
      `${SECRET}: 1\n${SECRET}: 2`,
      'line 2, column 1: this key stands there already (DUPLICATE_KEY)',
    ],
  ])('%s', (_, text, message) => {
    const told: unknown[] = []
    try {
      read(text)
    } catch (error) {
      told.push(error instanceof Error && error.message)
    }
    expect(told).toEqual([message])
    expect(JSON.stringify(told)).not.toContain('TOPSECRET')
  })
})
