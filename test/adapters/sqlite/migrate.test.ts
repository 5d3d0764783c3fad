import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { migrate, versionOf } from '../../../adapters/sqlite/migrate.ts'
import { APPLICATION_ID, MIGRATIONS } from '../../../adapters/sqlite/schema.ts'

const FIRST = `PRAGMA application_id = ${APPLICATION_ID}; CREATE TABLE a (x)`
const SECOND = 'ALTER TABLE a ADD COLUMN y DEFAULT 7'
const BROKEN = 'CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)'

function openEmpty(): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  onTestFinished(() => database.close())
  return database
}

/** Everything that a database holds, as text. */
function stateOf(database: DatabaseSync): unknown {
  const tables = database.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all()
  return [versionOf(database), tables.map((row) => ({ ...row }))]
}

test('an empty database gets every table, and a second time changes nothing', () => {
  const database = openEmpty()
  expect(migrate(database)).toBeUndefined()
  const names = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all()
  expect([versionOf(database), names.map(({ name }) => name)]).toEqual([
    MIGRATIONS.length,
    ['limit_state', 'usage_record'],
  ])
  const before = stateOf(database)
  expect([migrate(database), stateOf(database)]).toEqual([undefined, before])
})

test('an older database gets only the steps that it lacks, and keeps its rows', () => {
  const database = openEmpty()
  migrate(database, [FIRST])
  database.exec('INSERT INTO a VALUES (1)')
  expect(migrate(database, [FIRST, SECOND])).toBeUndefined()
  expect(
    database
      .prepare('SELECT * FROM a')
      .all()
      .map((row) => ({ ...row })),
  ).toEqual([{ x: 1, y: 7 }])
  expect(versionOf(database)).toBe(2)
})

test('a step that fails leaves the state before it, and can be tried again', () => {
  const database = openEmpty()
  migrate(database, [FIRST])
  const before = stateOf(database)
  expect(() => migrate(database, [FIRST, BROKEN])).toThrow('no such table: nowhere')
  expect(stateOf(database)).toEqual(before)
  expect([migrate(database, [FIRST, SECOND]), versionOf(database)]).toEqual([undefined, 2])
})

test('a newer database is left alone', () => {
  const database = openEmpty()
  migrate(database, [FIRST, SECOND])
  const before = stateOf(database)
  expect([migrate(database, [FIRST]), stateOf(database)]).toEqual(['newer', before])
})

test.each([
  ['with tables', 'CREATE TABLE other (x)'],
  ['with a version', 'PRAGMA user_version = 1'],
  ['with tables and an id', 'CREATE TABLE other (x); PRAGMA application_id = 5'],
])('another program’s database %s is left alone', (_, sql) => {
  const database = openEmpty()
  database.exec(sql)
  const before = stateOf(database)
  expect([migrate(database), stateOf(database)]).toEqual(['foreign', before])
})
