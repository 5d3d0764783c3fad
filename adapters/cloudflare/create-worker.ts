import { createApp, type Gate } from '../../src/app.ts'
import { createFetchUpstream } from '../../src/proxy/fetch-upstream.ts'
import { consoleLogger } from './console-logger.ts'
import type { LimitObject } from './limit-object.ts'
import { createObjectLimitStore } from './limit-store.ts'
import { subtleSha256 } from './subtle-sha256.ts'
import type { UsageObject } from './usage-object.ts'
import { createObjectUsageStore } from './usage-store.ts'
import { workerClock } from './worker-clock.ts'
import { readWorkerConfig } from './worker-config.ts'

/** Bindings of `wrangler.toml`, and the variables that override the configuration as elsewhere. */
export type WorkerEnv = {
  /** The text of a config.json, where none is bundled. */
  CONFIG?: string
  LIMITS?: DurableObjectNamespace<LimitObject>
  USAGE?: DurableObjectNamespace<UsageObject>
}

/**
 * The gate as a Worker. It has no start at which it could fail: what is wrong is logged, and each request told so without
 * details.
 *
 * @param bundledConfig the text of a config.json; without it the binding `CONFIG` holds it
 */
export function createWorker(bundledConfig?: string): ExportedHandler<WorkerEnv> {
  let known: Gate | string | undefined
  return {
    async fetch(request, env) {
      // No promise is kept: one of a request whose client left would never tell the others.
      known ??= await gateOrReason(env, bundledConfig)
      if (typeof known !== 'string')
        return known.fetch(request, {
          clientAddress: request.headers.get('cf-connecting-ip') ?? undefined,
        })
      console.error(known)
      return Response.json(
        { error: { message: 'This gate is not configured. Its owner can see why in its log.' } },
        { status: 503 },
      )
    },
  }
}

async function gateOrReason(env: WorkerEnv, bundled: string | undefined): Promise<Gate | string> {
  const { LIMITS, USAGE } = env
  if (!LIMITS || !USAGE) return MISSING_BINDING
  const read = await readWorkerConfig({ texts: textsOf(env), bundled }, subtleSha256)
  if (!read.ok) return read.message
  const { config, warnings } = read
  for (const warning of warnings) warn(warning)
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
    limits: createObjectLimitStore(LIMITS),
    usage: createObjectUsageStore({
      namespace: USAGE,
      keepDays: config.usage.keepDays,
      warn,
    }),
  })
}

function warn(message: string): void {
  console.warn(`swapgate: ${message}`)
}

/** In memory each machine that runs the Worker would count for itself, and forget after seconds: no limit would hold. */
const MISSING_BINDING = `The Worker needs two Durable Objects for limits and usage. Add to wrangler.toml:

[[durable_objects.bindings]]
name = "LIMITS"
class_name = "LimitObject"

[[durable_objects.bindings]]
name = "USAGE"
class_name = "UsageObject"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["LimitObject", "UsageObject"]
`

function textsOf(env: WorkerEnv): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'string' ? value : undefined,
    ]),
  )
}
