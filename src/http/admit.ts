import type { Deps } from '../deps.ts'
import type { GateError } from '../errors/gate-error.ts'
import { createEstimator } from '../limit/estimate.ts'
import { holdLease } from '../limit/held-lease.ts'
import type { KeyLimits } from '../limit/key-limits.ts'
import type { Admission, Lease } from '../limit/limit-store.ts'
import type { ModelDirectory } from '../llama-swap/model-directory.ts'
import type { Arrival } from '../queue/arrival.ts'
import type { Dispatcher } from '../queue/dispatcher.ts'
import { FREE_TURN } from '../queue/turn.ts'
import { LlamaCppModels } from '../usage/llama-cpp-models.ts'
import type { GateContext, GateMiddleware } from './gate-env.ts'
import { createPassage, freePassage } from './passage.ts'
import { refuse } from './refuse.ts'
import { sessionOf } from './session-of.ts'
import { workOf, type Learned, type Work } from './work-of.ts'

/** Takes the request from its key's limits, all of them or none, and gives it a place in the queue. */
export function admit(
  deps: Deps,
  directory: ModelDirectory,
  dispatcher: Dispatcher | undefined,
): GateMiddleware {
  const learned: Learned = { estimator: createEstimator(), llamaCpp: new LlamaCppModels() }
  return async (c, next) => {
    const { model, body } = c.get('content')
    if (c.get('route').kind !== 'inference' || model === undefined) {
      c.set('passage', freePassage(body))
      return next()
    }
    const modelId = await directory.idOf(model, c.get('via'))
    // A key typed into the wrong field must not end in the usage either.
    c.get('scope').modelId = modelId.replaceAll(c.get('secret'), '…')
    if (directory.config().llamaCpp.has(modelId)) learned.llamaCpp.add(modelId)
    const work = workOf(c, modelId, learned)
    if ('error' in work) return refuse(c, work.error)
    const lease = leaseOf(c)
    const refused =
      lease &&
      (await refusedByLimits(c, deps, {
        ...lease,
        tokens: work.tokens,
        maxLeases: maxLeasesOf(lease.limits, dispatcher),
      }))
    if (refused) return refuse(c, refused)
    if (!lease) await lookAtLimits(c, deps)
    const arrival = arrivalOf(c, work, directory.isOfPeer(modelId))
    const turn = dispatcher?.turnFor(arrival) ?? FREE_TURN
    c.set('passage', createPassage(deps, { work, lease, turn }, learned))
    await next()
    // An exception on the way to the relay: nobody else would give back what was taken. The answer does not wait for it.
    if (lease && !c.get('scope').isRelayed) holdLease(deps, lease).release()
  }
}

/** What free routes take of the limits: nothing. A key without any limit needs no lease either. */
function leaseOf(c: GateContext): Lease | undefined {
  const { keyId, limits } = c.get('principal')
  const { requestsPerMinute, tokensPerMinute, tokensPerDay, concurrent } = limits
  const isLimited = requestsPerMinute ?? tokensPerMinute ?? tokensPerDay ?? concurrent
  if (isLimited === undefined || c.get('route').cost === 'free') return undefined
  return { keyId, limits, leaseId: c.get('scope').requestId }
}

async function lookAtLimits(c: GateContext, { limits }: Deps): Promise<void> {
  const principal = c.get('principal')
  c.get('scope').standing = await limits.peek(principal.keyId, principal.limits)
}

async function refusedByLimits(
  c: GateContext,
  { limits }: Deps,
  admission: Admission,
): Promise<GateError | undefined> {
  const admitted = await limits.admit(admission)
  c.get('scope').standing = admitted.standing
  if (admitted.ok) return undefined
  const { limit, retryAfterMs, left } = admitted
  const tokens = { needed: admission.tokens, left }
  return { kind: 'limit-reached', limit, retryAfterMs, tokens }
}

/** With a queue, what is over the key's share may wait there; without one it is refused at once. */
function maxLeasesOf(
  { concurrent, waiting }: KeyLimits,
  dispatcher: Dispatcher | undefined,
): number | undefined {
  if (concurrent === undefined) return undefined
  return dispatcher ? concurrent + waiting : concurrent
}

/** Agents count in bursts of fifty, and each count takes a moment only. */
const FREE_WAITING = 100

function arrivalOf(c: GateContext, { modelId, share }: Work, isRemote: boolean): Arrival {
  const { keyId, weight, swap, limits } = c.get('principal')
  const scope = c.get('scope')
  const isFree = c.get('route').cost === 'free'
  return {
    id: scope.requestId,
    // The clients of a gate take turns like all others.
    keyId: scope.keyId ?? keyId,
    presentedKey: keyId,
    weight,
    session: sessionOf(c),
    model: modelId,
    needsSlot: !isFree,
    tokens: share,
    // A model on another machine is never seen as loaded, and takes nobody's place.
    swap: isRemote ? 'evict' : swap,
    maxWaiting: isFree ? Math.max(FREE_WAITING, limits.waiting) : limits.waiting,
    maxRunning: isFree ? undefined : limits.concurrent,
  }
}
