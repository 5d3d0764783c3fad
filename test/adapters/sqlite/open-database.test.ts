import { chmodSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { openDatabase } from '../../../adapters/sqlite/open-database.ts'
import { openTemporary, temporaryFolder } from './open-temporary.ts'

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

test('a new database, its folders and its companions are for their owner only', async () => {
  const folder = join(temporaryFolder(), 'state')
  const file = join(folder, 'swapgate', 'usage.db')
  const database = await openTemporary(file)
  database.exec('BEGIN; CREATE TABLE x (y); COMMIT')
  expect({
    folder: modeOf(folder),
    inner: modeOf(join(folder, 'swapgate')),
    file: modeOf(file),
    wal: modeOf(`${file}-wal`),
    shm: modeOf(`${file}-shm`),
  }).toEqual({ folder: '700', inner: '700', file: '600', wal: '600', shm: '600' })
})

test('a file that is there keeps the mode that its owner gave it', async () => {
  const file = join(temporaryFolder(), 'usage.db')
  ;(await openTemporary(file)).close()
  chmodSync(file, 0o640)
  await openTemporary(file)
  expect(modeOf(file)).toBe('640')
})

test('others may read while the gate writes, and no wait is long', async () => {
  const database = await openTemporary()
  const pragma = (name: string): unknown =>
    Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  expect([pragma('journal_mode'), pragma('synchronous'), pragma('busy_timeout')]).toEqual([
    'wal',
    1,
    50,
  ])
})

test('what was written is there when the file is opened again', async () => {
  const file = join(temporaryFolder(), 'usage.db')
  const before = await openTemporary(file)
  before.exec("INSERT INTO limit_state VALUES ('a', 'text', 1)")
  before.close()
  const rows = (await openTemporary(file)).prepare('SELECT * FROM limit_state').all()
  expect(rows.map((row) => ({ ...row }))).toEqual([{ key_id: 'a', text: 'text', written_at: 1 }])
})

/** Opens a file that must be refused; it must not be changed by that. */
async function refusalOf(file: string): Promise<unknown> {
  const before = readFileSync(file)
  const opened = await openDatabase(file)
  expect(readFileSync(file).equals(before)).toBe(true)
  return opened
}

test('a database of a newer version is left as it is', async () => {
  const file = join(temporaryFolder(), 'usage.db')
  const database = await openTemporary(file)
  database.exec('PRAGMA user_version = 99')
  database.close()
  expect(await refusalOf(file)).toEqual({
    ok: false,
    message: `${file} was written by a newer swapgate and was left as it is. Update swapgate, or set usage.file to another path.`,
  })
})

test('another program’s database is left as it is', async () => {
  const file = join(temporaryFolder(), 'bookmarks.db')
  const database = new DatabaseSync(file)
  database.exec('CREATE TABLE bookmarks (url)')
  database.close()
  expect(await refusalOf(file)).toEqual({
    ok: false,
    message: `${file} is another program's database and was left as it is. Set usage.file to another path.`,
  })
})

test('a file that is no database is told with the way out', async () => {
  const file = join(temporaryFolder(), 'usage.db')
  writeFileSync(file, 'no database at all\n'.repeat(100))
  expect(await refusalOf(file)).toEqual({
    ok: false,
    message: `${file} is damaged or no SQLite database (file is not a database). Move it away, with ${file}-wal and ${file}-shm where they are there; the next start makes a new one.`,
  })
})

test.each<[string, (file: string) => void]>([
  ['was cut', (file) => truncateSync(file, 3 * 4096)],
  [
    'has garbage in the middle',
    (file) => {
      const bytes = readFileSync(file)
      bytes.fill(0xa5, 4096, 3 * 4096)
      writeFileSync(file, bytes)
    },
  ],
])('a database that %s is told with the way out', async (_, harm) => {
  const file = join(temporaryFolder(), 'usage.db')
  const database = await openTemporary(file)
  const insert = database.prepare('INSERT INTO limit_state VALUES (?, ?, 1)')
  for (let i = 0; i < 100; i++) insert.run(`key${i}`, 'x'.repeat(1_000))
  database.close()
  harm(file)
  expect(await refusalOf(file)).toEqual({
    ok: false,
    message: expect.stringContaining(`${file} is damaged or no SQLite database (`),
  })
})

test('a damaged page is told with what is wrong there', async () => {
  const file = join(temporaryFolder(), 'usage.db')
  const database = await openTemporary(file)
  const insert = database.prepare('INSERT INTO limit_state VALUES (?, ?, 1)')
  for (let i = 0; i < 100; i++) insert.run(`key${i}`, 'x'.repeat(1_000))
  const root = database
    .prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'limit_state'")
    .get()
  database.close()
  const bytes = readFileSync(file)
  bytes.fill(0xa5, (Number(root?.['rootpage']) - 1) * 4096, Number(root?.['rootpage']) * 4096)
  writeFileSync(file, bytes)
  expect(await refusalOf(file)).toEqual({
    ok: false,
    message: expect.stringMatching(/is damaged or no SQLite database \((?!\*).*page.*\)\. Move/),
  })
})

test.each(['file', 'file/state'])('a file in the place of its folder is told: %s', async (path) => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'file'), '')
  const file = join(folder, path, 'usage.db')
  expect(await openDatabase(file)).toEqual({
    ok: false,
    message: `${file} cannot be made, because ${join(folder, 'file')} is a file, not a folder. Move that away, or set usage.file to another path.`,
  })
})

test('a folder in the place of the file is told', async () => {
  const file = join(temporaryFolder(), 'usage.db')
  mkdirSync(file)
  expect(await openDatabase(file)).toEqual({
    ok: false,
    message: `${file} is a folder. Set usage.file to a file, such as ${join(file, 'usage.sqlite')}.`,
  })
})

test('a file that cannot be made for another reason is told with the way out', async () => {
  const file = join(temporaryFolder(), 'x'.repeat(300))
  expect(await openDatabase(file)).toEqual({
    ok: false,
    message: expect.stringMatching(
      /x cannot be opened for writing: ENAMETOOLONG.*\. Let this user write in \S+, or set usage\.file to another path, or to null to keep usage in memory only\.$/,
    ),
  })
})
