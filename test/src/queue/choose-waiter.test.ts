import { describe, expect, test } from 'vitest'
import type { Arrival } from '../../../src/queue/arrival.ts'
import { chooseWaiter } from '../../../src/queue/choose-waiter.ts'
import { KeyShares } from '../../../src/queue/key-shares.ts'
import type { ResidentModel } from '../../../src/queue/resident-models.ts'
import { arrival, resident } from './arrivals.ts'

type Given = { served: number; jumpedTokens?: number; mine?: Partial<Arrival> }

/**
 * Chooses between a request of `other`, which has had nothing and came first, and one of `mine`, whose session is in the
 * cache of model a. The quantum is 150 tokens.
 */
function choose({ served, jumpedTokens = 0, mine = {} }: Given): string | undefined {
  const shares = new KeyShares()
  for (const keyId of ['other', 'mine', 'mine']) shares.join(keyId)
  shares.start('mine', served)
  const models = new Map<string, ResidentModel>([
    ['a', resident('a', { jumpedTokens, recent: [{ keyId: 'mine', session: 's' }] })],
    ['b', resident('b', {})],
  ])
  const able = [
    arrival('other', { keyId: 'other', session: 's' }),
    arrival('mine', { keyId: 'mine', session: 's', ...mine }),
  ].map((one) => ({ arrival: one, since: 0 }))
  const facts = { shares, residentOf: (model: string) => models.get(model), quantumTokens: 150 }
  const choice = chooseWaiter(able, facts)
  return choice && `${choice.waiter.arrival.id}${choice.jumps ? ' jumps' : ''}`
}

describe('a session in the cache', () => {
  test.each<[string, Given, string]>([
    ['goes first while it is little ahead', { served: 100 }, 'mine jumps'],
    ['goes first up to the whole quantum', { served: 150 }, 'mine jumps'],
    ['waits when it is further ahead', { served: 151 }, 'other'],
    ['counts the quantum by the weight of its key', { served: 100, mine: { weight: 2 } }, 'other'],
    ['waits when enough went ahead of others', { served: 0, jumpedTokens: 150 }, 'other'],
    ['goes first when not quite so much did', { served: 0, jumpedTokens: 149 }, 'mine jumps'],
    ['is not another of the same key', { served: 100, mine: { session: 't' } }, 'other'],
    ['does not overtake those of another model', { served: 100, mine: { model: 'b' } }, 'other'],
  ])('%s', (_, given, chosen) => {
    expect(choose(given)).toBe(chosen)
  })
})

test('requests without a session are not kept together', () => {
  const shares = new KeyShares()
  const recent = [{ keyId: 'mine', session: undefined }]
  const able = [
    { arrival: arrival('other', { keyId: 'other' }), since: 0 },
    { arrival: arrival('mine', { keyId: 'mine' }), since: 0 },
  ]
  const [first] = able
  const facts = { shares, residentOf: () => resident('a', { recent }), quantumTokens: 150 }
  shares.join('other')
  shares.join('mine')
  shares.join('mine')
  shares.start('mine', 100)
  expect(chooseWaiter(able, facts)).toEqual({ waiter: first, jumps: false })
})

test('of nobody, nobody is chosen', () => {
  const facts = { shares: new KeyShares(), residentOf: () => undefined, quantumTokens: 0 }
  expect(chooseWaiter([], facts)).toBeUndefined()
})
