import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { onTestFinished } from 'vitest'
import { openDatabase } from '../../../adapters/sqlite/open-database.ts'

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'swapgate-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Opens a database that must be fit for use, by default a new one; it is closed after the test. */
export async function openTemporary(
  file: string = join(temporaryFolder(), 'usage.db'),
): Promise<DatabaseSync> {
  const opened = await openDatabase(file)
  if (!opened.ok) throw new Error(opened.message)
  const { database } = opened
  onTestFinished(() => {
    if (database.isOpen) database.close()
  })
  return database
}
