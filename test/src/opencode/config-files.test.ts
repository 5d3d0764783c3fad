import { expect, test } from 'vitest'
import { checkConfig } from '../../../src/opencode/check/check-config.ts'
import { fixConfig } from '../../../src/opencode/check/fix-config.ts'
import {
  filesToChange,
  holderOf,
  mergedValue,
  type FileChange,
} from '../../../src/opencode/config-files.ts'
import { CLEAN } from './check/check-samples.ts'
import { aCheckOf, aFile } from './check/file-samples.ts'

const GLOBAL = aFile(
  'global',
  '{ "a": { "x": 1, "list": [1, 2] }, "b": 1, "provider": { "p": {} } }',
)
const HERE = aFile('here', '{ "a": { "y": 2, "list": [3] }, "b": null }')
const VARIABLE = aFile('variable', '{ "c": 1, "provider": { "p": {} } }', 'it stands in a variable')
const FILES = [GLOBAL, HERE, VARIABLE]

test('objects are put together, of all else the last one counts', () => {
  expect(mergedValue(FILES)).toEqual({
    a: { x: 1, y: 2, list: [3] },
    b: null,
    c: 1,
    provider: { p: {} },
  })
  expect(mergedValue([])).toEqual({})
})

test.each([
  ['the last file that holds it', ['a', 'list'], 'here'],
  ['the only one that holds it', ['a', 'x'], 'global'],
  ['the one with the longest part of it', ['a', 'y', 'z'], 'here'],
  ['the last one where none holds any', ['z'], 'variable'],
])('a field stands in %s', (_, path, name) => {
  expect(holderOf(FILES, path)?.name).toBe(name)
})

test.each<[string, FileChange, string[]]>([
  ['is changed where it counts', { path: ['a', 'list'], value: [] }, ['here']],
  ['goes out of all files', { path: ['b'], value: undefined }, ['global', 'here']],
  ['goes nowhere when it is not there', { path: ['a', 'z'], value: undefined }, []],
  [
    'is new beside its provider, in a file that may be changed',
    { path: ['provider', 'p', 'npm'], value: '' },
    ['global'],
  ],
  ['is new where providers stand', { path: ['compaction', 'auto'], value: true }, ['global']],
  [
    'goes out of the one that is meant',
    { path: ['b'], value: undefined, file: 'global' },
    ['global'],
  ],
  ['is told to stay where it may not be changed', { path: ['c'], value: 2 }, ['variable']],
])('a field %s', (_, change, names) => {
  expect(filesToChange(FILES, change).map(({ name }) => name)).toEqual(names)
})

test('each finding has its own file, and each file is mended for itself', () => {
  const files = [
    aFile('global.json', CLEAN),
    aFile(
      'opencode.json',
      '{\n  "provider": { "llama-swap": { "models": { "talker": { "limit": { "context": 200000, "output": 16384 } } } } }\n}',
    ),
  ]
  const check = aCheckOf(files)
  expect(checkConfig(check).findings.map(({ code, where }) => [code, where])).toEqual([
    ['context-too-large', 'opencode.json:2'],
  ])
  const mended = fixConfig(check)
  expect(mended.files.map(({ text }) => text)).toEqual([
    CLEAN,
    '{\n  "provider": { "llama-swap": { "models": { "talker": { "limit": { "context": 131072, "output": 16384, "input": 131072 } } } } }\n}',
  ])
  expect(mended.report.findings).toEqual([])
})

test('what stands in a variable is told and left alone', () => {
  const files = [
    aFile('opencode.json', CLEAN),
    aFile(
      'OPENCODE_CONFIG_CONTENT',
      '{ "provider": { "llama-swap": { "options": { "timeout": 300000 } } } }',
      'it stands in a variable',
    ),
  ]
  const { findings } = checkConfig(aCheckOf(files))
  expect(findings.map(({ code, where, fix, changes }) => [code, where, fix, changes])).toEqual([
    [
      'timeout-too-short',
      'OPENCODE_CONFIG_CONTENT:1',
      'Remove it: there is none, unless one is written. --fix leaves it alone: it stands in a variable.',
      [],
    ],
  ])
  expect(fixConfig(aCheckOf(files)).files).toEqual(files)
})

test('a change that another file has a part of is left alone, and that file is named', () => {
  const key = '{ "provider": { "llama-swap": { "options": { "apiKey": "sk-very-secret" } } } }'
  const files = [
    aFile('global.json', CLEAN),
    aFile('below.json', key, 'it is not the file that was named'),
    aFile('opencode.json', key),
  ]
  const left = '--fix leaves it alone: '
  const { findings } = checkConfig(aCheckOf(files))
  expect(findings.map(({ where, fix, changes }) => [where, fix, changes])).toEqual([
    [
      'below.json:1',
      `Take it out and write "env": ["LLAMA_SWAP_API_KEY"]. ${left}it is not the file that was named.`,
      [],
    ],
    [
      'opencode.json:1',
      `Take it out and write "env": ["LLAMA_SWAP_API_KEY"]. ${left}a part of it stands in below.json, and it is not the file that was named.`,
      [],
    ],
  ])
  expect(fixConfig(aCheckOf(files)).files).toEqual(files)
})

test('a value that OpenCode does not take is told of the file that has it, also where another one hides it', () => {
  const files = [aFile('global.json', '{ "model": 1 }'), aFile('opencode.json', CLEAN)]
  expect(checkConfig(aCheckOf(files)).findings.map(({ code, where }) => [code, where])).toEqual([
    ['invalid-field', 'global.json:1'],
  ])
})
