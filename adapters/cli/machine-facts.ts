import { accessSync, constants, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { MachineFacts } from '../../src/opencode/check/check-input.ts'
import type { ConfigFile } from '../../src/opencode/config-files.ts'
import { isShared } from './is-shared.ts'
import { absolute, globalFolder } from './opencode-files.ts'
import { besides } from './opencode-sources.ts'

/** What the person has said on the command line. */
type MachineSources = { keyVariable: string; opencodeFile?: string | undefined }

/** What of this machine decides how OpenCode reads its files. */
export function machineFacts(
  files: readonly ConfigFile[],
  { keyVariable, opencodeFile }: MachineSources,
  env: NodeJS.ProcessEnv,
): MachineFacts {
  const most = Number(env['OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX'])
  return {
    variables: new Set(Object.keys(env).filter((name) => env[name])),
    holds: (name, literal) => {
      const held = keyIn(env[name] ?? '')
      return held !== '' && held === keyIn(literal)
    },
    replaced: (text) =>
      text.replaceAll(/\{env:([^{}]+)\}|\$\{([^{}]+)\}/g, (_, one: string, other: string) => {
        return env[one ?? other] ?? ''
      }),
    noProxy: env['NO_PROXY'] || env['no_proxy'] || '',
    outputTokenMax: Number.isInteger(most) && most > 0 ? most : undefined,
    // Any other text is no "yes" to OpenCode.
    isCompactionOff: /^(?:1|true)$/i.test(env['OPENCODE_DISABLE_AUTOCOMPACT'] ?? ''),
    keyVariable,
    storedKeys: storedKeys(env),
    isShared: files.some(
      ({ name, text, untouched }) =>
        untouched === undefined && MAY_HOLD_A_KEY.test(text) && isShared(absolute(name)),
    ),
    filesForAll: new Set(
      opencodeFile === undefined
        ? files.map(({ name }) => name).filter((name) => isForAll(absolute(name), env))
        : [],
    ),
    canRead: (name, from) => canRead(besides(name, from)),
  }
}

function isForAll(path: string, env: NodeJS.ProcessEnv): boolean {
  const own = env['OPENCODE_CONFIG']
  const folder = env['OPENCODE_CONFIG_DIR']
  const folders = [
    globalFolder(env),
    join(env['HOME'] || homedir(), '.opencode'),
    ...(folder ? [absolute(folder)] : []),
  ]
  return folders.includes(dirname(path)) || (own ? absolute(own) === path : false)
}

/** A header has a word before it. */
function keyIn(text: string): string {
  return text.trim().replace(/^Bearer\s+/i, '')
}

const MAY_HOLD_A_KEY = /"(?:apiKey|authorization|x-api-key|api-key)"/i

/** The names alone; the keys themselves stand beside them. */
function storedKeys(env: NodeJS.ProcessEnv): Set<string> {
  const folder = env['XDG_DATA_HOME'] || join(homedir(), '.local/share')
  try {
    const stored: unknown = JSON.parse(readFileSync(join(folder, 'opencode/auth.json'), 'utf8'))
    return new Set(Object.keys(stored ?? {}))
  } catch {
    return new Set()
  }
}

function canRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
