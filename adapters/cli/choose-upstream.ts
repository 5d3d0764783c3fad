import { existsSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { isLoopback } from '../../src/config/is-loopback.ts'
import type { GateConfig } from '../../src/config/schema.ts'
import { configPath } from '../process/load-config.ts'
import { findProgram, whyNoProgram } from './find-program.ts'
import { misused, type Outcome } from './outcome.ts'

/** What stands behind the gate: something that runs already, llama-swap as our child, or the demo. */
export type UpstreamPlan =
  | { kind: 'given' }
  | { kind: 'llama-swap'; program: string; configFile: string; listen: Address }
  /** The notice says why, when nobody has asked for the demo. */
  | { kind: 'demo'; notice: string | undefined }

/** A place to listen. */
export type Address = { host: string; port: number }

const HOW_TO_GET_IT = `llama-swap was not found: LLAMA_SWAP_BIN is not set and PATH has none. To get it, one of:
  brew tap mostlygeek/llama-swap && brew install llama-swap
  a release from https://github.com/mostlygeek/llama-swap/releases, put on PATH or named in LLAMA_SWAP_BIN
It needs llama-server, too: https://github.com/ggml-org/llama.cpp`

/** Decides by flag, environment, configuration and what is installed, in this order. */
export function chooseUpstream(
  config: GateConfig,
  { demo, env }: { demo: boolean; env: NodeJS.ProcessEnv },
): Outcome<{ plan: UpstreamPlan }> {
  if (demo) return { ok: true, plan: { kind: 'demo', notice: undefined } }
  const listen = ownAddress(config.upstream.url)
  if (env['UPSTREAM_URL'] || !listen) return { ok: true, plan: { kind: 'given' } }
  const named = env['LLAMA_SWAP_BIN']
  const program = findProgram(named || 'llama-swap', env)
  const file = modelFile(config, env)
  if (program !== undefined) return withConfigFile(file, { program, listen })
  // A program that was named and is missing is a mistake; going on with the demo would hide it.
  if (named) return misused(`LLAMA_SWAP_BIN names ${named}, but ${whyNoProgram(named)}`)
  return existsSync(file)
    ? misused(missing(file))
    : { ok: true, plan: { kind: 'demo', notice: NOTICE } }
}

const NOTICE = `${HOW_TO_GET_IT}
Until then the gate runs on the built-in demo: fixed replies, no GPU, no model.`

/** Whoever has written a file for llama-swap wants its models, not replies that look like theirs. */
function missing(file: string): string {
  return `${HOW_TO_GET_IT}
${shortest(file)} is there, so the gate does not go on without it. If llama-swap runs already, set UPSTREAM_URL to its address.
To try the gate without models: --demo`
}

/** The address that llama-swap can be told to listen on; undefined when another machine or server has it. */
function ownAddress(upstreamUrl: string): Address | undefined {
  const { protocol, hostname, port, pathname } = new URL(upstreamUrl)
  const host = hostname.replace(/^\[|\]$/g, '')
  if (protocol !== 'http:' || pathname !== '/' || !isLoopback(host)) return undefined
  return { host, port: Number(port || 80) }
}

/** A path as people would type it: from here when it is below, from the root otherwise. */
function shortest(path: string): string {
  const fromHere = relative('.', path)
  return fromHere.startsWith('..') ? path : fromHere
}

function modelFile({ upstream }: GateConfig, env: NodeJS.ProcessEnv): string {
  return resolve(dirname(configPath(env)), upstream.configFile)
}

function withConfigFile(
  path: string,
  found: { program: string; listen: Address },
): Outcome<{ plan: UpstreamPlan }> {
  const { program, listen } = found
  const configFile = shortest(path)
  if (existsSync(path))
    return { ok: true, plan: { kind: 'llama-swap', program, configFile, listen } }
  return misused(
    `${program} is there, but its configuration ${configFile} is not. Make it and edit the model paths in it:
  cp config.yaml.example ${configFile}
Or try the gate without models: --demo. Or set UPSTREAM_URL to a llama-swap that runs already.`,
  )
}
