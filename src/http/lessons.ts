import type { Clock } from '../deps.ts'
import type { ContextWatch } from '../llama-swap/context-watch.ts'
import type { RelayPlan, Settled } from '../proxy/relay-plan.ts'
import type { GateContext } from './gate-env.ts'
import { OverflowGuard } from './overflow-guard.ts'
import { guardedSessionOf } from './session-of.ts'

/** What is learned from how a request goes. */
export type Lessons = {
  overflowed: RelayPlan['overflowed']
  settled(settled: Settled): void
}

/**
 * Learns from answers how long prompts may be, and whose client tries again and again with one that is too long. There
 * is one of it for all requests.
 */
export function createLessons({
  clock,
  watch,
}: {
  clock: Clock
  watch: ContextWatch | undefined
}): (c: GateContext) => Lessons {
  const guard = new OverflowGuard()
  return (c) => {
    const session = guardedSessionOf(c)
    const { modelId, acceptedAt } = c.get('scope')
    const bytes = c.get('content').body?.length
    const via = c.get('via')
    return {
      overflowed({ context, prompt: tokens }, isCommitted) {
        if (modelId !== undefined && context !== undefined) watch?.overflowed(modelId, context)
        // What the client is not told it cannot mend: it is told when it tries again.
        if (session === undefined || isCommitted) return undefined
        const isLoop = guard.overflowed(session, { acceptedAt, now: clock.now(), tokens, bytes })
        return isLoop ? { kind: 'overflow-loop' } : undefined
      },
      settled({ outcome, status }) {
        if (outcome !== 'completed' || status >= 300) return
        if (session !== undefined) guard.fitted(session)
        if (modelId !== undefined) watch?.answered(modelId, via)
      },
    }
  }
}
