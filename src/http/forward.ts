import type { Deps, HeaderPairs, OutboundRequest } from '../deps.ts'
import { refusalOf } from '../errors/refusal.ts'
import { rateHeaders } from '../limit/rate-headers.ts'
import { ownSecrets } from '../proxy/own-secrets.ts'
import type { RelayPlan } from '../proxy/relay-plan.ts'
import type { LiveRelays } from '../proxy/live-relays.ts'
import { Relay } from '../proxy/relay.ts'
import { openResponseClient } from '../proxy/response-client.ts'
import { outboundHeaders, outboundSearch } from '../proxy/rewrite.ts'
import { writeToldClient } from '../proxy/told-client.ts'
import type { ContextWatch } from '../llama-swap/context-watch.ts'
import type { ViaGuard } from '../proxy/via.ts'
import type { Finish } from './finish-request.ts'
import type { GateContext, GateMiddleware } from './gate-env.ts'
import { createLessons } from './lessons.ts'

/**
 * `via` knows the way that requests take through gates; `finish` is told of their end, `watch` what they tell of models.
 */
export type Forwarding = Deps & { via: ViaGuard; finish: Finish; watch: ContextWatch | undefined }

/**
 * Sends the checked request to llama-swap and hands the answer to the relay; the relay's end is the request's end.
 *
 * @param live the relays that have not ended
 */
export function forward(deps: Forwarding, live: LiveRelays): GateMiddleware {
  const { finish } = deps
  const secrets = ownSecrets(deps.config.upstream)
  const lessonsFor = createLessons(deps)
  return async (c) => {
    const scope = c.get('scope')
    const passage = c.get('passage')
    const lessons = lessonsFor(c)
    const opened = c.env.openClient?.() ?? openResponseClient(c.req.raw.signal, deps.clock)
    const relay = new Relay({
      ...planFor(c, deps),
      secrets,
      client: opened.client,
      settle(settled) {
        leave()
        scope.queueMs = settled.queuedMs
        scope.tokens = passage.end(settled)
        lessons.settled(settled)
        finish(scope, settled)
      },
      overflowed: lessons.overflowed,
      bug: (error) => deps.logger.failure(scope.requestId, error),
    })
    const leave = live.enter(relay)
    passage.begin()
    relay.start()
    // Not before: what throws up to here is answered and logged like any other exception.
    scope.isRelayed = true
    return opened.response
  }
}

type PlanOfRequest = Omit<RelayPlan, 'secrets' | 'client' | 'settle' | 'overflowed' | 'bug'>

function planFor(c: GateContext, deps: Forwarding): PlanOfRequest {
  const { config, upstream, clock } = deps
  const scope = c.get('scope')
  const { dialect } = scope
  const limits = scope.standing ? rateHeaders(scope.standing, dialect, clock.now()) : []
  const ownHeaders = [...scope.ownHeaders, ...limits]
  const { turn, meter } = c.get('passage')
  const { stream, kind } = c.get('route')
  const { model, streamed } = c.get('content')
  return {
    upstream,
    clock,
    request: outboundRequest(c, deps),
    dialect,
    format: stream,
    streamed: streamed && stream !== undefined,
    errors: kind === 'admin' ? 'as-is' : ERRORS[config.upstream.kind],
    sendings: config.upstream.kind === 'swapgate' ? 1 : 2,
    model,
    ownHeaders: kind === 'admin' ? [...ownHeaders, ...PAGE_HEADERS] : ownHeaders,
    turn,
    meter,
    heartbeat: config.heartbeat,
    timeouts: config.timeouts,
    refusalFor: (error) => refusalOf(error, dialect),
  }
}

const ERRORS = { 'llama-swap': 'normalised', swapgate: 'passed-on' } as const

/** llama-swap's pages are for this gate's own origin: no framing, no guessing of types, no reading by other pages. */
const PAGE_HEADERS: HeaderPairs = [
  ['x-frame-options', 'SAMEORIGIN'],
  ['x-content-type-options', 'nosniff'],
  ['cross-origin-resource-policy', 'same-origin'],
]

function outboundRequest(c: GateContext, { config, via }: Forwarding): OutboundRequest {
  const { clientAddress, requestId } = c.get('scope')
  const isForGate = config.upstream.kind === 'swapgate'
  const content = c.get('content')
  const presentedSecret = c.get('secret')
  const { path, search } = c.env.target
  const isAdmin = c.get('route').kind === 'admin'
  const inbound = c.env.headers?.() ?? [...c.req.raw.headers]
  return {
    method: c.req.method,
    target: path + outboundSearch(search, { isAdmin, model: content.queryModel, presentedSecret }),
    headers: outboundHeaders(inbound, {
      presentedSecret,
      upstreamApiKey: config.upstream.apiKey,
      upstreamHeaders: config.upstream.headers,
      clientAddress: isForGate ? undefined : clientAddress,
      toldClient: isForGate ? toldClientOf(c) : undefined,
      via: via.next(c.get('via')),
      requestId,
      contentType: content.contentType,
    }),
    body: c.get('passage').body,
  }
}

function toldClientOf(c: GateContext): string | undefined {
  const { clientAddress: address, keyId = c.get('principal').keyId } = c.get('scope')
  return writeToldClient({ address, keyId })
}
