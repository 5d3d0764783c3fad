import { createApp, type Gate } from '../../src/app.ts'
import { parseConfig, withoutQueue } from '../../src/config/parse-config.ts'
import type { GateConfig } from '../../src/config/schema.ts'
import { showPath } from '../../src/config/substitute.ts'
import { createMemoryLimitStore } from '../../src/limit/memory-store.ts'
import { createFetchUpstream } from '../../src/proxy/fetch-upstream.ts'
import { createMemoryUsageStore } from '../../src/usage/memory-usage-store.ts'
import { consoleLogger } from './console-logger.ts'
import { subtleSha256 } from './subtle-sha256.ts'
import { workerClock } from './worker-clock.ts'

/** Bindings: `CONFIG` holds the text of a config.json; the variables that override it are read as elsewhere. */
type WorkerEnv = Record<string, unknown>

let built: Promise<Gate> | undefined

function textsOf(env: WorkerEnv): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : undefined,
    ]),
  )
}

async function build(env: WorkerEnv): Promise<Gate> {
  const texts = textsOf(env)
  const text = texts['CONFIG']
  const file = text === undefined ? undefined : { name: 'the binding CONFIG', text }
  const input = { file, env: texts, readFile: undefined, isPublic: true }
  const loaded = await parseConfig(input, subtleSha256)
  if (!loaded.ok) throw new Error(loaded.message)
  // A request of a Worker cannot wake another one, so nobody could be told that it is their turn.
  const config: GateConfig = { ...loaded.config, queue: false }
  const [problem] = withoutQueue(config.keys, 'a Worker has none')
  if (problem) throw new Error(`${showPath(problem.path)}: ${problem.message}`)
  return createApp({
    config,
    upstream: createFetchUpstream(
      config.upstream.url.replace(/\/+$/, ''),
      (url, init) => fetch(url, init),
      (error) => console.error(error),
    ),
    clock: workerClock,
    logger: consoleLogger(config.log),
    sha256: subtleSha256,
    modelConfig: { read: async () => undefined },
    limits: createMemoryLimitStore({ clock: workerClock }),
    usage: createMemoryUsageStore(),
  })
}

/** A Worker has no start at which it could fail: what is wrong is logged, and each request told so without details. */
async function gateOrReason(env: WorkerEnv): Promise<Gate | string> {
  try {
    built ??= build(env)
    return await built
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

export default {
  async fetch(request, env) {
    const gate = await gateOrReason(env)
    if (typeof gate !== 'string')
      return gate.fetch(request, {
        clientAddress: request.headers.get('cf-connecting-ip') ?? undefined,
      })
    console.error(gate)
    return Response.json(
      { error: { message: 'This gate is not configured. Its owner can see why in its log.' } },
      { status: 503 },
    )
  },
} satisfies ExportedHandler<WorkerEnv>
