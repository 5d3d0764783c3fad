import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { holdFile, type Held } from '../../../adapters/sqlite/hold-file.ts'
import { temporaryFolder } from './open-temporary.ts'

async function hold(file: string, waitMs = 0): Promise<Extract<Held, { ok: true }>> {
  const held = await holdFile(file, waitMs)
  if (!held.ok) throw new Error(held.message)
  onTestFinished(held.release)
  return held
}

test('a file is held by one only, and the next may have it after that one', async () => {
  const file = join(temporaryFolder(), 'state', 'usage.db')
  const first = await hold(file)
  const before = performance.now()
  expect(await holdFile(file, 100)).toEqual({
    ok: false,
    message: `Another gate is using ${file}. Stop it, or give this one a usage.file of its own.`,
  })
  expect(performance.now() - before).toBeGreaterThan(90)
  first.release()
  await hold(file)
})

test('two files in one folder have nothing to do with each other', async () => {
  const folder = temporaryFolder()
  const both = await Promise.all([hold(join(folder, 'a.db')), hold(join(folder, 'b.db'))])
  expect(both.map(({ ok }) => ok)).toEqual([true, true])
})

test('what holds it is an empty file beside it, for its owner only, and nothing else', async () => {
  const file = join(temporaryFolder(), 'usage.db')
  await hold(file)
  const { mode, size } = statSync(`${file}-lock`)
  expect([(mode & 0o777).toString(8), size, readdirSync(dirname(file))]).toEqual([
    '600',
    0,
    ['usage.db-lock'],
  ])
})

test('a second release does nothing', async () => {
  const held = await hold(join(temporaryFolder(), 'usage.db'))
  held.release()
  expect(held.release).not.toThrow()
})

test('a folder that cannot be made is told as for the file itself', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'data'), '')
  const file = join(folder, 'data', 'usage.db')
  expect(await holdFile(file)).toEqual({
    ok: false,
    message: `${file} cannot be made, because ${join(folder, 'data')} is a file, not a folder. Move that away, or set usage.file to another path.`,
  })
})

test('a folder in the place of what holds it is told by its name', async () => {
  const file = join(temporaryFolder(), 'usage.db')
  mkdirSync(`${file}-lock`)
  expect(await holdFile(file)).toEqual({
    ok: false,
    message: `${file}-lock is a folder. Move it away: the gate keeps a file of that name beside ${file}.`,
  })
})

test('what holds it and is no database is told by its name', async () => {
  const file = join(temporaryFolder(), 'usage.db')
  writeFileSync(`${file}-lock`, 'no database at all\n'.repeat(100))
  expect(await holdFile(file)).toEqual({
    ok: false,
    message: expect.stringContaining(`${file}-lock is damaged or no SQLite database (`),
  })
})
