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

/**
 * Writes a file beside its place, and moves it there when all of it is on the disk. It has the rights of the old one from
 * the beginning, and its owner where this process may give files away.
 *
 * @throws Error of the file system; where the old one is not to be written, too
 */
export function putInPlace(target: string, text: string): void {
  mkdirSync(dirname(target), { recursive: true })
  const old = statSync(target, { throwIfNoEntry: false })
  // Moving a file over another one asks for the rights to the folder only.
  if (old) mustBeWritable(target, old)
  const unfinished = `${target}.${process.pid}.tmp`
  const mode = old ? old.mode & 0o7777 : OWNER_ONLY
  const file = openSync(unfinished, 'wx', mode)
  try {
    try {
      writeFileSync(file, text)
      if (old) keepOwner(unfinished, old)
      // What the umask has taken away, and the change of the owner.
      fchmodSync(file, mode)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(unfinished, target)
  } finally {
    rmSync(unfinished, { force: true })
  }
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
