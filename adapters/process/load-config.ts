import { existsSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseConfig, type ConfigResult } from '../../src/config/parse-config.ts'
import { sha256 } from './sha256.ts'

const DEFAULT_FILE = './config.json'

/** The file that the environment names, or the default one. */
export function configPath(env: NodeJS.ProcessEnv): string {
  return env['CONFIG'] || DEFAULT_FILE
}

/** Reads the configuration from the file and the environment. A missing default file is no fault, a missing named one is. */
export async function loadConfig(env: NodeJS.ProcessEnv): Promise<ConfigResult> {
  const path = configPath(env)
  if (!existsSync(path) && env['CONFIG'])
    return { ok: false, message: `CONFIG names ${path}, but there is no such file.` }
  if (existsSync(path) && statSync(path).isDirectory())
    return { ok: false, message: isFolder(path, env) }
  const read = readText(path)
  if (!read.ok) return { ok: false, message: `${path} cannot be read: ${read.why}` }
  const file = read.text === undefined ? undefined : { name: path, text: read.text }
  const readFile = (name: string): string => readFileSync(resolved(name, path), 'utf8')
  return parseConfig({ file, env, readFile }, sha256).catch(explainDenied)
}

/** Deno throws where it was not allowed to read a variable, and says how to allow it. */
function explainDenied(error: unknown): ConfigResult {
  if (error instanceof Error && error.name === 'NotCapable')
    return { ok: false, message: `the configuration cannot be read: ${error.message}` }
  throw error
}

function isFolder(path: string, env: NodeJS.ProcessEnv): string {
  if (env['CONFIG'])
    return `CONFIG names ${path}, but that is a folder. Name the file in it, such as ${join(path, 'config.json')}`
  return `${path} is a folder, but must be a file. (Docker makes a folder where a file to mount is missing.)`
}

type Read = { ok: true; text: string | undefined } | { ok: false; why: string }

function readText(path: string): Read {
  if (!existsSync(path)) return { ok: true, text: undefined }
  try {
    return { ok: true, text: readFileSync(path, 'utf8').replace(/^\uFEFF/, '') }
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) }
  }
}

/** A path in the configuration: from the home directory, or from where the configuration stands. */
export function resolved(name: string, configFile: string): string {
  if (name.startsWith('~/')) return resolve(homedir(), name.slice(2))
  return resolve(dirname(configFile), name)
}
