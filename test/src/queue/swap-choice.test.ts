import { expect, test } from 'vitest'
import { createResidency } from '../../../src/queue/residency.ts'
import { ResidentModels } from '../../../src/queue/resident-models.ts'
import { SwapChoice } from '../../../src/queue/swap-choice.ts'
import type { Waiter } from '../../../src/queue/waiter.ts'
import { arrival, ready, RULES } from './arrivals.ts'

/** Only `a` is loaded, and everything puts everything else out. */
function whereAIsLoaded(): SwapChoice {
  const models = new ResidentModels(createResidency([], () => false))
  models.observe(ready('a'), 0)
  return new SwapChoice(RULES, models)
}

function waiterFor(model: string, since = 0): Waiter {
  return { arrival: arrival(model, { model }), since }
}

test('others are kept from a model once somebody has waited long enough for another one', () => {
  const choice = whereAIsLoaded()
  const waiters = [waiterFor('b')]
  choice.chooseDrain(waiters, RULES.maxModelWaitMs - 1)
  const before = [choice.drainingFor, choice.isDrained('a')]
  choice.chooseDrain(waiters, RULES.maxModelWaitMs)
  expect([before, choice.drainingFor, choice.isDrained('a'), choice.isDrained('b')]).toEqual([
    [undefined, false],
    'b',
    true,
    false,
  ])
})

test('the model that others are drained for stays the same while somebody waits for it', () => {
  const choice = whereAIsLoaded()
  const late = waiterFor('b', 1)
  choice.chooseDrain([late], 61_000)
  choice.chooseDrain([waiterFor('c'), late], 61_000)
  const kept = choice.drainingFor
  choice.chooseDrain([waiterFor('c')], 61_000)
  expect([kept, choice.drainingFor]).toEqual(['b', 'c'])
})

test('a model with nothing to do makes room for the one that was waited for longest', () => {
  const choice = whereAIsLoaded()
  const waiters = [waiterFor('b'), waiterFor('c')]
  const names = [RULES.idleMs - 1, RULES.idleMs].map((now) => choice.nextSwap(waiters, now)?.model)
  expect(names).toEqual([undefined, 'b'])
})

test('the times are those of the drain and of the swap, of models that would not be put out again', () => {
  expect(whereAIsLoaded().times([waiterFor('b'), waiterFor('c')])).toEqual([
    RULES.maxModelWaitMs,
    RULES.idleMs,
  ])
})

test('nobody who waits for a loaded model, or who may not put others out, is a reason to swap', () => {
  const choice = whereAIsLoaded()
  const meek: Waiter = { arrival: arrival('1', { model: 'b', swap: 'load' }), since: 0 }
  choice.chooseDrain([waiterFor('a'), meek], 1e9)
  expect([choice.drainingFor, choice.nextSwap([waiterFor('a'), meek], 1e9)]).toEqual([
    undefined,
    undefined,
  ])
})
