import { existsSync, lstatSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { failed, misused, type Failure, type Outcome } from './outcome.ts'
import { putInPlace } from './put-in-place.ts'

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
    return { ok: true, text: readFileSync(place, 'utf8').replace(BYTE_ORDER_MARK, '') }
  } catch (error) {
    return misused(`${path} cannot be read: ${reason(error)}`)
  }
}

/**
 * Puts a text in the place of a file, in one step: whoever reads it meanwhile has the old or the new one whole. Its rights,
 * its owner and its byte order mark stay; a new one is for its owner only. A symbolic link stays, and what it leads to is
 * written. Folders are made. A file that is not to be written is left alone.
 */
export function writeConfigText(path: string, text: string): Failure | undefined {
  try {
    const target = targetOf(absolute(path))
    const old = existsSync(target) ? readFileSync(target, 'utf8') : ''
    putInPlace(target, (old.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '') + text)
    return undefined
  } catch (error) {
    return failed(`${path} cannot be written: ${reason(error)}`)
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
