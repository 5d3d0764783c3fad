import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSqliteLimitArchive } from '../../../adapters/sqlite/limit-archive.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { openTemporary, temporaryFolder } from './open-temporary.ts'

test('rows are there after a restart, the latest of each key, ordered by key', async () => {
  const file = join(temporaryFolder(), 'usage.db')
  const before = await openTemporary(file)
  const archive = createSqliteLimitArchive(before, fakeClock())
  expect(archive.load()).toEqual([])
  archive.save([
    { keyId: 'phone', text: '{"a":1}' },
    { keyId: 'laptop', text: '{"b":"ü"}' },
  ])
  archive.save([{ keyId: 'phone', text: '{"a":2}' }])
  archive.save([])
  before.close()

  const after = createSqliteLimitArchive(await openTemporary(file), fakeClock())

  expect(after.load()).toEqual([
    { keyId: 'laptop', text: '{"b":"ü"}' },
    { keyId: 'phone', text: '{"a":2}' },
  ])
})

test('a row tells when it was written', async () => {
  const database = await openTemporary()
  const clock = fakeClock(1_000)
  const archive = createSqliteLimitArchive(database, clock)
  archive.save([{ keyId: 'a', text: '1' }])
  await clock.advance(500)
  archive.save([{ keyId: 'b', text: '2' }])
  const rows = database.prepare('SELECT key_id, written_at FROM limit_state').all()
  expect(rows.map((row) => ({ ...row }))).toEqual([
    { key_id: 'a', written_at: 1_000 },
    { key_id: 'b', written_at: 1_500 },
  ])
})

test('rows are saved all or none, and the fault is thrown', async () => {
  const database = await openTemporary()
  const archive = createSqliteLimitArchive(database, fakeClock())
  archive.save([{ keyId: 'a', text: 'old' }])
  const size = Number(database.prepare('PRAGMA page_count').get()?.['page_count'])
  database.exec(`PRAGMA max_page_count = ${size}`)
  const rows = [
    { keyId: 'a', text: 'new' },
    { keyId: 'b', text: 'x'.repeat(100_000) },
  ]

  expect(() => archive.save(rows)).toThrow('full')
  expect(archive.load()).toEqual([{ keyId: 'a', text: 'old' }])

  database.exec(`PRAGMA max_page_count = ${size + 100}`)
  archive.save(rows)
  expect(archive.load()).toEqual(rows)
})
