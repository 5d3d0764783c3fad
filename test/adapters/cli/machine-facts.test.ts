import { describe, expect, test } from 'vitest'
import { aFile } from '../../src/opencode/check/file-samples.ts'
import { machineFacts } from '../../../adapters/cli/machine-facts.ts'

test.each([
  ['sk-1', 'sk-1', true],
  ['sk-1', 'Bearer sk-1', true],
  ['Bearer sk-1', ' sk-1\n', true],
  ['sk-1', 'sk-2', false],
  ['sk-1', 'sk-11', false],
  ['', '', false],
  [undefined, '', false],
])('that a variable with %j holds %j is %j', (value, literal, expected) => {
  const env = value === undefined ? {} : { MINE: value }
  expect(machineFacts([], { keyVariable: 'MINE' }, env).holds('MINE', literal)).toBe(expected)
})

test.each([
  ['1', true],
  ['True', true],
  ['0', false],
  ['yes', false],
  ['', false],
  [undefined, false],
])(
  'that OpenCode does not compact with OPENCODE_DISABLE_AUTOCOMPACT=%s is %j',
  (value, expected) => {
    const env = { OPENCODE_DISABLE_AUTOCOMPACT: value }
    expect(machineFacts([], { keyVariable: 'MINE' }, env).isCompactionOff).toBe(expected)
  },
)

describe('the files that count for all projects', () => {
  const env = {
    HOME: '/home/me',
    XDG_CONFIG_HOME: '/home/me/.config',
    OPENCODE_CONFIG: '/etc/mine.json',
    OPENCODE_CONFIG_DIR: '/srv/team',
  }
  const outside = [
    '/home/me/.config/opencode/opencode.json',
    '/etc/mine.json',
    '/home/me/.opencode/opencode.jsonc',
    '/srv/team/opencode.json',
  ]
  const files = [...outside, 'opencode.json', '.opencode/opencode.json'].map((name) =>
    aFile(name, '{}'),
  )

  test('are those that stand outside the project', () => {
    const { filesForAll } = machineFacts(files, { keyVariable: 'MINE' }, env)
    expect(filesForAll).toEqual(new Set(outside))
  })

  test('are none where a file was named: the others are not changed anyway', () => {
    const named = { keyVariable: 'MINE', opencodeFile: outside[0] }
    expect(machineFacts(files, named, env).filesForAll).toEqual(new Set())
  })
})
