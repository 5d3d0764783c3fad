import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { causeOf } from './cause-of.ts'
import { explainFault, explainNoSqlite, isFolder } from './explain-fault.ts'
import { loadSqlite } from './load-sqlite.ts'
import { makeFile } from './make-file.ts'

/**
 * A file that is this gate's alone until the release, or why it is not, with the way out. Whoever holds it keeps `release`:
 * a lock that nobody can release any more is closed by the garbage collector.
 */
export type Held = { ok: true; release: () => void } | { ok: false; message: string }

/** A gate that is just ending has time to let go. */
const WAIT_MS = 1_000

// By its words: Deno tells no code.
const LOCKED = /database is locked/i

/**
 * Holds a database file for one gate: two would overwrite each other's counters. What is locked is an empty file beside it,
 * `-lock`, so that others may still read the database. The lock is the kernel's and ends with the process, however that
 * ends; the file stays.
 *
 * @param waitMs how long another gate is waited for; the process does nothing else meanwhile
 */
export async function holdFile(file: string, waitMs: number = WAIT_MS): Promise<Held> {
  const sqlite = await loadSqlite()
  if (!sqlite) return { ok: false, message: explainNoSqlite(file) }
  const lockFile = `${file}-lock`
  let lock: DatabaseSync | undefined
  try {
    makeFile(lockFile)
    lock = new sqlite.DatabaseSync(lockFile)
    // No journal on the disk, since that may be full.
    lock.exec(`PRAGMA busy_timeout = ${Math.round(waitMs)}; PRAGMA journal_mode = MEMORY`)
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock?.close()
    return { ok: false, message: explain(error, file) }
  }
  return { ok: true, release: releaseOf(lock) }
}

function releaseOf(lock: DatabaseSync): () => void {
  return () => {
    if (lock.isOpen) lock.close()
  }
}

function explain(error: unknown, file: string): string {
  const lockFile = `${file}-lock`
  if (LOCKED.test(causeOf(error)))
    return `Another gate is using ${file}. Stop it, or give this one a usage.file of its own.`
  if (isFolder(lockFile))
    return `${lockFile} is a folder. Move it away: the gate keeps a file of that name beside ${file}.`
  return explainFault(error, existsSync(lockFile) ? lockFile : file)
}
