import { describe, expect, test } from 'vitest'
import { fairQueue, loadedFirst, type Policy } from './policies.ts'
import { HOUSEHOLD, percentile, serviceMs, simulate, SWAP_MS } from './simulation.ts'

const HOURS = 6
const SEEDS = [0, 1, 2, 3, 4]

type Summary = {
  tokensPerSecond: number
  chatWaitMs: number
  unserved: string[]
  otherWaitMs: number
}

function summary(create: () => Policy): Summary {
  const results = SEEDS.map((seed) =>
    simulate(create(), HOUSEHOLD, { seed, ms: HOURS * 3_600_000 }),
  )
  const waits = (group: string): number[] =>
    results.flatMap((result) => result.groups.get(group)?.waits ?? [])
  const tokens = results.reduce((sum, { outputTokens }) => sum + outputTokens, 0)
  return {
    tokensPerSecond: tokens / (SEEDS.length * HOURS * 3_600),
    chatWaitMs: percentile(waits('chat'), 0.5),
    // Those still waiting or being answered at the end are few where everybody gets a turn.
    unserved: results.flatMap(({ groups }) =>
      [...groups].filter(([, { sent, served }]) => served < sent - 8).map(([group]) => group),
    ),
    otherWaitMs: percentile(waits('b'), 0.95),
  }
}

const LONGEST_DRAIN_MS = Math.max(...HOUSEHOLD.map(serviceMs))
const SLACK_MS = 5_000

describe('a household on one GPU', () => {
  const plain = summary(loadedFirst)

  test("has users who are never served under llama-swap's own rule", () => {
    expect(plain.unserved).toEqual(SEEDS.map(() => 'b'))
  })

  test.each([
    { modelWait: 60_000, residency: 45_000 },
    { modelWait: 120_000, residency: 60_000 },
  ])(
    'is served as a whole with $modelWait ms of patience, at a price that is bounded',
    ({ modelWait, residency }) => {
      const fair = summary(() =>
        fairQueue({ maxModelWaitMs: modelWait, minResidencyMs: residency }),
      )
      expect(fair.unserved).toEqual([])
      expect(fair.tokensPerSecond).toBeGreaterThan(0.7 * plain.tokensPerSecond)
      expect(fair.chatWaitMs).toBeLessThan(0.5 * plain.chatWaitMs)
      expect(fair.otherWaitMs).toBeLessThan(modelWait + LONGEST_DRAIN_MS + SWAP_MS + SLACK_MS)
    },
  )
})
