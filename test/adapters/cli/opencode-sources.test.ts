import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { managedFolder, readOpencodeFiles } from '../../../adapters/cli/opencode-sources.ts'
import { cleanUp, newFolder } from './run-cli.ts'

afterAll(cleanUp)

/** A repository with these files in it, seen from its folder `repo/a/b`. */
function aTree(files: Record<string, string>): { home: string; env: NodeJS.ProcessEnv } {
  const home = newFolder()
  for (const folder of ['repo/.git', 'repo/a/b']) mkdirSync(join(home, folder), { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true })
    writeFileSync(join(home, name), text)
  }
  const INIT_CWD = join(home, 'repo/a/b')
  return {
    home,
    env: { INIT_CWD, npm_lifecycle_event: 'x', HOME: home, XDG_CONFIG_HOME: join(home, 'config') },
  }
}

function namesOf(read: ReturnType<typeof readOpencodeFiles>): string[] {
  return read.ok ? read.files.map(({ name }) => name) : [read.message]
}

const EVERYWHERE = Object.fromEntries(
  [
    'opencode.json',
    'config/opencode/opencode.jsonc',
    'config/opencode/opencode.json',
    'config/opencode/config.json',
    'own.json',
    'repo/opencode.json',
    'repo/a/opencode.jsonc',
    'repo/a/b/opencode.jsonc',
    'repo/a/b/opencode.json',
    'repo/a/.opencode/opencode.json',
    'repo/a/b/.opencode/opencode.jsonc',
    '.opencode/opencode.json',
    'more/opencode.json',
  ].map((name) => [name, '{}']),
)

test('all files are read in the order of OpenCode, from the root of the repository down', () => {
  const { home, env } = aTree(EVERYWHERE)
  const global = ['config.json', 'opencode.json', 'opencode.jsonc'].map((name) =>
    join(home, 'config/opencode', name),
  )
  const own = {
    OPENCODE_CONFIG: join(home, 'own.json'),
    OPENCODE_CONFIG_DIR: join(home, 'more'),
    OPENCODE_CONFIG_CONTENT: '{ "a": 1 }',
  }
  expect(namesOf(readOpencodeFiles(undefined, { ...env, ...own }))).toEqual([
    ...global,
    '../../../own.json',
    '../../opencode.json',
    '../opencode.jsonc',
    'opencode.json',
    'opencode.jsonc',
    '.opencode/opencode.jsonc',
    '../.opencode/opencode.json',
    '../../../.opencode/opencode.json',
    '../../../more/opencode.json',
    'OPENCODE_CONFIG_CONTENT',
  ])
  expect(
    namesOf(readOpencodeFiles(undefined, { ...env, OPENCODE_DISABLE_PROJECT_CONFIG: '1' })),
  ).toEqual([...global, '../../../.opencode/opencode.json'])
})

test('a named file stands for those of the project, and counts once', () => {
  const files = { 'config/opencode/opencode.json': '{}', 'repo/opencode.json': '{}' }
  const { home, env } = aTree(files)
  const global = join(home, 'config/opencode/opencode.json')
  expect(namesOf(readOpencodeFiles('gone.json', env))).toEqual(['there is no file gone.json.'])
  symlinkSync(global, join(home, 'repo/a/b/link.json'))
  expect(namesOf(readOpencodeFiles(join(home, 'repo/opencode.json'), env))).toEqual([
    global,
    '../../opencode.json',
  ])
  expect(namesOf(readOpencodeFiles(join(home, 'repo/a/b/link.json'), env))).toEqual(['link.json'])
})

test('what is managed for all users of the machine comes last, and is not written unless it is named', () => {
  const { home, env } = aTree({
    'repo/a/b/opencode.json': '{ "a": 1 }',
    'managed/opencode.json': '{ "a": 2 }',
    'managed/opencode.jsonc': '{ "a": 3 }',
  })
  const folder = join(home, 'managed')
  const all = {
    ...env,
    OPENCODE_CONFIG_CONTENT: '{ "a": 4 }',
    OPENCODE_TEST_MANAGED_CONFIG_DIR: folder,
  }
  const whyOf = (named?: string): Array<[string, string | undefined]> => {
    const read = readOpencodeFiles(named, all)
    return read.ok ? read.files.map(({ name, untouched }) => [name, untouched]) : []
  }
  const managed = 'it is managed for all users of this machine'
  expect(whyOf()).toEqual([
    ['opencode.json', undefined],
    ['OPENCODE_CONFIG_CONTENT', 'it stands in a variable'],
    [join(folder, 'opencode.json'), managed],
    [join(folder, 'opencode.jsonc'), managed],
  ])
  expect(whyOf(join(folder, 'opencode.jsonc'))).toEqual([
    ['OPENCODE_CONFIG_CONTENT', 'it stands in a variable'],
    [join(folder, 'opencode.json'), managed],
    [join(folder, 'opencode.jsonc'), undefined],
  ])
})

test.each([
  ['linux', '/etc/opencode'],
  ['darwin', '/Library/Application Support/opencode'],
  ['freebsd', '/etc/opencode'],
] as const)('on %s the managed files are in %s', (platform, folder) => {
  expect(managedFolder({}, platform)).toBe(folder)
})

test('without a repository all folders above count', () => {
  const home = newFolder()
  mkdirSync(join(home, 'a'))
  for (const name of ['opencode.json', 'a/opencode.json']) writeFileSync(join(home, name), '{}')
  const env = {
    INIT_CWD: join(home, 'a'),
    npm_lifecycle_event: 'x',
    HOME: home,
    XDG_CONFIG_HOME: home,
  }
  expect(namesOf(readOpencodeFiles(undefined, env))).toEqual(['../opencode.json', 'opencode.json'])
})

test('of several files only the one that is named may be written', () => {
  const { env, home } = aTree({ 'own.json': '{}', 'config/opencode/opencode.json': '{}' })
  symlinkSync(join(home, 'own.json'), join(home, 'link.json'))
  const read = readOpencodeFiles(join(home, 'link.json'), { ...env, OPENCODE_CONFIG_CONTENT: '{}' })
  const files = read.ok ? read.files : []
  expect(files.map(({ untouched }) => untouched)).toEqual([
    'it is not the file that was named',
    undefined,
    'it stands in a variable',
  ])
})

test('a file is read as OpenCode does, which replaces before it reads', () => {
  const text = '{ "a": {env:CTX}, "b": "{env:KEY}", "c": "x" /* {file:n} */ }'
  const { env } = aTree({ 'repo/a/b/opencode.json': text })
  const read = readOpencodeFiles(undefined, { ...env, CTX: '4096', KEY: 'sk-very-secret' })
  const files = read.ok ? read.files : []
  expect(files.map(({ document, ...file }) => ({ ...file, value: document.value }))).toEqual([
    {
      name: 'opencode.json',
      text,
      untouched: 'the file is JSON only after OpenCode has replaced {env:…} and {file:…}',
      value: { a: 4096, b: '{env:KEY}', c: 'x' },
    },
  ])
})

test.each([
  ['{ "a": }', 'opencode.json:1:8: a value is expected. OpenCode cannot read it, either.'],
  [
    '{ "a": {env:NO} }',
    'opencode.json:1:9: a value is expected. OpenCode puts nothing in the place of a variable that is not set here: NO.',
  ],
  [
    '{ "a": {env:HOME} }',
    'opencode.json:1:8: this is not JSON. So it is with {env:…} and {file:…} replaced as they are here.',
  ],
  [
    `{ "a": {env:${'c0ffee'.repeat(5)}} }`,
    'opencode.json:1:9: a value is expected. So it is with {env:…} and {file:…} replaced as they are here.',
  ],
  ['', undefined],
])('%j gives %j', (text, message) => {
  const { env } = aTree({ 'repo/a/b/opencode.json': text })
  expect(namesOf(readOpencodeFiles(undefined, env))).toEqual(message === undefined ? [] : [message])
})
