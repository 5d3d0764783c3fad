import type { Clock, Deps } from '../deps.ts'
import type { GateError } from '../errors/gate-error.ts'
import { ask, errorOfAsked, type AskingFor } from './ask.ts'
import { NO_MODEL_CONFIG, type ModelConfig } from './model-config.ts'
import {
  idIn,
  isKnown,
  isOpenChoice,
  mergeNames,
  NO_NAMES,
  type ModelNames,
} from './model-names.ts'
import { isOverWithin, onePerWay, shareQuestion } from './shared-question.ts'
import { namesInListing, peersInListing, readListing } from './read-listing.ts'

/** Names, and why llama-swap's own list of them could not be had when it was last asked for. */
export type KnownNames = { names: ModelNames; failure: GateError | undefined }

/** Knows what names stand for which models. `via` is the way of the request that something is asked for. */
export type ModelDirectory = {
  /** Names that are fresh enough to judge `name` by, or the reason why they are not. */
  namesFor(name: string, via: string | undefined): Promise<KnownNames>
  /** The model that a name stands for; asked for only when nobody knows the name. */
  idOf(name: string, via: string | undefined): Promise<string>
  /** The model that a name stands for, as far as that is known now. */
  knownAs(name: string): string
  /** Whether a model runs on another machine. */
  isOfPeer(id: string): boolean
  /**
   * Whether a name is of no one model of this box: of a peer, of a selector whose choice only llama-swap knows, or, where
   * its list could be read, of nothing at all. Nobody is put out for it here.
   */
  isOfNoModelHere(name: string): boolean
  /** llama-swap's configuration file, as it was last read. */
  config(): ModelConfig
  /** Takes what a listing that was just fetched says. */
  learn(listed: ModelNames): Promise<ModelNames>
}

/** Names older than this are asked for again. */
const FRESH_MS = 30_000
/** An unknown name may be new, but asking for it must not become a way to flood llama-swap. */
const ASK_AGAIN_MS = 2_000

/** A client hears nothing while its model's name is looked up, not even a heartbeat. */
const WORTH_WAITING_MS = 1_000

const LOOP: GateError = { kind: 'loop' }

/** A question of those that came the same way. */
type WayOfAsking = { refreshed: () => Promise<void>; cameRound: boolean }

function waysOfAsking(
  clock: Clock,
  refresh: (via: string | undefined) => Promise<boolean>,
): (via: string | undefined) => WayOfAsking {
  return onePerWay((via) => {
    const way: WayOfAsking = {
      refreshed: shareQuestion(clock, async () => void (way.cameRound = await refresh(via))),
      cameRound: false,
    }
    return way
  })
}

/** Keeps the names of llama-swap's listing and configuration, asked for when needed and shared by all requests. */
export function createModelDirectory(
  deps: Pick<Deps, 'clock' | 'modelConfig'>,
  asking: AskingFor,
): ModelDirectory {
  let listed = NO_NAMES
  let listedPeers: ReadonlySet<string> = new Set()
  let names = NO_NAMES
  let config = NO_MODEL_CONFIG
  let learnedAt = -Infinity
  let failure: GateError | undefined

  async function learn(latest: ModelNames): Promise<ModelNames> {
    listed = latest
    config = (await deps.modelConfig.read()) ?? NO_MODEL_CONFIG
    // The listing first: the file may have changed without llama-swap having read it again.
    names = mergeNames(listed, config.names)
    learnedAt = deps.clock.now()
    failure = undefined
    return names
  }
  /** Returns whether the question came round in a circle: that says nothing to those that came another way. */
  async function refresh(via: string | undefined): Promise<boolean> {
    const answer = await ask(asking(via), '/v1/models')
    const listing = typeof answer === 'object' ? readListing(answer.text) : undefined
    const error = listing ? undefined : errorOfAsked(answer)
    if (error?.kind === 'loop') return true
    if (listing) listedPeers = peersInListing(listing)
    // A listing that cannot be had now changes nothing that was known.
    await learn(listing ? namesInListing(listing) : listed)
    failure = error
    return false
  }
  const wayOf = waysOfAsking(deps.clock, refresh)
  const isOfPeer = (name: string): boolean => config.remote.has(name) || listedPeers.has(name)
  // The clock may jump back: a time in the future is not fresh either.
  const age = (): number => Math.abs(deps.clock.now() - learnedAt)
  return {
    learn,
    config: () => config,
    async namesFor(name, via) {
      const isFresh = age() <= (isKnown(names, name) ? FRESH_MS : ASK_AGAIN_MS)
      if (isFresh) return { names, failure }
      const way = wayOf(via)
      await way.refreshed()
      return { names, failure: way.cameRound ? LOOP : failure }
    },
    async idOf(name, via) {
      if (age() > ASK_AGAIN_MS && !isKnown(names, name))
        await isOverWithin(deps.clock, WORTH_WAITING_MS, wayOf(via).refreshed())
      // What is known is good enough to go on with; the next request finds what is new.
      else if (age() > FRESH_MS)
        wayOf(via)
          .refreshed()
          .catch(() => undefined)
      return idIn(names, name)
    },
    knownAs: (name) => idIn(names, name),
    isOfPeer,
    isOfNoModelHere: (name) =>
      isOfPeer(name) ||
      isOpenChoice(names, name) ||
      (learnedAt > -Infinity && failure === undefined && !isKnown(names, name)),
  }
}
