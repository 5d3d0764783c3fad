import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { failed, misused, type Failure, type Outcome } from './outcome.ts'

const NAMES = ['opencode.jsonc', 'opencode.json'] as const
const BYTE_ORDER_MARK = '\uFEFF'

/** OpenCode's configuration in this folder: the one that is there, else the one to make. */
export function localFile(): string {
  return NAMES.find((name) => existsSync(name)) ?? 'opencode.json'
}

/** OpenCode's configuration for all projects: the one that is there, else the one to make. */
export function globalFile(env: NodeJS.ProcessEnv): string {
  const folder = join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'opencode')
  const paths = NAMES.map((name) => join(folder, name))
  return paths.find((path) => existsSync(path)) ?? join(folder, 'opencode.json')
}

/** The text of a file, without a byte order mark; undefined where there is no file. */
export function readConfigText(path: string): Outcome<{ text: string | undefined }> {
  if (!existsSync(path)) return { ok: true, text: undefined }
  try {
    return { ok: true, text: readFileSync(path, 'utf8').replace(BYTE_ORDER_MARK, '') }
  } catch (error) {
    return misused(`${path} cannot be read: ${reason(error)}`)
  }
}

/**
 * Puts a text in the place of a file, in one step: whoever reads it meanwhile has the old or the new one whole. Its rights
 * and its byte order mark stay. A symbolic link stays, and what it leads to is written. Folders are made.
 */
export function writeConfigText(path: string, text: string): Failure | undefined {
  try {
    const target = targetOf(path)
    mkdirSync(dirname(target), { recursive: true })
    putInPlace(target, text)
    return undefined
  } catch (error) {
    return failed(`${path} cannot be written: ${reason(error)}`)
  }
}

function putInPlace(target: string, text: string): void {
  const unfinished = `${target}.${process.pid}.tmp`
  const old = existsSync(target) ? readFileSync(target, 'utf8') : undefined
  try {
    const mark = old?.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : ''
    writeFileSync(unfinished, mark + text, { flag: 'wx' })
    if (old !== undefined) chmodSync(unfinished, statSync(target).mode)
    renameSync(unfinished, target)
  } finally {
    rmSync(unfinished, { force: true })
  }
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
