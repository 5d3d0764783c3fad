import { describe, expect, test } from 'vitest'
import type { Arrival, Decision, QueueRules } from '../../../src/queue/arrival.ts'
import { FairQueue } from '../../../src/queue/fair-queue.ts'
import { createResidency } from '../../../src/queue/residency.ts'
import { arrival, RULES } from './arrivals.ts'

/** One model at a time. */
function open(rules: Partial<QueueRules> = {}): FairQueue {
  return new FairQueue(
    { ...RULES, ...rules },
    createResidency([], () => false),
  )
}

const started = (decisions: readonly Decision[]): string[] =>
  decisions.map(({ kind, id }) => `${kind} ${id}`)

const count = (id: string, given: Partial<Arrival> = {}): Arrival =>
  arrival(id, { needsSlot: false, tokens: 0, ...given })

describe('a request that needs no slot', () => {
  test('is started beside those that take all slots of its model, as far as upstream takes more', () => {
    const queue = open({ limitFor: () => 3 })
    const all = [arrival('chat'), arrival('next'), count('one'), count('two'), count('three')]
    expect(all.map((one) => started(queue.arrive(one, 0)))).toEqual([
      ['start chat'],
      [],
      ['start one'],
      ['start two'],
      [],
    ])
    expect(started(queue.finish('one', 0, 5))).toEqual(['start three'])
    expect(started(queue.finish('chat', 100, 6))).toEqual(['start next'])
  })

  test('takes no slot from others', () => {
    const queue = open({ limitFor: () => 2 })
    queue.arrive(count('one'), 0)
    expect(started(queue.arrive(arrival('chat'), 1))).toEqual(['start chat'])
  })

  test('keeps its model loaded until it has ended, and waits for a swap like any other', () => {
    const queue = open({ maxModelWaitMs: 0, minResidencyMs: 0, idleMs: 0 })
    queue.arrive(count('one'), 0)
    queue.answered('one', 0)
    expect(started(queue.arrive(count('other', { model: 'b' }), 1))).toEqual([])
    expect(started(queue.finish('one', 0, 2))).toEqual(['start other'])
  })
})

test('who comes beside a key that uses less than it is thought to use gets a turn at once', () => {
  const queue = open({ maxWaiting: 1000 })
  const thought = { tokens: 1100, maxWaiting: 1000 }
  for (let turn = 0; turn <= 300; turn++)
    queue.arrive(arrival(`a${turn}`, { keyId: 'a', ...thought }), 0)
  for (let turn = 0; turn < 200; turn++) queue.finish(`a${turn}`, 20, turn)
  queue.arrive(arrival('b', { keyId: 'b', ...thought }), 200)
  expect(started(queue.finish('a200', 20, 201))).toEqual(['start b'])
})
