import { existsSync, lstatSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { failed, misused, type Failure, type Outcome } from './outcome.ts'
import { prepareFile, type PreparedFile } from './put-in-place.ts'

const NAMES = ['opencode.jsonc', 'opencode.json'] as const
const BYTE_ORDER_MARK = '\uFEFF'

type Environment = NodeJS.ProcessEnv

/** The folder in which the person stands. npm changes to that of the package, and tells where it came from. */
export function workingFolder(env: Environment = process.env): string {
  const from = env['npm_lifecycle_event'] === undefined ? undefined : env['INIT_CWD']
  return from || process.cwd()
}

/** OpenCode's configuration in this folder: the one that is there, else the one to make. */
export function localFile(): string {
  return NAMES.find((name) => existsSync(absolute(name))) ?? 'opencode.json'
}

/** OpenCode's folder for all projects. */
export function globalFolder(env: Environment): string {
  return join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'opencode')
}

/** OpenCode's configuration for all projects: the one that is there, else the one to make. */
export function globalFile(env: Environment): string {
  const folder = globalFolder(env)
  const paths = NAMES.map((name) => join(folder, name))
  return paths.find((path) => existsSync(path)) ?? join(folder, 'opencode.json')
}

/** The text of a file, without a byte order mark; undefined where there is no file. */
export function readConfigText(path: string): Outcome<{ text: string | undefined }> {
  const place = absolute(path)
  if (!existsSync(place)) return { ok: true, text: undefined }
  try {
    const text = decoded(readFileSync(place))
    return text === undefined ? misused(notUtf8(path)) : { ok: true, text }
  } catch (error) {
    return misused(`${path} cannot be read: ${reason(error)}`)
  }
}

/** Letters that are guessed would be written back as others; no JSON holds the zeros of UTF-16. */
function decoded(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}

function notUtf8(path: string): string {
  return `${path} is not UTF-8; nothing was written. Save it as UTF-8 first. (In PowerShell 5 ">" writes UTF-16: "| Out-File -Encoding utf8 ${path}" does not.)`
}

/** A text for a file. */
export type ConfigWrite = {
  path: string
  text: string
  /** The text that was read, which must still stand there; undefined: whatever stands there is written over. */
  expected?: string | undefined
}

/**
 * Puts a text in the place of a file, in one step: whoever reads it meanwhile has the old or the new one whole. Its rights,
 * its owner and its byte order mark stay; a new one is for its owner only. A symbolic link stays, and what it leads to is
 * written. Folders are made. A file that is not to be written is left alone.
 *
 * @param expected the text that was read, which must still stand there
 */
export function writeConfigText(
  path: string,
  text: string,
  expected?: string,
): Failure | undefined {
  return writeConfigTexts([{ path, text, expected }])
}

/** The same for several files: none is written where one of them cannot be. */
export function writeConfigTexts(writes: readonly ConfigWrite[]): Failure | undefined {
  const ready: ReadyWrite[] = []
  try {
    for (const write of writes) {
      const failure = tryTo(write.path, () => void ready.push(prepare(write)))
      if (failure) return failed(`${failure}${writes.length > 1 ? '; nothing was written.' : ''}`)
    }
    const changed = ready.find((write) => !isAsRead(write))
    if (changed) return failed(`${changed.path} was changed meanwhile; nothing was written.`)
    return moveAllIn(ready)
  } finally {
    for (const { file } of ready) file.discard()
  }
}

type ReadyWrite = ConfigWrite & { target: string; file: PreparedFile }

function prepare(write: ConfigWrite): ReadyWrite {
  const target = targetOf(absolute(write.path))
  const old = existsSync(target) ? readFileSync(target, 'utf8') : ''
  const mark = old.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : ''
  return { ...write, target, file: prepareFile(target, mark + write.text) }
}

function isAsRead({ target, expected }: ReadyWrite): boolean {
  if (expected === undefined) return true
  const now = existsSync(target) ? decoded(readFileSync(target)) : ''
  return now === expected
}

/** Each file is looked at again right before its turn, as the ones before it take their time. */
function moveAllIn(ready: readonly ReadyWrite[]): Failure | undefined {
  for (const [i, write] of ready.entries()) {
    const failure = isAsRead(write)
      ? tryTo(write.path, write.file.moveIn)
      : `${write.path} was changed meanwhile`
    if (failure !== undefined) return failed(`${failure}; ${soFar(ready, i)}.`)
  }
  return undefined
}

function soFar(ready: readonly ReadyWrite[], count: number): string {
  const paths = ready.map(({ path }) => path)
  if (count === 0) return 'nothing was written'
  return `written: ${paths.slice(0, count).join(', ')}; not written: ${paths.slice(count).join(', ')}`
}

function tryTo(path: string, act: () => void): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return `${path} cannot be written: ${reason(error)}`
  }
}

/** Relative names are those of the folder in which the person stands. */
export function absolute(path: string): string {
  return resolve(workingFolder(), path)
}

/** Where a link leads, also one whose file is not there yet. */
function targetOf(path: string): string {
  if (existsSync(path)) return realpathSync(path)
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
  return isLink ? resolve(dirname(path), readlinkSync(path)) : path
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
