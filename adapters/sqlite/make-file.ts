import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a file (0600) where it is missing, and its folder (0700): SQLite itself would make a file that everybody may read;
 * its companions get the same mode as the file. Throws where it cannot be made.
 */
export function makeFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  // One that is there is not opened: closing it would end the locks that this process has on it (POSIX, fcntl).
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600))
}
