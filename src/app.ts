import { Hono } from 'hono'
import type { Deps, HostBindings } from './deps.ts'
import { CountersUnavailable } from './errors/counters-unavailable.ts'
import { admit } from './http/admit.ts'
import { authenticate } from './http/authenticate.ts'
import { authorizeRoute } from './http/authorize-route.ts'
import { connectSettings } from './http/connect-settings.ts'
import { answerPreflight } from './http/cors.ts'
import { finishRequest } from './http/finish-request.ts'
import { forward } from './http/forward.ts'
import type { GateEnv } from './http/gate-env.ts'
import { identifyModel } from './http/identify-model.ts'
import { createKeyModels } from './http/key-models.ts'
import { listModels, listRunning } from './http/list-models.ts'
import { openScope } from './http/open-scope.ts'
import { opencodeConfig } from './http/opencode-config.ts'
import { health, hello, refuseBadAddress, refuseUpgrade } from './http/own-routes.ts'
import { page } from './http/page.ts'
import { refuse } from './http/refuse.ts'
import { refuseLoop } from './http/refuse-loop.ts'
import { reportUsage } from './http/report-usage.ts'
import { showStanding } from './http/show-standing.ts'
import { wellKnown } from './http/well-known.ts'
import type { AskingFor } from './llama-swap/ask.ts'
import { createContextWatch } from './llama-swap/context-watch.ts'
import { createModelDirectory } from './llama-swap/model-directory.ts'
import { LiveRelays } from './proxy/live-relays.ts'
import { outboundHeaders } from './proxy/rewrite.ts'
import { createViaGuard, type ViaGuard } from './proxy/via.ts'
import { openQueue } from './queue/open-queue.ts'
import { canonicalTarget, NO_TARGET } from './routes/canonical-path.ts'

/** The gate: give it a request and what the host knows of it, get an answer. */
export type Gate = {
  fetch(request: Request, host: HostBindings): Promise<Response> | Response
  /** The gate is being stopped: who waits for a turn is refused, what runs may end. */
  drain(): void
  /** Ends what still runs: those that read it are told so in the stream where that is possible. */
  cut(): void
}

/** Every route, and the order in which a request passes through the gate. */
export function createApp(deps: Deps): Gate {
  // No other gate has it: enough to know one's own requests again.
  const via = createViaGuard(crypto.randomUUID().slice(0, 8))
  const asking = createAsking(deps, via)
  const directory = createModelDirectory(deps, asking)
  const live = new LiveRelays()
  const dispatcher = openQueue(deps, directory, asking(undefined))
  const finish = finishRequest(deps)
  // A gate at home knows its models' contexts itself.
  const isAtHome = deps.config.upstream.kind === 'llama-swap'
  const watch = isAtHome ? createContextWatch(deps, asking, directory) : undefined
  const keyModels = createKeyModels(deps, { asking, directory, watch })
  const app = new Hono<GateEnv>({
    getPath: (_request, options) => options?.env?.target.path ?? '/',
  })

  app.use(openScope(deps, finish))
  app.use(answerPreflight)
  app.use(refuseBadAddress)
  app.get('/health', health)
  app.get('/', page(deps), hello)
  app.get('/api/hello', hello)
  app.get('/.well-known/opencode', wellKnown(deps.config))
  app.use(refuseUpgrade)

  app.use(refuseLoop(via))
  app.use(authenticate(deps))
  app.use(showStanding(deps))
  app.use(authorizeRoute(deps))
  app.get('/v1/models', listModels(keyModels))
  app.get('/models', listModels(keyModels))
  app.get('/opencode.json', opencodeConfig(keyModels, deps))
  app.get('/connect.json', connectSettings(keyModels, deps.config))
  app.get('/running', listRunning(asking, directory))
  app.route('/usage', reportUsage({ ...deps, timeZone: deps.config.limits.timeZone }))
  app.use(identifyModel(deps, directory))
  app.use(admit(deps, directory, dispatcher))
  app.all('*', forward({ ...deps, via, finish, watch }, live))

  app.onError((error, c) => {
    deps.logger.failure(c.get('scope').requestId, error)
    const isPassing = error instanceof CountersUnavailable
    return refuse(c, { kind: isPassing ? 'counters-unavailable' : 'internal' })
  })

  return {
    drain: () => dispatcher?.drain(),
    cut: () => live.cutShort(),
    fetch(request, host) {
      const read = canonicalTarget(
        request.url,
        request.headers.get('host') ?? undefined,
        host.rawTarget,
      )
      if (read.ok) return app.fetch(request, { ...host, target: read.target })
      return app.fetch(request, { ...host, target: NO_TARGET, badAddress: `bad-${read.problem}` })
    },
  }
}

/** What the gate asks llama-swap with on its own behalf. */
function createAsking({ config, upstream, clock }: Deps, guard: ViaGuard): AskingFor {
  return (via) => {
    const headers = outboundHeaders([['accept', 'application/json']], {
      presentedSecret: undefined,
      upstreamApiKey: config.upstream.apiKey,
      upstreamHeaders: config.upstream.headers,
      clientAddress: undefined,
      toldClient: undefined,
      via: guard.next(via),
      requestId: 'gate',
      contentType: undefined,
    })
    return { upstream, clock, headers }
  }
}
