import {
  accessSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Stats,
} from 'node:fs'
import { dirname } from 'node:path'

/** Keys may stand in it. */
const OWNER_ONLY = 0o600

/** A file that is whole on the disk, beside the place that it is for. */
export type PreparedFile = {
  /** @throws Error of the file system */
  moveIn: () => void
  /** Takes away what was not moved in. */
  discard: () => void
}

/**
 * Writes a file beside its place, from which it can be moved in in one step. It has the rights of the old one from the
 * beginning, and its owner where this process may give files away.
 *
 * @throws Error of the file system; where the old one is not to be written, too
 */
export function prepareFile(target: string, text: string): PreparedFile {
  mkdirSync(dirname(target), { recursive: true })
  const old = statSync(target, { throwIfNoEntry: false })
  // Moving a file over another one asks for the rights to the folder only.
  if (old) mustBeWritable(target, old)
  const unfinished = `${target}.${process.pid}.tmp`
  const mode = old ? old.mode & 0o7777 : OWNER_ONLY
  const file = openSync(unfinished, 'wx', mode)
  const discard = (): void => rmSync(unfinished, { force: true })
  try {
    writeFileSync(file, text)
    if (old) keepOwner(unfinished, old)
    // What the umask has taken away, and the change of the owner.
    fchmodSync(file, mode)
    fsyncSync(file)
  } catch (error) {
    discard()
    throw error
  } finally {
    closeSync(file)
  }
  return { moveIn: () => renameSync(unfinished, target), discard }
}

/** Root may write what is read-only, but that is not what its owner means. */
function mustBeWritable(path: string, { mode }: Stats): void {
  if ((mode & 0o222) === 0) throw new Error('it is read-only')
  accessSync(path, constants.W_OK)
}

/** Only root may give files away; for everybody else the new file is theirs. */
function keepOwner(path: string, { uid, gid }: Stats): void {
  if (process.getuid?.() === 0) chownSync(path, uid, gid)
}
