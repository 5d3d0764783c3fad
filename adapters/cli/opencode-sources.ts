import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import type { ConfigFile } from '../../src/opencode/config-files.ts'
import { isVariableName } from '../../src/opencode/check/keys/secrets.ts'
import { readJsonc } from '../../src/opencode/jsonc.ts'
import { placeholdersIn, substituteBare } from '../../src/opencode/substitute.ts'
import { absolute, globalFolder, readConfigText, workingFolder } from './opencode-files.ts'
import { misused, missing, type Failure, type Outcome } from './outcome.ts'

const NAMES = ['opencode.json', 'opencode.jsonc']
const VARIABLE = 'OPENCODE_CONFIG_CONTENT'

/**
 * All that OpenCode 1.18 reads in this folder, in its order: the files for all projects, the one of OPENCODE_CONFIG, those
 * of the project from its root down to here, those in `.opencode` from here up to the root and at home, those in
 * OPENCODE_CONFIG_DIR, OPENCODE_CONFIG_CONTENT, and those that are managed for the whole machine. A named file stands for those
 * of the project.
 */
export function readOpencodeFiles(
  named: string | undefined,
  env: NodeJS.ProcessEnv,
): Outcome<{ files: ConfigFile[] }> {
  if (named !== undefined && !existsSync(absolute(named)))
    return missing(`there is no file ${named}.`)
  const own = env['OPENCODE_CONFIG']
  const places = [
    ...['config.json', ...NAMES].map((name) => join(globalFolder(env), name)),
    ...(own ? [absolute(own)] : []),
    ...(named === undefined ? projectPlaces(env) : [absolute(named)]),
    ...inFolders([
      join(env['HOME'] || homedir(), '.opencode'),
      ...(env['OPENCODE_CONFIG_DIR'] ? [absolute(env['OPENCODE_CONFIG_DIR'])] : []),
    ]),
  ].filter((path) => existsSync(path))
  const managed = inFolders([managedFolder(env)]).filter((path) => existsSync(path))
  const only = named === undefined ? undefined : realpathSync(absolute(named))
  const isOther = (path: string): boolean => only === undefined || realpathSync(path) !== only
  const readAll = (paths: readonly string[], why: string | undefined): ReadFile[] =>
    paths.map((path) => unlessFor(readOne(path, env), isOther(path) ? why : undefined))
  const paths = lastOfEach([...places, ...managed])
  const content = env[VARIABLE]?.trim()
  const read = [
    ...readAll(
      paths.filter((path) => !managed.includes(path)),
      only && NOT_NAMED,
    ),
    ...(content ? [parse(VARIABLE, content, env)] : []),
    ...readAll(
      paths.filter((path) => managed.includes(path)),
      MANAGED,
    ),
  ]
  const failure = read.find((one): one is Failure => 'ok' in one && !one.ok)
  if (failure) return failure
  return { ok: true, files: read.flatMap((one) => ('file' in one ? [one.file] : [])) }
}

/** Where the owner of a machine puts what counts for all of its users, more than all that they write. */
export function managedFolder(
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): string {
  const own = env['OPENCODE_TEST_MANAGED_CONFIG_DIR']
  if (own) return own
  if (platform === 'win32') return join(env['ProgramData'] || 'C:\\ProgramData', 'opencode')
  return platform === 'darwin' ? '/Library/Application Support/opencode' : '/etc/opencode'
}

const MANAGED = 'it is managed for all users of this machine'
const NOT_NAMED = 'it is not the file that was named'

/** Whoever names a file does not ask for changes of others, and nobody for those of all users. */
function unlessFor(one: ReadFile, why: string | undefined): ReadFile {
  if (why === undefined || !('file' in one)) return one
  return { ok: true, file: { ...one.file, untouched: one.file.untouched ?? why } }
}

function projectPlaces(env: NodeJS.ProcessEnv): string[] {
  if (/^(?:1|true)$/i.test(env['OPENCODE_DISABLE_PROJECT_CONFIG'] ?? '')) return []
  const folders = foldersFromRoot(workingFolder(env))
  // Of these the one of the root counts most, as OpenCode comes to it last.
  const hidden = folders.toReversed().map((folder) => join(folder, '.opencode'))
  return inFolders([...folders, ...hidden])
}

function inFolders(folders: readonly string[]): string[] {
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name)))
}

/** From the root of the repository down to a folder; from `/` where there is no repository. */
function foldersFromRoot(folder: string): string[] {
  const above = dirname(folder)
  if (above === folder || existsSync(join(folder, '.git'))) return [folder]
  return [...foldersFromRoot(above), folder]
}

/** A file that is found twice counts where it is found last. */
function lastOfEach(paths: readonly string[]): string[] {
  const real = paths.map((path) => realpathSync(path))
  return paths.filter((_, i) => real.lastIndexOf(real[i]!) === i)
}

type ReadFile = Failure | { ok: true } | { ok: true; file: ConfigFile }

function readOne(path: string, env: NodeJS.ProcessEnv): ReadFile {
  const read = readConfigText(path)
  if (!read.ok) return read
  const isEmpty = read.text === undefined || read.text.trim() === ''
  return isEmpty ? { ok: true } : parse(nameOf(path, env), read.text ?? '', env)
}

/** As the person would write it. */
function nameOf(path: string, env: NodeJS.ProcessEnv): string {
  if ([globalFolder(env), managedFolder(env)].includes(dirname(path))) return path
  const short = relative(workingFolder(env), path)
  return short.length > path.length ? path : short
}

function parse(name: string, text: string, env: NodeJS.ProcessEnv): ReadFile {
  const untouched = name === VARIABLE ? 'it stands in a variable' : undefined
  const plain = readJsonc(text)
  if (plain.ok) return { ok: true, file: { name, text, document: plain, untouched } }
  const replaced = readJsonc(substituteBare(text, (each) => valueOf(each, name, env)))
  if (replaced.ok)
    return { ok: true, file: { name, text, document: replaced, untouched: ONLY_REPLACED } }
  const { line, column, message } = replaced
  return misused(`${name}:${line}:${column}: ${message}. ${claimOf(text, env)}`)
}

/** Why OpenCode cannot read a text, either. What may be a key in the place of a name is not repeated. */
function claimOf(text: string, env: NodeJS.ProcessEnv): string {
  const unset = new Set<string>()
  substituteBare(text, ({ kind, name }) => {
    if (kind === 'env' && !env[name] && isVariableName(name, new Set())) unset.add(name)
    return ''
  })
  if (unset.size > 0)
    return `OpenCode puts nothing in the place of a variable that is not set here: ${[...unset].join(', ')}.`
  return placeholdersIn(text).length > 0
    ? 'So it is with {env:…} and {file:…} replaced as they are here.'
    : 'OpenCode cannot read it, either.'
}

const ONLY_REPLACED = 'the file is JSON only after OpenCode has replaced {env:…} and {file:…}'

type Named = { kind: 'env' | 'file'; name: string }

function valueOf({ kind, name }: Named, from: string, env: NodeJS.ProcessEnv): string {
  if (kind === 'env') return env[name] ?? ''
  try {
    const text = readFileSync(besides(name, from), 'utf8').trim()
    return JSON.stringify(text).slice(1, -1)
  } catch {
    return ''
  }
}

/** The path of a file that a configuration names. */
export function besides(name: string, from: string): string {
  if (name.startsWith('~/')) return resolve(homedir(), name.slice(2))
  return resolve(dirname(absolute(from)), name)
}
