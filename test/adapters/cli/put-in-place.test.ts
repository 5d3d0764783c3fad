import {
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { writeConfigTexts } from '../../../adapters/cli/opencode-files.ts'
import { prepareFile } from '../../../adapters/cli/put-in-place.ts'
import { cleanUp, newFolder } from './run-cli.ts'

vi.mock(import('node:fs'), { spy: true })

afterAll(cleanUp)
beforeEach(() => vi.clearAllMocks())

function aFile(mode: number): string {
  const path = join(newFolder(), 'opencode.json')
  writeFileSync(path, 'old')
  chmodSync(path, mode)
  return path
}

test.each([
  [
    'changed while the first one was being written',
    (path: string): void => writeFileSync(path, 'of somebody else'),
    'was changed meanwhile',
  ],
  [
    'gone while the first one was being written',
    (path: string): void => rmSync(path),
    'was changed meanwhile',
  ],
])('what was written is told, and what was not, where the second one is %s', (_, change, words) => {
  const [a, b] = [aFile(0o600), aFile(0o600)]
  vi.mocked(fs.renameSync).mockImplementationOnce(() => change(b))
  const writes = [a, b].map((path) => ({ path, text: 'new', expected: 'old' }))
  expect(writeConfigTexts(writes)).toEqual({
    ok: false,
    exitCode: 1,
    message: `${b} ${words}; written: ${a}; not written: ${b}.`,
  })
})

test('nothing is left of a file that is not moved in', () => {
  const path = aFile(0o600)
  prepareFile(path, 'new').discard()
  expect(readFileSync(path, 'utf8')).toBe('old')
  expect(existsSync(`${path}.${process.pid}.tmp`)).toBe(false)
})

describe('a file that is put in its place', () => {
  test.each([0o600, 0o640, 0o666])('is never open to more people than the old one: %o', (mode) => {
    const path = aFile(mode)
    prepareFile(path, 'new').moveIn()
    expect(vi.mocked(fs.openSync).mock.calls).toContainEqual([
      `${path}.${process.pid}.tmp`,
      'wx',
      mode,
    ])
    expect(statSync(path).mode & 0o777).toBe(mode)
  })

  test('is on the disk before it is moved', () => {
    const path = aFile(0o600)
    prepareFile(path, 'new').moveIn()
    const [synced] = vi.mocked(fs.fsyncSync).mock.invocationCallOrder
    const [moved] = vi.mocked(fs.renameSync).mock.invocationCallOrder
    expect(synced).toBeLessThan(moved ?? 0)
    expect(readFileSync(path, 'utf8')).toBe('new')
  })

  test('goes back to its owner where this process is root', () => {
    const path = aFile(0o600)
    const { uid, gid } = statSync(path)
    vi.clearAllMocks()
    vi.spyOn(process, 'getuid').mockReturnValueOnce(0)
    prepareFile(path, 'new').moveIn()
    expect(vi.mocked(chownSync).mock.calls).toEqual([[`${path}.${process.pid}.tmp`, uid, gid]])
  })

  test('belongs to whoever writes it where this process is not', () => {
    const path = aFile(0o600)
    vi.spyOn(process, 'getuid').mockReturnValueOnce(1000)
    prepareFile(path, 'new').moveIn()
    expect(vi.mocked(chownSync).mock.calls).toEqual([])
  })
})
