import type { Deps } from '../deps.ts'
import { holdLease, type HeldLease } from '../limit/held-lease.ts'
import type { Lease } from '../limit/limit-store.ts'
import type { Settled } from '../proxy/relay-plan.ts'
import { FREE_TURN, type Turn } from '../queue/turn.ts'
import type { Meter } from '../usage/meter.ts'
import { NO_METER } from '../usage/no-meter.ts'
import type { TokenCounts } from '../usage/record.ts'
import type { Learned, Work } from './work-of.ts'

/** What an admitted request takes along to upstream, and what must be told when it ends. */
export type Passage = {
  /** What is sent. */
  body: Uint8Array<ArrayBuffer> | undefined
  turn: Turn
  meter: Meter
  /** The request is on its way; `isAlive` tells whether anything moves. */
  begin(isAlive: () => boolean): void
  /** The request is over: what it holds is charged or given back. Gives the tokens that it used. */
  end(settled: Settled): TokenCounts | undefined
}

/** The passage of what counts for nothing: llama-swap's own pages. */
export function freePassage(body: Uint8Array<ArrayBuffer> | undefined): Passage {
  return { body, turn: FREE_TURN, meter: NO_METER, begin() {}, end: () => undefined }
}

/** What a request was admitted with. */
export type Admittance = { work: Work; turn: Turn; lease: Lease | undefined }

/** The passage of a request that was admitted. */
export function createPassage(
  deps: Pick<Deps, 'clock' | 'limits' | 'logger'>,
  { work, turn, lease }: Admittance,
  learned: Learned,
): Passage {
  const { body, meter } = work
  let held: HeldLease | undefined
  return {
    body,
    turn,
    meter,
    begin(isAlive) {
      held = lease && holdLease(deps, lease, isAlive)
    },
    end(settled) {
      const tokens = tokensOf(work, settled)
      const computed = tokens ? tokens.prompt - tokens.cached + tokens.completion : 0
      turn.leave(work.hasTokens ? computed : work.share)
      // What the queue refused took nothing; who leaves while waiting has still asked once.
      const isRefused = settled.sentAt === undefined && settled.outcome !== 'client-closed'
      if (isRefused) held?.release()
      else held?.settle(computed)
      learn(work, tokens, learned)
      return tokens
    },
  }
}

/**
 * What a request used. Of an answer that is not streamed nothing is known until its end; for one whose client left
 * before, its prompt counts, since llama-server goes on with it.
 */
function tokensOf(work: Work, { outcome, sentAt }: Settled): TokenCounts | undefined {
  const counts = work.meter.counts()
  if (counts || !work.hasTokens) return counts
  if (outcome !== 'client-closed' || sentAt === undefined || work.streamed) return undefined
  return { prompt: work.prompt, cached: 0, completion: 0, exact: false }
}

function learn(
  work: Work,
  tokens: TokenCounts | undefined,
  { estimator, llamaCpp }: Learned,
): void {
  if (work.meter.isLlamaCpp()) llamaCpp.add(work.modelId)
  if (!tokens?.exact) return
  estimator.learn(work.modelId, {
    bodyBytes: work.bodyBytes,
    computedTokensOfPrompt: tokens.prompt - tokens.cached,
    completion: tokens.completion,
  })
}
