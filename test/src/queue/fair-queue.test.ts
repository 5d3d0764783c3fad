import { describe, expect, test } from 'vitest'
import type { Arrival, Decision, QueueRules } from '../../../src/queue/arrival.ts'
import { FairQueue } from '../../../src/queue/fair-queue.ts'
import { createResidency } from '../../../src/queue/residency.ts'
import { arrival, ready, RULES } from './arrivals.ts'

/** Models of `side` can be loaded beside all others; only one of the rest at a time. */
const GROUPS = [
  { id: 'side', swap: false, exclusive: false, persistent: true, members: ['side-1', 'side-2'] },
]

function open(rules: Partial<QueueRules> = {}): FairQueue {
  return new FairQueue(
    { ...RULES, ...rules },
    createResidency(GROUPS, () => false),
  )
}

/** Decisions as words. */
function told(decisions: Decision[]): string[] {
  return decisions.map((decision) =>
    decision.kind === 'start' ? `start ${decision.id}` : `refuse ${decision.id}: ${decision.why}`,
  )
}

/** A queue in which a request of `owner` runs on model a, which answered at 0. */
function serving(rules: Partial<QueueRules> = {}): FairQueue {
  const queue = open(rules)
  queue.arrive(arrival('first', { keyId: 'owner' }), 0)
  queue.answered('first', 0)
  return queue
}

/** Brings requests at one moment; tells what came of it. */
function bring(queue: FairQueue, now: number, arrivals: Arrival[]): string[] {
  return arrivals.flatMap((one) => told(queue.arrive(one, now)))
}

/** A request that a gate in front brings, for one of its clients. */
function ofEdge(keyId: string, maxRunning: number): Partial<Arrival> {
  return { keyId, presentedKey: 'edge', maxRunning }
}

describe('a request', () => {
  test('starts at once on an idle box, and makes its model resident', () => {
    const queue = open()
    expect(told(queue.arrive(arrival('1'), 0))).toEqual(['start 1'])
    expect(queue.snapshot()).toEqual({
      waitingByKey: {},
      runningByModel: { a: 1 },
      resident: ['a'],
      drainingFor: undefined,
    })
    expect(queue.nextWakeAt()).toBeUndefined()
  })

  test('waits for a slot and gets the one that is freed', () => {
    const queue = open({ slotsFor: () => 2 })
    expect(bring(queue, 0, [arrival('1'), arrival('2'), arrival('3')])).toEqual([
      'start 1',
      'start 2',
    ])
    expect(told(queue.finish('1', 100, 10))).toEqual(['start 3'])
  })

  test('for a model that fits in beside the others starts at once', () => {
    const queue = serving()
    expect(told(queue.arrive(arrival('1', { model: 'side-1' }), 5))).toEqual(['start 1'])
    expect(told(queue.arrive(arrival('2', { model: 'side-2' }), 5))).toEqual(['start 2'])
    expect(queue.snapshot().resident).toEqual(['a', 'side-1', 'side-2'])
  })

  test('waits where its key runs as many as it may, and lets others pass', () => {
    const queue = open({ slotsFor: () => 3 })
    const narrow = { keyId: 'narrow', maxRunning: 1 }
    expect(bring(queue, 0, [arrival('1', narrow), arrival('2', narrow), arrival('3')])).toEqual([
      'start 1',
      'start 3',
    ])
    expect(told(queue.finish('1', 100, 10))).toEqual(['start 2'])
  })

  test('waits where the key that was presented runs as many as it may, whoever it is for', () => {
    const queue = open({ slotsFor: () => 9 })
    const asks = [
      arrival('1', ofEdge('edge/ann', 2)),
      arrival('2', ofEdge('edge/ben', 2)),
      arrival('3', ofEdge('edge/cy', 2)),
      arrival('4', { keyId: 'edge/cy' }),
    ]
    expect(bring(queue, 0, asks)).toEqual(['start 1', 'start 2', 'start 4'])
    expect(told(queue.finish('4', 100, 10))).toEqual([])
    expect(told(queue.finish('2', 100, 10))).toEqual(['start 3'])
  })

  test('takes turns by the names that were told, not by the key that was presented', () => {
    const queue = open({ slotsFor: () => 9 })
    const asks = [
      arrival('1', ofEdge('edge/ann', 1)),
      arrival('2', ofEdge('edge/ann', 1)),
      arrival('3', ofEdge('edge/ben', 1)),
    ]
    bring(queue, 0, asks)
    expect(queue.snapshot().waitingByKey).toEqual({ 'edge/ann': 1, 'edge/ben': 1 })
    expect(told(queue.finish('1', 100, 10))).toEqual(['start 3'])
    expect(told(queue.finish('3', 100, 20))).toEqual(['start 2'])
  })

  test('is served by a model that is said to have no slots at all', () => {
    const queue = open({ slotsFor: () => 0 })
    expect(bring(queue, 0, [arrival('1'), arrival('2')])).toEqual(['start 1'])
    expect(told(queue.finish('1', 100, 10))).toEqual(['start 2'])
  })

  test('that has waited too long is refused when it is time, not before', () => {
    const queue = serving({ maxWaitMs: 1_000 })
    queue.arrive(arrival('late'), 10)
    expect(queue.nextWakeAt()).toBe(1_010)
    expect(told(queue.wake(1_009))).toEqual([])
    expect(told(queue.wake(1_010))).toEqual(['refuse late: waited-too-long'])
    expect(queue.nextWakeAt()).toBeUndefined()
  })

  test('whose time is over and that can start at the same moment is started', () => {
    const queue = serving({ maxWaitMs: 1_000 })
    queue.arrive(arrival('late'), 0)
    expect(told(queue.finish('first', 1, 5_000))).toEqual(['start late'])
  })

  test('whose client left is forgotten', () => {
    const queue = serving()
    queue.arrive(arrival('gone'), 1)
    expect(queue.leave('gone', 2)).toEqual([])
    expect(queue.finish('first', 1, 3)).toEqual([])
    expect(queue.snapshot().waitingByKey).toEqual({})
  })

  test('that is not known, or known already, changes nothing', () => {
    const queue = serving()
    queue.arrive(arrival('waits'), 1)
    const before = queue.snapshot()
    const decisions = [
      ...queue.leave('nobody', 2),
      ...queue.leave('first', 2),
      ...queue.answered('nobody', 2),
      ...queue.answered('waits', 2),
      ...queue.finish('nobody', 5, 2),
      ...queue.finish('waits', 5, 2),
      ...queue.arrive(arrival('waits'), 2),
      ...queue.arrive(arrival('first'), 2),
    ]
    expect({ decisions, after: queue.snapshot() }).toEqual({ decisions: [], after: before })
  })
})

describe('a full queue', () => {
  test('refuses what is too much for one key, and for all', () => {
    const queue = serving({ maxWaiting: 3 })
    const modest = { keyId: 'modest', maxWaiting: 1 }
    expect(
      bring(queue, 0, [
        arrival('1', modest),
        arrival('2', modest),
        arrival('3'),
        arrival('4'),
        arrival('5'),
      ]),
    ).toEqual(['refuse 2: key-queue-full', 'refuse 5: queue-full'])
    expect(queue.snapshot().waitingByKey).toEqual({ modest: 1, key: 2 })
  })

  test('does not refuse a request that need not wait', () => {
    const queue = serving({ maxWaiting: 1 })
    const never = { keyId: 'modest', maxWaiting: 0 }
    expect(
      bring(queue, 0, [
        arrival('1'),
        arrival('2', { ...never, model: 'side-1' }),
        arrival('3', never),
      ]),
    ).toEqual(['start 2', 'refuse 3: key-queue-full'])
  })

  test('does not drain a model for a request that it refused', () => {
    const queue = serving({ maxModelWaitMs: 0, minResidencyMs: 0, slotsFor: () => 2 })
    expect(bring(queue, 0, [arrival('1', { model: 'b', maxWaiting: 0 })])).toEqual([
      'refuse 1: key-queue-full',
    ])
    expect(bring(queue, 0, [arrival('2')])).toEqual(['start 2'])
  })
})

describe('the order', () => {
  test('is that of the keys by what they have had, then of arrival', () => {
    const queue = serving()
    bring(queue, 0, [
      arrival('greedy-1', { keyId: 'greedy', tokens: 300 }),
      arrival('greedy-2', { keyId: 'greedy', tokens: 300 }),
      arrival('modest-1', { keyId: 'modest' }),
      arrival('modest-2', { keyId: 'modest' }),
    ])
    const order = ['first', 'greedy-1', 'modest-1', 'modest-2'].flatMap((id) =>
      told(queue.finish(id, id === 'greedy-1' ? 300 : 100, 1)),
    )
    expect(order).toEqual(['start greedy-1', 'start modest-1', 'start modest-2', 'start greedy-2'])
  })

  test('gives a key with twice the weight twice the tokens', () => {
    const queue = serving()
    for (let n = 1; n <= 6; n++)
      bring(queue, 0, [
        arrival(`light-${n}`, { keyId: 'light' }),
        arrival(`heavy-${n}`, { keyId: 'heavy', weight: 2 }),
      ])
    const order: string[] = []
    for (let id = 'first'; order.length < 6;) {
      const [next] = queue.finish(id, 100, 1)
      id = next?.id ?? 'none'
      order.push(id)
    }
    expect(order.filter((id) => id.startsWith('heavy'))).toHaveLength(4)
  })

  test('follows what requests really used, not what was guessed', () => {
    const queue = serving()
    bring(queue, 0, [
      arrival('small-1', { keyId: 'small' }),
      arrival('big-1', { keyId: 'big' }),
      arrival('small-2', { keyId: 'small' }),
      arrival('big-2', { keyId: 'big' }),
    ])
    queue.finish('first', 100, 1)
    queue.finish('small-1', 10, 1)
    // Both have had one request, but this one was far larger than it looked.
    expect(told(queue.finish('big-1', 5_000, 1))).toEqual(['start small-2'])
  })

  test('is not changed by a clock that is set back', () => {
    const queue = serving()
    queue.arrive(arrival('1'), 1_000)
    queue.arrive(arrival('2'), -9e9)
    expect(told(queue.finish('first', 100, -9e9))).toEqual(['start 1'])
  })
})

/** Ends each request as soon as it runs; tells the order in which they did. */
function orderOf(queue: FairQueue): string[] {
  const order = ['mine-0']
  for (;;) {
    const [next] = queue.finish(order.at(-1) ?? '', 100, 1)
    if (next === undefined) return order
    order.push(next.id)
  }
}

describe('a session', () => {
  const mine = { keyId: 'mine', session: 's', tokens: 100 }

  /** A queue in which `mine` was just served on model a, and others wait as well as its next requests. */
  function withCache(quantumTokens: number): FairQueue {
    const queue = open({ quantumTokens })
    bring(queue, 0, [arrival('mine-0', mine)])
    for (let n = 1; n <= 3; n++) bring(queue, 0, [arrival(`other-${n}`, { keyId: 'other' })])
    for (let n = 1; n <= 5; n++) bring(queue, 0, [arrival(`mine-${n}`, mine)])
    return queue
  }

  test('goes first while it is ahead by no more than the quantum, then the others have their turn', () => {
    expect(orderOf(withCache(250)).slice(0, 4)).toEqual(['mine-0', 'mine-1', 'mine-2', 'other-1'])
  })

  test('has no such right with a quantum of 0', () => {
    expect(orderOf(withCache(0)).slice(0, 4)).toEqual(['mine-0', 'other-1', 'other-2', 'mine-1'])
  })

  test('cannot hold up another session of its own key for ever', () => {
    const queue = open({ quantumTokens: 250 })
    bring(queue, 0, [arrival('mine-0', mine), arrival('second', { ...mine, session: 't' })])
    for (let n = 1; n <= 5; n++) bring(queue, 0, [arrival(`mine-${n}`, mine)])
    expect(orderOf(queue).indexOf('second')).toBe(4)
  })

  test('of another key with the same name is another session', () => {
    const queue = open({ quantumTokens: 250 })
    bring(queue, 0, [
      arrival('mine-0', mine),
      arrival('first', { keyId: 'third' }),
      arrival('other', { ...mine, keyId: 'other' }),
    ])
    expect(told(queue.finish('mine-0', 100, 1))).toEqual(['start first'])
  })

  test('is forgotten after as many others as the model has slots', () => {
    const queue = open({ quantumTokens: 250 })
    bring(queue, 0, [arrival('mine-0', mine), arrival('between', { keyId: 'between' })])
    queue.finish('mine-0', 100, 1)
    bring(queue, 1, [arrival('next', { keyId: 'next' }), arrival('mine-1', mine)])
    expect(told(queue.finish('between', 100, 1))).toEqual(['start next'])
  })
})

describe('a busy model', () => {
  test('is served on until another one has been waited for long enough, then drained and swapped', () => {
    const queue = serving({ slotsFor: () => 2 })
    bring(queue, 10_000, [arrival('b-1', { model: 'b' }), arrival('b-2', { model: 'b' })])
    expect(bring(queue, 20_000, [arrival('a-2')])).toEqual(['start a-2'])
    expect(queue.nextWakeAt()).toBe(70_000)
    expect(told(queue.wake(69_999))).toEqual([])
    expect(queue.snapshot().drainingFor).toBeUndefined()
    expect(told(queue.wake(70_000))).toEqual([])
    expect(queue.snapshot().drainingFor).toBe('b')
    expect(told(queue.finish('first', 100, 71_000))).toEqual([])
    expect(bring(queue, 72_000, [arrival('a-3')])).toEqual([])
    expect(told(queue.finish('a-2', 100, 80_000))).toEqual(['start b-1', 'start b-2'])
    expect(queue.snapshot()).toEqual({
      waitingByKey: { key: 1 },
      runningByModel: { b: 2 },
      resident: ['b'],
      drainingFor: undefined,
    })
  })

  test('stays for its least time, counted from its first answer', () => {
    const queue = open({ maxModelWaitMs: 0 })
    bring(queue, 0, [arrival('a-1'), arrival('b-1', { model: 'b' })])
    expect([queue.snapshot().drainingFor, queue.nextWakeAt()]).toEqual([undefined, 600_000])
    queue.answered('a-1', 20_000)
    expect(queue.nextWakeAt()).toBe(65_000)
    queue.wake(65_000)
    expect(queue.snapshot().drainingFor).toBe('b')
  })

  test('is not put out while it loads, whatever the rules', () => {
    const queue = open({ maxModelWaitMs: 0, minResidencyMs: 0 })
    bring(queue, 0, [arrival('a-1'), arrival('b-1', { model: 'b' })])
    expect(queue.snapshot().drainingFor).toBeUndefined()
    queue.answered('a-1', 20_000)
    expect(queue.snapshot().drainingFor).toBe('b')
    expect(told(queue.finish('a-1', 100, 30_000))).toEqual(['start b-1'])
  })

  test('is served again when nobody waits for the other one any more', () => {
    const queue = serving({ slotsFor: () => 2 })
    bring(queue, 0, [arrival('b-1', { model: 'b' })])
    queue.wake(60_000)
    expect(bring(queue, 61_000, [arrival('a-2')])).toEqual([])
    expect(told(queue.leave('b-1', 62_000))).toEqual(['start a-2'])
  })

  test('makes room for the model with the oldest request, and that drain is kept', () => {
    const queue = serving()
    bring(queue, 1_000, [arrival('c-1', { model: 'c' })])
    bring(queue, 2_000, [arrival('b-1', { model: 'b' })])
    bring(queue, 30_000, [arrival('c-2', { model: 'c' })])
    queue.wake(61_500)
    expect(queue.snapshot().drainingFor).toBe('c')
    queue.leave('c-1', 62_500)
    expect(queue.snapshot().drainingFor).toBe('c')
    expect(told(queue.finish('first', 100, 63_000))).toEqual(['start c-2'])
  })

  test('is not drained for a request whose key may run no more', () => {
    const queue = open({ slotsFor: () => 1 })
    const narrow = { keyId: 'narrow', maxRunning: 1 }
    bring(queue, 0, [arrival('side', { ...narrow, model: 'side-1' }), arrival('a-1')])
    queue.answered('a-1', 0)
    bring(queue, 0, [arrival('b-1', { ...narrow, model: 'b' })])
    queue.wake(60_000)
    expect(queue.snapshot().drainingFor).toBeUndefined()
    queue.finish('side', 100, 61_000)
    expect(queue.snapshot().drainingFor).toBe('b')
  })

  test('is served on when others brought a model that would be put out with it too soon', () => {
    const queue = serving({ slotsFor: () => 2 })
    bring(queue, 0, [arrival('b-1', { model: 'b' })])
    queue.wake(60_000)
    queue.observe(ready('a', 'c'), 61_000)
    expect([queue.snapshot().drainingFor, queue.nextWakeAt()]).toEqual([undefined, 106_000])
    expect(bring(queue, 62_000, [arrival('a-2')])).toEqual(['start a-2'])
  })

  test('keeps no model from loading that is not in its way', () => {
    const queue = serving()
    bring(queue, 0, [arrival('b-1', { model: 'b' })])
    queue.wake(60_000)
    expect(bring(queue, 61_000, [arrival('side', { model: 'side-1' })])).toEqual(['start side'])
  })
})

describe('an idle model', () => {
  const guest = { keyId: 'guest', model: 'b' }

  test('is put out by another key when it has been idle for a while', () => {
    const queue = serving()
    queue.finish('first', 100, 10_000)
    expect(bring(queue, 11_000, [arrival('b-1', guest)])).toEqual([])
    expect(queue.nextWakeAt()).toBe(15_000)
    expect(told(queue.wake(14_999))).toEqual([])
    expect(told(queue.wake(15_000))).toEqual(['start b-1'])
  })

  test('is put out at once by the key that used it last', () => {
    const queue = serving()
    queue.finish('first', 100, 10_000)
    expect(bring(queue, 10_000, [arrival('b-1', { ...guest, keyId: 'owner' })])).toEqual([
      'start b-1',
    ])
  })

  test('is put out at once when it has been there for its least time', () => {
    const queue = serving()
    queue.finish('first', 100, 45_000)
    expect(bring(queue, 45_000, [arrival('b-1', guest)])).toEqual(['start b-1'])
  })

  test('is put out although it was never heard of again after its client left', () => {
    const queue = open()
    bring(queue, 0, [arrival('a-1')])
    queue.finish('a-1', 0, 1_000)
    bring(queue, 1_000, [arrival('b-1', guest)])
    expect(told(queue.wake(6_000))).toEqual(['start b-1'])
  })

  test('waits for the older of two requests, although the younger could go at once and has had less', () => {
    const queue = serving()
    bring(queue, 0, [
      arrival('side-1', { ...guest, model: 'side-1', tokens: 9_000 }),
      arrival('side-2', { keyId: 'owner', model: 'side-2' }),
    ])
    queue.finish('first', 100, 10_000)
    bring(queue, 10_000, [arrival('b-1', guest)])
    expect(bring(queue, 11_000, [arrival('c-1', { keyId: 'owner', model: 'c' })])).toEqual([])
    expect(told(queue.wake(15_000))).toEqual(['start b-1'])
  })

  test('that is wanted again is served on', () => {
    const queue = serving()
    queue.finish('first', 100, 10_000)
    bring(queue, 11_000, [arrival('b-1', guest)])
    expect(bring(queue, 12_000, [arrival('a-2')])).toEqual(['start a-2'])
    expect(told(queue.wake(15_000))).toEqual([])
  })
})

describe('two models with rules of no patience', () => {
  test('take turns, and each swap serves somebody', () => {
    const queue = open({ maxModelWaitMs: 0, minResidencyMs: 0, idleMs: 0 })
    bring(queue, 0, [arrival('a-1'), arrival('b-1', { model: 'b' }), arrival('a-2')])
    bring(queue, 0, [arrival('b-2', { model: 'b' })])
    const order = ['a-1', 'b-1', 'a-2', 'b-2'].flatMap((id, n) => {
      const answered = told(queue.answered(id, n * 100))
      return [...answered, ...told(queue.finish(id, 100, n * 100 + 50))]
    })
    expect(order).toEqual(['start b-1', 'start a-2', 'start b-2'])
  })
})

describe('the right', () => {
  const use = { keyId: 'use', swap: 'use' } as const
  const load = { keyId: 'load', swap: 'load' } as const

  test('to use is for models that are loaded or loading', () => {
    const queue = open({ slotsFor: () => 3 })
    expect(
      bring(queue, 0, [arrival('1', use), arrival('2'), arrival('3', use), arrival('4', load)]),
    ).toEqual(['refuse 1: model-not-loaded', 'start 2', 'start 3', 'start 4'])
  })

  test('to load is for models that put no other out', () => {
    const queue = open()
    expect(
      bring(queue, 0, [
        arrival('1', load),
        arrival('2', { ...load, model: 'b' }),
        arrival('3', { ...load, model: 'side-1' }),
      ]),
    ).toEqual(['start 1', 'refuse 2: model-not-loaded', 'start 3'])
  })

  test.each([use, load])('to $swap puts no model out, however idle', (right) => {
    const queue = serving()
    queue.finish('first', 100, 10)
    expect(bring(queue, 99_000, [arrival('b-1', { ...right, model: 'b' })])).toEqual([
      'refuse b-1: model-not-loaded',
    ])
    expect(queue.snapshot().resident).toEqual(['a'])
  })

  test.each([use, load])(
    'to $swap ends when the model is put out while the request waits',
    (right) => {
      const queue = serving()
      bring(queue, 0, [arrival('b-1', { model: 'b' }), arrival('a-2', right)])
      queue.wake(60_000)
      expect(told(queue.finish('first', 100, 61_000))).toEqual([
        'start b-1',
        'refuse a-2: model-not-loaded',
      ])
    },
  )

  test('to load is enough when the model went away and nothing took its place', () => {
    const queue = serving()
    queue.observe(ready('side-1'), 0)
    bring(queue, 0, [arrival('a-2', load), arrival('a-3', use)])
    queue.finish('first', 100, 1)
    expect(told(queue.finish('a-2', 100, 2))).toEqual(['start a-3'])
    queue.finish('a-3', 100, 3)
    queue.observe(ready(), 4)
    expect(bring(queue, 5, [arrival('a-4', use), arrival('a-5', load)])).toEqual([
      'refuse a-4: model-not-loaded',
      'start a-5',
    ])
  })
})

describe('what upstream says is loaded', () => {
  test('is believed where nothing of ours runs', () => {
    const queue = serving()
    queue.finish('first', 100, 10)
    queue.observe(ready('b'), 20)
    expect(queue.snapshot().resident).toEqual(['b'])
    expect(bring(queue, 20, [arrival('b-1', { model: 'b', swap: 'use' })])).toEqual(['start b-1'])
  })

  test('does not take away a model that is serving us', () => {
    const queue = serving()
    queue.observe(ready(), 10)
    expect(queue.snapshot().resident).toEqual(['a'])
  })

  test('gives models that others brought their time, idle and busy', () => {
    const queue = open()
    queue.observe(ready('a'), 10_000)
    bring(queue, 11_000, [arrival('b-1', { model: 'b' })])
    expect(queue.nextWakeAt()).toBe(15_000)
    bring(queue, 12_000, [arrival('a-1')])
    expect(queue.nextWakeAt()).toBe(71_000)
    queue.wake(71_000)
    expect(queue.snapshot().drainingFor).toBe('b')
  })

  test('of a model that is being loaded for a request of ours, ready without an answer yet, lets others drain it', () => {
    const queue = open({ slotsFor: () => 2 })
    bring(queue, 0, [arrival('a-1')])
    bring(queue, 1_000, [arrival('b-1', { model: 'b' })])
    queue.observe({ loaded: ['a'], ready: [] }, 20_000)
    expect([queue.isLoaded('a'), queue.nextWakeAt()]).toEqual([false, 601_000])
    queue.observe(ready('a'), 30_000)
    // Its least time counts from then on: 45 s.
    expect([queue.isLoaded('a'), queue.nextWakeAt()]).toEqual([true, 75_000])
    queue.wake(75_000)
    expect(queue.snapshot().drainingFor).toBe('b')
    expect(bring(queue, 76_000, [arrival('a-2')])).toEqual([])
    expect(told(queue.finish('a-1', 100, 80_000))).toEqual(['start b-1'])
  })

  test('of a model that was ready before does not begin its time anew', () => {
    const queue = serving()
    bring(queue, 1_000, [arrival('b-1', { model: 'b' })])
    queue.observe(ready('a'), 40_000)
    expect(queue.nextWakeAt()).toBe(61_000)
  })

  test('may be old: a model that is just being put out does not come back', () => {
    const queue = serving()
    queue.finish('first', 100, 45_000)
    bring(queue, 45_000, [arrival('b-1', { model: 'b' })])
    queue.observe(ready('a'), 45_100)
    expect(queue.snapshot().resident).toEqual(['b'])
    expect(bring(queue, 45_200, [arrival('a-2')])).toEqual([])
    queue.answered('b-1', 65_000)
    queue.observe(ready('a'), 66_000)
    expect(queue.snapshot().resident).toEqual(['b', 'a'])
  })

  test('lets waiting requests go on when what was in their way has gone', () => {
    const queue = open()
    queue.observe(ready('b'), 0)
    bring(queue, 0, [arrival('a-1')])
    expect(told(queue.observe(ready(), 100))).toEqual(['start a-1'])
  })
})

describe('a model', () => {
  test('is believed to be loaded from its first answer until it is put out', () => {
    const queue = open()
    const loaded = (): string[] => ['a', 'b', 'c'].filter((model) => queue.isLoaded(model))
    expect(loaded()).toEqual([])
    bring(queue, 0, [arrival('a-1')])
    expect(loaded()).toEqual([])
    queue.answered('a-1', 10)
    expect(loaded()).toEqual(['a'])
    queue.finish('a-1', 100, 50_000)
    expect(loaded()).toEqual(['a'])
    bring(queue, 50_000, [arrival('b-1', { model: 'b' })])
    expect(loaded()).toEqual([])
  })

  test('that others brought is believed to be loaded from when upstream lists it', () => {
    const queue = open()
    queue.observe(ready('a'), 0)
    expect([queue.isLoaded('a'), queue.isLoaded('b')]).toEqual([true, false])
  })
})

describe('a clock that is set back', () => {
  test('costs nobody who waits more than what was left', () => {
    const queue = serving({ maxWaitMs: 100_000 })
    bring(queue, 10_000, [arrival('a-2')])
    queue.wake(50_000)
    queue.wake(-1_000_000)
    expect(queue.nextWakeAt()).toBe(-1_000_000 + 60_000)
    expect(told(queue.wake(-1_000_000 + 60_000))).toEqual(['refuse a-2: waited-too-long'])
  })
})
