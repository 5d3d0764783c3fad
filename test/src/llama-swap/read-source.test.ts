import { describe, expect, test } from 'vitest'
import { readSource } from '../../../src/llama-swap/read-source.ts'
import { field } from '../../../src/llama-swap/read-unknown.ts'

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
