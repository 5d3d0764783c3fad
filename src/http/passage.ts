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
  /** The request is on its way. */
  begin(): void
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
    begin() {
      held = lease && holdLease(deps, lease)
    },
    end(settled) {
      const tokens = tokensOf({ work, turn }, settled)
      const computed = tokens ? tokens.prompt - tokens.cached + tokens.completion : 0
      const { sentAt } = settled
      const heldMs = sentAt === undefined ? 0 : deps.clock.now() - sentAt
      turn.leave(shareOf(work, computed, heldMs))
      // What the queue refused took nothing; who leaves while waiting has still asked once.
      const isRefused = sentAt === undefined && settled.outcome !== 'client-closed'
      if (isRefused) held?.release()
      else held?.settle(computed)
      learn(work, tokens, learned)
      return tokens
    },
  }
}

/**
 * What a request used. Where upstream did not tell, it is estimated: all of it for a whole answer, and the prompt for a
 * stream whose client left before its first token. A stream begins when a slot works on it; of an answer that is not
 * streamed nothing is heard until its end, so there the loaded model stands for it. What failed before its first token is
 * free.
 */
function tokensOf(
  { work, turn }: Pick<Admittance, 'work' | 'turn'>,
  { outcome, status, sentAt, begun }: Settled,
): TokenCounts | undefined {
  const counts = work.meter.counts()
  if (counts || !work.hasTokens || sentAt === undefined) return counts
  const prompt = { prompt: work.prompt, cached: 0, completion: 0, exact: false }
  const all = { ...prompt, completion: work.tokens - work.prompt }
  if (outcome === 'completed') return status < 300 ? all : undefined
  if (outcome !== 'client-closed') return undefined
  // llama-server mostly finishes an answer that is not streamed, whether anybody is there or not.
  if (!work.streamed) return turn.hasModel() ? all : undefined
  return begun ? prompt : undefined
}

/** Tokens that a slot could have computed meanwhile, at the least: whoever holds one has had a share of the box. */
const LEAST_TOKENS_PER_SECOND = 10

function shareOf(work: Work, computed: number, heldMs: number): number {
  return Math.max(work.hasTokens ? computed : work.share, (heldMs / 1000) * LEAST_TOKENS_PER_SECOND)
}

function learn(
  work: Work,
  tokens: TokenCounts | undefined,
  { estimator, llamaCpp }: Learned,
): void {
  if (work.meter.isLlamaCpp()) llamaCpp.add(work.modelId)
  if (!tokens?.exact) return
  estimator.learn(work.habit, {
    bodyBytes: work.bodyBytes,
    computedTokensOfPrompt: tokens.prompt - tokens.cached,
    completion: tokens.completion,
    maxOutput: work.maxOutput,
  })
}
