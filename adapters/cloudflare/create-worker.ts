import { createApp, type Gate } from '../../src/app.ts'
import { withoutSlash } from '../../src/config/without-slash.ts'
import { createFetchUpstream } from '../../src/proxy/fetch-upstream.ts'
import { consoleLogger } from './console-logger.ts'
import type { LimitObject } from './limit-object.ts'
import { createObjectLimitStore } from './limit-store.ts'
import { subtleSha256 } from './subtle-sha256.ts'
import type { UsageObject } from './usage-object.ts'
import { createObjectUsageStore } from './usage-store.ts'
import { PATIENCE_MS, type Patience } from './within-time.ts'
import { workerClock } from './worker-clock.ts'
import { readWorkerConfig, type WorkerConfig } from './worker-config.ts'

/** Bindings of `wrangler.toml`, and the variables that override the configuration as elsewhere. */
export type WorkerEnv = {
  /** The text of a config.json, where none is bundled. */
  CONFIG?: string
  LIMITS?: DurableObjectNamespace<LimitObject>
  USAGE?: DurableObjectNamespace<UsageObject>
}

/** The gate, or what answers in its place. */
type Answerer = Pick<Gate, 'fetch'>

/**
 * The gate as a Worker. It has no start at which it could fail: what is wrong is logged once, and each request told so
 * without details.
 *
 * @param bundledConfig the text of a config.json; without it the binding `CONFIG` holds it
 * @param patienceMs when a Durable Object that does not answer is given up
 */
export function createWorker(
  bundledConfig?: string,
  patienceMs = PATIENCE_MS,
): ExportedHandler<WorkerEnv> {
  const patience = { ms: patienceMs, clock: workerClock }
  let known: Answerer | undefined
  async function answer(request: Request, env: WorkerEnv): Promise<Response> {
    if (!known) {
      // No promise is kept: one of a request whose client left would never tell the others.
      const read = await readWorkerConfig(
        { texts: textsOf(env), bundled: bundledConfig },
        subtleSha256,
      )
      known ??= answererFor(env, read, patience)
    }
    const clientAddress = request.headers.get('cf-connecting-ip') ?? undefined
    return known.fetch(request, { clientAddress })
  }
  return {
    fetch(request, env, ctx) {
      const answered = answer(request, env)
      // The platform drops a request whose client has left, wherever it waits: what it took would stay taken.
      ctx.waitUntil(answered)
      return answered
    },
  }
}

/** Says what the owner should know. */
function answererFor(
  { LIMITS, USAGE }: WorkerEnv,
  read: WorkerConfig,
  patience: Patience,
): Answerer {
  if (!LIMITS || !USAGE) return notConfigured(MISSING_BINDING)
  if (!read.ok) return notConfigured(read.message)
  const { config, warnings } = read
  for (const warning of warnings) warn(warning)
  return createApp({
    config,
    upstream: createFetchUpstream(
      withoutSlash(config.upstream.url),
      (url, init) => fetch(url, init),
      (error) => console.error(error),
    ),
    clock: workerClock,
    logger: consoleLogger(config.log),
    sha256: subtleSha256,
    modelConfig: { read: async () => undefined },
    limits: createObjectLimitStore(LIMITS, patience),
    usage: createObjectUsageStore({
      namespace: USAGE,
      keepDays: config.usage.keepDays,
      patience,
      warn,
    }),
  })
}

function notConfigured(reason: string): Answerer {
  console.error(reason)
  const message = 'This gate is not configured. Its owner can see why in its log.'
  return { fetch: () => Response.json({ error: { message } }, { status: 503 }) }
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
