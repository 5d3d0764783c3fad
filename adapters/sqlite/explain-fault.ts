import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { causeOf } from './cause-of.ts'

/** Why nothing can be kept where the runtime has no SQLite, with the way out. */
export function explainNoSqlite(file: string): string {
  return `This Node (${process.version}) has no SQLite, so nothing can be kept in ${file}. Node 22.13 and newer, Bun and Deno have it; or set usage.file to null to keep usage in memory only.`
}

// By their words: Deno tells no code.
const DAMAGED = /not a database|malformed|corrupt/i

/**
 * Why a database could not be made or opened, with the way out.
 *
 * @param error what was thrown at the attempt
 */
export function explainFault(error: unknown, file: string): string {
  const cause = causeOf(error)
  if (DAMAGED.test(cause)) return explainDamage(cause, file)
  // What stands there now, not the error's code: each runtime and SQLite itself have their own words for it.
  if (isFolder(file))
    return `${file} is a folder. Set usage.file to a file, such as ${join(file, 'usage.sqlite')}.`
  const nearest = nearestExisting(dirname(file))
  if (!isFolder(nearest))
    return `${file} cannot be made, because ${nearest} is a file, not a folder. Move that away, or set usage.file to another path.`
  return `${file} cannot be opened for writing: ${cause}. Let this user write in ${dirname(file)}, or set usage.file to another path, or to null to keep usage in memory only.`
}

/** @param cause what SQLite says of it; `quick_check` puts a heading between stars above */
export function explainDamage(cause: string, file: string): string {
  const finding = cause.split('\n').find((line) => !line.startsWith('***')) ?? cause
  return `${file} is damaged or no SQLite database (${finding}). Move it away, with ${file}-wal and ${file}-shm where they are there; the next start makes a new one.`
}

/** Whether a folder stands at this path. */
export function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory()
}

function nearestExisting(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestExisting(dirname(path))
}
