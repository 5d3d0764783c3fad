import type { ParseArgsConfig } from 'node:util'
import { didYouMean } from '../../src/config/did-you-mean.ts'
import { CLIENTS } from '../../src/connect/clients.ts'
import { isProviderName } from '../../src/opencode/provider-name.ts'
import { KEY_VARIABLE, PROVIDER_ID } from '../../src/opencode/render-config.ts'
import type { CheckOptions } from './check.ts'
import type { ConnectOptions } from './connect.ts'
import type { OpencodeOptions } from './opencode.ts'

/** The words of a command: its options by name, and the others in order. */
export type Words = { values: Record<string, string | boolean | undefined>; rest: string[] }

/** What a command is asked for, or what is wrong with how it was said. */
export type Read<T> = { ok: true; options: T } | { ok: false; message: string }

/** Options that all commands for clients have. */
export const CLIENT_OPTIONS = {
  url: { type: 'string' },
  'key-env': { type: 'string' },
} satisfies ParseArgsConfig['options']

/** `swapgate opencode`. */
export function readOpencode({ values, rest }: Words): Read<OpencodeOptions> {
  const [file] = rest
  const write = values['write'] === true
  const global = values['global'] === true
  if (file !== undefined && !write)
    return wrong(`unexpected "${file}"; to write into it: --write ${file}`)
  if (file !== undefined && global) return wrong('--global and a file exclude each other')
  if (global && !write) return wrong('--global goes with --write')
  const provider = values['provider'] ?? PROVIDER_ID
  // It may be the key itself, so it is not repeated.
  if (typeof provider !== 'string' || !isProviderName(provider))
    return wrong(
      '--provider takes lower-case letters, digits, ".", "_" and "-", and not what begins with "openai" or "opencode"',
    )
  return withGate(values, { write, file, global, provider })
}

const OPENCODE_FILE = /\.jsonc?$/i
const MODEL_FILE = /\.ya?ml$/i

/** `swapgate check`: its files are told apart by how their names end. */
export function readCheck({ values, rest }: Words): Read<CheckOptions> {
  const strange = rest.find((name) => !OPENCODE_FILE.test(name) && !MODEL_FILE.test(name))
  if (strange !== undefined) return wrong(`"${strange}" must end with .json, .jsonc, .yaml or .yml`)
  const [opencodeFile, second] = rest.filter((name) => OPENCODE_FILE.test(name))
  const [modelFile, other] = rest.filter((name) => MODEL_FILE.test(name))
  const tooMany = second ?? other
  if (tooMany !== undefined) return wrong(`unexpected "${tooMany}": one file of a kind`)
  const fix = values['fix'] === true
  return withGate(values, { opencodeFile, modelFile, fix, json: values['json'] === true })
}

/** `swapgate connect`. */
export function readConnect({ values, rest }: Words): Read<ConnectOptions> {
  const [name] = rest
  const model = typeof values['model'] === 'string' ? values['model'] : undefined
  const client = CLIENTS.find((each) => each === name)
  if (name === undefined || client !== undefined) return withGate(values, { client, model })
  const meant = didYouMean(name, CLIENTS)
  const hint = meant === undefined ? `Known: ${CLIENTS.join(', ')}.` : `Did you mean "${meant}"?`
  return wrong(`unknown client "${name}". ${hint}`)
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/

function withGate<T extends object>(
  values: Words['values'],
  options: T,
): Read<T & { url: string | undefined; keyVariable: string }> {
  const url = values['url']
  const keyVariable = values['key-env'] ?? KEY_VARIABLE
  // It may be the key itself, so it is not repeated.
  if (typeof keyVariable !== 'string' || !VARIABLE.test(keyVariable))
    return wrong('--key-env takes the name of a variable, such as LLAMA_SWAP_API_KEY, not the key')
  if (typeof url !== 'string')
    return { ok: true, options: { ...options, url: undefined, keyVariable } }
  const isUrl = /^https?:\/\/[^/]/i.test(url) && URL.canParse(url)
  if (!isUrl || new URL(url).username !== '')
    return wrong('--url takes the address of a gate, such as http://localhost:3000')
  const base = url
    .replace(/[?#].*$/, '')
    .replace(/\/+$/, '')
    .replace(/\/v1$/, '')
  return { ok: true, options: { ...options, url: base, keyVariable } }
}

function wrong(message: string): { ok: false; message: string } {
  return { ok: false, message }
}
