import { existsSync } from 'node:fs'
import { createApp, type Gate } from '../../src/app.ts'
import type { GateConfig } from '../../src/config/schema.ts'
import { withoutSlash } from '../../src/config/without-slash.ts'
import type { Upstream } from '../../src/deps.ts'
import { tellOutages, type OutageNews } from '../../src/proxy/tell-outages.ts'
import { createAskModelServer } from './ask-model-server.ts'
import { configPath } from './load-config.ts'
import { createModelConfigFile, modelConfigPlace } from './model-config-file.ts'
import { openStores } from './open-stores.ts'
import { sha256 } from './sha256.ts'
import { createStdoutLogger } from './stdout-logger.ts'
import { systemClock } from './system-clock.ts'

/** A gate that accepts connections. */
export type Listening = {
  /** Base URL without a trailing slash. */
  url: string
  /** Stops accepting, lets running answers finish for at most `graceMs`, then cuts what is left. */
  stop(graceMs: number): Promise<void>
}

/** Where a gate is served, and how long a client may take for its request. */
export type ServeOptions = GateConfig['listen'] & {
  timeouts: Pick<GateConfig['timeouts'], 'requestHeadersMs' | 'requestBodyMs'>
}

/** What one runtime does its own way. */
export type Runtime = {
  name: string
  createUpstream(url: string): Upstream
  /** Rejects with the system's error (EADDRINUSE, EACCES, …) when the address cannot be had. */
  serve(gate: Gate, options: ServeOptions): Promise<Listening>
}

/** Every runtime would listen on the first address of that name only, often [::1], where IPv4 clients find nobody. */
const LOCALHOST = '127.0.0.1'

/** What the gate itself cuts at the deadline is told to its clients; so long it may take until they have it. */
const CUT_MS = 500

/** Builds the gate from its configuration and serves it on a runtime. */
export async function startGate(
  runtime: Runtime,
  config: GateConfig,
  warn: (message: string) => void,
): Promise<Listening> {
  const logger = createStdoutLogger(config.log)
  const modelFiles = modelConfigPlace(config.upstream, configPath(process.env))
  const hasModelFiles = modelFiles.folder !== undefined || existsSync(modelFiles.file)
  if (!hasModelFiles && config.keys.some(({ models }) => !models.includes('*')))
    warn(
      `${modelFiles.file} is not there, so the pins of llama-swap's profiles are not known: a key that is limited to a model reaches what a profile puts in its place. Set upstream.configFile to llama-swap's configuration.`,
    )
  const configFile = configPath(process.env)
  const stores = await openStores(config, { configFile, clock: systemClock }, warn)
  const gate = createApp({
    config,
    upstream: tellOutages(runtime.createUpstream(withoutSlash(config.upstream.url)), (news) =>
      warn(outageText(config.upstream, news)),
    ),
    clock: systemClock,
    logger,
    sha256,
    modelConfig: createModelConfigFile(modelFiles, warn),
    askModelServer: createAskModelServer(config.upstream),
    limits: stores.limits,
    usage: stores.usage,
  })
  const { listen, timeouts } = config
  const host = /^localhost$/i.test(listen.host) ? LOCALHOST : listen.host
  const listening = await runtime.serve(gate, { host, port: listen.port, timeouts })
  return {
    url: listening.url,
    async stop(graceMs) {
      gate.drain()
      const deadline = setTimeout(() => gate.cut(), graceMs)
      await listening.stop(graceMs + CUT_MS)
      clearTimeout(deadline)
      await stores.close()
      logger.flush()
    },
  }
}

/** One line for the owner; clients learn neither address nor cause. */
function outageText({ kind, url }: GateConfig['upstream'], news: OutageNews): string {
  const upstream = `${kind === 'swapgate' ? 'the next gate' : 'llama-swap'} at ${url}`
  if (!news.isDown) return `${upstream} answers again.`
  const cause = news.cause === '' ? '' : ` (${news.cause})`
  return `${upstream} cannot be reached${cause}; requests get 503 until it can. Is it running, and is upstream.url right?`
}

/** Why a gate could not listen, with the way out. */
export function explainListenError(error: unknown, { host, port }: GateConfig['listen']): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const text = error instanceof Error ? error.message : String(error)
  if (code === 'EADDRINUSE' || /in use|EADDRINUSE|AddrInUse/i.test(text))
    return `Port ${port} on ${host} is already in use. Stop what listens there, or choose another port with PORT=… or "listen.port".`
  if (code === 'EACCES' || /permission denied/i.test(text))
    return `This user may not listen on port ${port}. Ports below 1024 need rights; choose another with PORT=…`
  if (/^\[.*\]$/.test(host))
    return `${host} is how URLs write an address; here it stands without brackets: HOST=${host.slice(1, -1)}`
  if (/EADDRNOTAVAIL|ENOTFOUND|EAI_AGAIN|AddrNotAvailable/.test(`${String(code)} ${text}`))
    return `${host} is no address of this machine. Listen on one that it has: HOST=127.0.0.1 for this machine only, HOST=0.0.0.0 for all that can reach it.`
  return `Cannot listen on ${host} port ${port}: ${text}`
}
