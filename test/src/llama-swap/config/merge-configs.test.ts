import { describe, expect, test } from 'vitest'
import { mergeConfigs } from '../../../../src/llama-swap/config/merge-configs.ts'

function merge(...sources: unknown[]): object {
  const problems: string[] = []
  return { config: mergeConfigs(sources, (problem) => void problems.push(problem)), problems }
}

const groups = (x: string): object => ({ routing: { router: { settings: { groups: { g: x } } } } })

describe('several files', () => {
  test('add up: mappings key by key, lists one behind the other', () => {
    expect(
      merge(
        { models: { a: { cmd: 'x' } }, apiKeys: ['k'], hooks: { on: '1' }, startPort: '' },
        '',
        { models: { b: { cmd: 'y' } }, apiKeys: ['l'], hooks: { off: '2' }, startPort: '9' },
        { macros: { m: '1' }, startPort: '~' },
      ),
    ).toEqual({
      config: {
        models: { a: { cmd: 'x' }, b: { cmd: 'y' } },
        apiKeys: ['k', 'l'],
        hooks: { on: '1', off: '2' },
        startPort: '9',
        macros: { m: '1' },
      },
      problems: [],
    })
  })

  test('that have the same model, group or peer are told; the first one counts', () => {
    expect(
      merge(
        { models: { a: { cmd: 'x' } }, peers: { p: {} }, ...groups('1') },
        { models: { a: { name: 'y' } }, peers: { p: {} }, ...groups('2') },
      ),
    ).toEqual({
      config: { models: { a: { cmd: 'x' } }, peers: { p: {} }, ...groups('1') },
      problems: [
        'models.a: stands in two files; llama-swap refuses them, and here the first one counts',
        'peers.p: stands in two files; llama-swap refuses them, and here the first one counts',
        'routing.router.settings.groups.g: stands in two files; llama-swap refuses them, and here the first one counts',
      ],
    })
  })

  test('that contradict each other are told; the first one counts', () => {
    expect(
      merge({ macros: { c: '1', d: '2' }, peers: [] }, { macros: { c: '3', d: '2' }, peers: {} }),
    ).toEqual({
      config: { macros: { c: '1', d: '2' }, peers: [] },
      problems: [
        'macros.c: two files say different things; llama-swap refuses them',
        'peers: two files say different things; llama-swap refuses them',
      ],
    })
  })

  test.each([
    ['are not there', []],
    ['are empty', ['', undefined, '~']],
  ])('that %s are nothing', (_what, sources) => {
    expect(merge(...sources)).toEqual({ config: undefined, problems: [] })
  })
})
