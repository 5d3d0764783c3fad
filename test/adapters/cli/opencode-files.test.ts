import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { isShared } from '../../../adapters/cli/is-shared.ts'
import {
  globalFile,
  readConfigText,
  workingFolder,
  writeConfigText,
  writeConfigTexts,
} from '../../../adapters/cli/opencode-files.ts'
import { cleanUp, newFolder } from './run-cli.ts'

afterAll(cleanUp)

describe('a configuration file of the user', () => {
  test('is replaced in one step, with its rights, and nothing is left beside it', () => {
    const folder = newFolder()
    const path = join(folder, 'opencode.json')
    writeFileSync(path, 'old')
    chmodSync(path, 0o640)
    expect(writeConfigText(path, 'new')).toBeUndefined()
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(statSync(path).mode & 0o777).toBe(0o640)
    expect(readdirSync(folder)).toEqual(['bin', 'opencode.json'])
  })

  test('keeps the link that leads to it', () => {
    const folder = newFolder()
    const link = join(folder, 'opencode.json')
    mkdirSync(join(folder, 'dotfiles'))
    symlinkSync('dotfiles/opencode.json', link)
    expect(writeConfigText(link, 'first')).toBeUndefined()
    expect(writeConfigText(link, 'second')).toBeUndefined()
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(join(folder, 'dotfiles/opencode.json'), 'utf8')).toBe('second')
    expect(readdirSync(join(folder, 'dotfiles'))).toEqual(['opencode.json'])
  })

  test('keeps its byte order mark', () => {
    const path = join(newFolder(), 'opencode.json')
    writeFileSync(path, '\uFEFF{}')
    expect(readConfigText(path)).toEqual({ ok: true, text: '{}' })
    writeConfigText(path, '{ }')
    expect(readFileSync(path, 'utf8')).toBe('\uFEFF{ }')
  })

  test.each([
    ['Latin-1', Buffer.from('{ "name": "B\xFCro" }', 'latin1')],
    ['UTF-16 with its mark', Buffer.from('\uFEFF{}', 'utf16le')],
    ['UTF-16 without', Buffer.from('{}', 'utf16le')],
  ])('that is not UTF-8 is not read: %s', (_, bytes) => {
    const path = join(newFolder(), 'opencode.json')
    writeFileSync(path, bytes)
    expect(readConfigText(path)).toEqual({
      ok: false,
      exitCode: 2,
      message: `${path} is not UTF-8; nothing was written. Save it as UTF-8 first. (In PowerShell 5 ">" writes UTF-16: "| Out-File -Encoding utf8 ${path}" does not.)`,
    })
  })

  test('is read and written whatever letters are in it', () => {
    const path = join(newFolder(), 'opencode.json')
    writeFileSync(path, '\uFEFF{ "name": "Büro \uFFFD \u{1F600}" }')
    const read = readConfigText(path)
    expect(read).toEqual({ ok: true, text: '{ "name": "Büro \uFFFD \u{1F600}" }' })
  })

  test('that is no UTF-8 any more when its turn comes is left alone', () => {
    const path = join(newFolder(), 'opencode.json')
    const bytes = Buffer.from('"B\xFCro"', 'latin1')
    writeFileSync(path, bytes)
    expect(writeConfigText(path, '"new"', '"B\uFFFDro"')).toMatchObject({
      ok: false,
      message: `${path} was changed meanwhile; nothing was written.`,
    })
    expect(readFileSync(path)).toEqual(bytes)
  })

  test('is made together with its folder', () => {
    const path = join(newFolder(), 'a/b/opencode.json')
    expect(readConfigText(path)).toEqual({ ok: true, text: undefined })
    expect(writeConfigText(path, '{}')).toBeUndefined()
    expect(readFileSync(path, 'utf8')).toBe('{}')
  })

  test('is left as it is where nothing can be written', () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'file'), '')
    expect(writeConfigText(join(folder, 'file/opencode.json'), '{}')).toMatchObject({
      ok: false,
      exitCode: 1,
      message: expect.stringContaining('file/opencode.json cannot be written: '),
    })
  })

  test('is for its owner only when it is new, whatever the umask', () => {
    const path = join(newFolder(), 'opencode.json')
    expect(writeConfigText(path, '{}')).toBeUndefined()
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('is left alone when it is read-only', () => {
    const path = join(newFolder(), 'opencode.json')
    writeFileSync(path, 'old')
    chmodSync(path, 0o444)
    expect(writeConfigText(path, 'new')).toEqual({
      ok: false,
      exitCode: 1,
      message: `${path} cannot be written: it is read-only`,
    })
    expect(readFileSync(path, 'utf8')).toBe('old')
  })

  test('is left alone while another one is being written in its place', () => {
    const path = join(newFolder(), 'opencode.json')
    const unfinished = `${path}.${process.pid}.tmp`
    writeFileSync(path, 'old')
    writeFileSync(unfinished, 'of somebody else')
    expect(writeConfigText(path, 'new')).toMatchObject({
      ok: false,
      message: expect.stringContaining('EEXIST'),
    })
    expect([path, unfinished].map((each) => readFileSync(each, 'utf8'))).toEqual([
      'old',
      'of somebody else',
    ])
  })

  test.each([
    ['old', undefined, 'new'],
    ['changed', 'was changed meanwhile; nothing was written.', 'changed'],
  ])('is written only where what was read still stands there: %s', (now, words, left) => {
    const folder = newFolder()
    const path = join(folder, 'opencode.json')
    writeFileSync(path, `\uFEFF${now}`)
    expect(writeConfigText(path, 'new', 'old')).toEqual(
      words && { ok: false, exitCode: 1, message: `${path} ${words}` },
    )
    expect(readFileSync(path, 'utf8')).toBe(`\uFEFF${left}`)
    expect(readdirSync(folder)).toEqual(['bin', 'opencode.json'])
  })

  test.each([
    ['read-only', 'cannot be written: it is read-only; nothing was written.', 0o444, 'old'],
    ['changed meanwhile', 'was changed meanwhile; nothing was written.', 0o644, 'changed'],
  ])('is not written where one beside it is %s', (_, ...[words, mode, second]) => {
    const folder = newFolder()
    const [a, b] = [join(folder, 'a.json'), join(folder, 'b.json')]
    writeFileSync(a, 'old')
    writeFileSync(b, second)
    chmodSync(b, mode)
    const writes = [a, b].map((path) => ({ path, text: 'new', expected: 'old' }))
    expect(writeConfigTexts(writes)).toEqual({ ok: false, exitCode: 1, message: `${b} ${words}` })
    expect(readFileSync(a, 'utf8')).toBe('old')
    expect(readdirSync(folder)).toEqual(['a.json', 'b.json', 'bin'])
  })

  test('for all projects is the one that is there, else opencode.json', () => {
    const folder = newFolder()
    const env = { XDG_CONFIG_HOME: folder }
    expect(globalFile(env)).toBe(join(folder, 'opencode/opencode.json'))
    writeConfigText(join(folder, 'opencode/opencode.jsonc'), '{}')
    expect(globalFile(env)).toBe(join(folder, 'opencode/opencode.jsonc'))
  })
})

test('git is to have a file that it follows, or would follow; not one that it ignores', () => {
  const folder = newFolder()
  const path = join(folder, 'opencode.json')
  writeFileSync(path, '{}')
  const git = (...args: string[]): void => void spawnSync('git', args, { cwd: folder })
  expect(isShared(path)).toBe(false)
  git('init', '--quiet')
  expect(isShared(path)).toBe(true)
  writeFileSync(join(folder, '.gitignore'), 'opencode.json\n')
  expect(isShared(path)).toBe(false)
  git('add', '--force', 'opencode.json')
  expect(isShared(path)).toBe(true)
})

test('the folder is the one that the person stands in, also where npm has changed it', () => {
  const INIT_CWD = '/home/me/project'
  expect(workingFolder({ INIT_CWD, npm_lifecycle_event: 'swapgate' })).toBe(INIT_CWD)
  expect(workingFolder({ INIT_CWD })).toBe(process.cwd())
  expect(workingFolder({ npm_lifecycle_event: 'swapgate' })).toBe(process.cwd())
})
