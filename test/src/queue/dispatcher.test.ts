import { describe, expect, test } from 'vitest'
import type { Arrival, QueueRules } from '../../../src/queue/arrival.ts'
import { Dispatcher, type Seen } from '../../../src/queue/dispatcher.ts'
import { FairQueue } from '../../../src/queue/fair-queue.ts'
import type { Turn } from '../../../src/queue/turn.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { arrival, ready, RULES } from './arrivals.ts'

/** A dispatcher in front of a box that holds one model, and what it did. */
type World = {
  dispatcher: Dispatcher
  clock: FakeClock
  /** How many timers the dispatcher has set. */
  timersSet: number
  /** What was told to requests, in order. */
  told: string[]
  /** When upstream was asked what is loaded, in milliseconds from the start. */
  looks: number[]
  /** What upstream answers from now on. */
  seen: Seen | Promise<Seen>
  /** A request that waits for its turn. */
  wait: (id: string, given?: Partial<Arrival>) => Turn
}

function open(rules: Partial<QueueRules> = {}): World {
  const clock = fakeClock()
  const startedAt = clock.now()
  const told: string[] = []
  const looks: number[] = []
  const queue = new FairQueue({ ...RULES, ...rules }, { evicts: () => true })
  const counting = {
    ...clock,
    setTimer(ms: number, run: () => void) {
      world.timersSet++
      return clock.setTimer(ms, run)
    },
  }
  const dispatcher = new Dispatcher(queue, counting, async () => {
    looks.push(clock.now() - startedAt)
    return world.seen
  })
  const world: World = {
    dispatcher,
    clock,
    timersSet: 0,
    told,
    looks,
    seen: ready('a'),
    wait(id, given) {
      const turn = dispatcher.turnFor(arrival(id, given))
      turn.wait({
        granted: () => void told.push(`${id} granted`),
        refused: (error) => void told.push(`${id} ${error.kind}`),
      })
      return turn
    },
  }
  return world
}

describe('a request for which there is room', () => {
  test('is granted at once, without a timer and without a look', () => {
    const { wait, told, looks, clock } = open()
    wait('1')
    expect([told, looks, clock.pending()]).toEqual([['1 granted'], [], 0])
  })

  test('does nothing before it waits', () => {
    const { dispatcher, told, clock } = open()
    dispatcher.turnFor(arrival('1'))
    expect([told, clock.pending()]).toEqual([[], 0])
  })
})

describe('a request for which there is none', () => {
  test('is granted when the one before it leaves', () => {
    const { wait, told, clock } = open()
    const first = wait('1')
    wait('2')
    expect(told).toEqual(['1 granted'])
    first.leave(10)
    expect([told, clock.pending()]).toEqual([['1 granted', '2 granted'], 0])
  })

  test('is refused when it has waited too long', async () => {
    const { wait, told, clock } = open({ maxWaitMs: 5000 })
    wait('1')
    wait('2')
    await clock.advance(4999)
    expect(told).toEqual(['1 granted'])
    await clock.advance(1)
    expect([told, clock.pending()]).toEqual([['1 granted', '2 waited-too-long'], 0])
  })

  test('is refused at once when the queue is full', () => {
    const { wait, told } = open({ maxWaiting: 1 })
    wait('1')
    wait('2')
    wait('3')
    wait('4', { maxWaiting: 0, keyId: 'other' })
    expect(told).toEqual(['1 granted', '3 queue-full', '4 key-queue-full'])
  })

  test('takes its place with it when its client leaves', () => {
    const { wait, told, clock } = open()
    const first = wait('1')
    const second = wait('2')
    second.leave(0)
    expect(clock.pending()).toBe(0)
    first.leave(10)
    expect(told).toEqual(['1 granted'])
    wait('3')
    expect(told).toEqual(['1 granted', '3 granted'])
  })
})

describe('when the gate is being stopped', () => {
  test('all who wait are refused at once, and what runs ends as it likes', async () => {
    const { dispatcher, wait, told, clock } = open({ slotsFor: () => 2 })
    const running = [wait('1'), wait('2')]
    const waiting = [wait('3'), wait('4', { model: 'b' }), wait('5')]
    dispatcher.drain()
    const after = ['1 granted', '2 granted', '3 draining', '4 draining', '5 draining']
    expect([told, clock.pending()]).toEqual([after, 0])
    for (const turn of waiting) turn.leave(0)
    for (const turn of running) {
      turn.answered()
      turn.leave(10)
    }
    await clock.advance(3_600_000)
    expect([told, clock.pending()]).toEqual([after, 0])
  })

  test('nobody is let in by those who are refused: a model that was being emptied stays so', () => {
    const { dispatcher, wait, told } = open({
      maxModelWaitMs: 0,
      minResidencyMs: 0,
      slotsFor: () => 9,
    })
    wait('1').answered()
    wait('2', { model: 'b', keyId: 'other' })
    wait('3')
    expect(told).toEqual(['1 granted'])
    dispatcher.drain()
    expect(told).toEqual(['1 granted', '2 draining', '3 draining'])
  })

  test('who comes is refused, though there is room', () => {
    const { dispatcher, wait, told, clock } = open()
    dispatcher.drain()
    wait('1')
    expect([told, clock.pending()]).toEqual([['1 draining'], 0])
  })

  test('who comes back from within the refusal is refused again, and nobody is told twice', () => {
    const { dispatcher, wait, told } = open()
    wait('1')
    dispatcher.turnFor(arrival('2')).wait({
      granted: () => void told.push('2 granted'),
      refused({ kind }) {
        told.push(`2 ${kind}`)
        wait('2 again')
      },
    })
    wait('3')
    dispatcher.drain()
    dispatcher.drain()
    expect(told).toEqual(['1 granted', '2 draining', '2 again draining', '3 draining'])
  })

  test.each([
    ['was seen', ready('a'), '1 draining'],
    ['is not known', { failure: { kind: 'upstream-unreachable' } }, '1 upstream-unreachable'],
  ] satisfies Array<[string, Seen, string]>)(
    'who waits for what is loaded is told when that %s',
    async (_what, seen, expected) => {
      const world = open()
      const answer = Promise.withResolvers<Seen>()
      world.seen = answer.promise
      world.wait('1', { swap: 'use' })
      world.dispatcher.drain()
      expect(world.told).toEqual([])
      answer.resolve(seen)
      await world.clock.advance(0)
      expect([world.told, world.clock.pending()]).toEqual([[expected], 0])
    },
  )
})

describe('another model', () => {
  test('is waited for as long as the queue says', async () => {
    const { wait, told, clock } = open({ idleMs: 5000 })
    const first = wait('1', { keyId: 'x' })
    first.answered()
    wait('2', { model: 'b', keyId: 'y' })
    await clock.advance(1000)
    first.leave(10)
    await clock.advance(4999)
    expect(told).toEqual(['1 granted'])
    await clock.advance(1)
    expect(told).toEqual(['1 granted', '2 granted'])
  })
})

describe('a place', () => {
  test('becomes free once, however often its request leaves', () => {
    const { wait, told } = open()
    const first = wait('1')
    wait('2')
    wait('3')
    first.leave(10)
    first.leave(10)
    first.leave(10)
    expect(told).toEqual(['1 granted', '2 granted'])
  })

  test('is not given back by a request that was refused', () => {
    const { wait, told } = open({ maxWaiting: 0 })
    const first = wait('1')
    const second = wait('2')
    second.leave(0)
    second.answered()
    wait('3')
    first.leave(10)
    wait('4')
    expect(told).toEqual(['1 granted', '2 queue-full', '3 queue-full', '4 granted'])
  })

  test('that is given up from within its own turn goes to the next, and so on', () => {
    const { dispatcher, told, clock } = open()
    const first = dispatcher.turnFor(arrival('0'))
    first.wait({ granted: () => undefined, refused: () => undefined })
    for (const id of ['1', '2', '3']) {
      const turn = dispatcher.turnFor(arrival(id))
      turn.wait({
        granted() {
          told.push(`${id} granted`)
          turn.leave(0)
        },
        refused: ({ kind }) => void told.push(`${id} ${kind}`),
      })
    }
    first.leave(10)
    expect([told, clock.pending()]).toEqual([['1 granted', '2 granted', '3 granted'], 0])
  })

  test('of several is not lost when the first of them fails at once', () => {
    const { dispatcher, told, wait } = open({ slotsFor: () => 2 })
    const running = [wait('1'), wait('2')]
    const turn = dispatcher.turnFor(arrival('3'))
    turn.wait({
      granted() {
        told.push('3 granted')
        turn.leave(0)
      },
      refused: () => undefined,
    })
    wait('4')
    wait('5')
    for (const one of running) one.leave(10)
    expect(told).toEqual(['1 granted', '2 granted', '3 granted', '4 granted', '5 granted'])
  })
})

describe('a request that is given up between the decision and the word', () => {
  test('is never told, and its place goes to the next', async () => {
    const { dispatcher, wait, told, clock } = open({ slotsFor: () => 2 })
    const before = wait('1')
    before.answered()
    before.leave(10)
    // Both places for the other model come free in one decision, when the first one has been idle for long enough.
    const b = { model: 'b', keyId: 'other' }
    const first = dispatcher.turnFor(arrival('2', b))
    first.wait({
      granted() {
        told.push('2 granted')
        second.leave(0)
      },
      refused: ({ kind }) => void told.push(`2 ${kind}`),
    })
    const second = wait('3', b)
    wait('4', b)
    wait('5', b)
    expect(told).toEqual(['1 granted'])
    await clock.advance(RULES.minResidencyMs)
    expect(told).toEqual(['1 granted', '2 granted', '4 granted'])
    second.leave(10)
    expect(told).toHaveLength(3)
    first.leave(10)
    expect([told.slice(3), clock.pending()]).toEqual([['5 granted'], 0])
  })
})

describe('while somebody waits', () => {
  test('upstream is asked every two seconds, with one timer, until nobody does', async () => {
    const { wait, looks, clock } = open()
    const first = wait('1')
    wait('2')
    expect(clock.pending()).toBe(1)
    await clock.advance(7000)
    expect([looks, clock.pending()]).toEqual([[1, 2001, 4001, 6001], 1])
    first.leave(10)
    await clock.advance(60_000)
    expect([looks.length, clock.pending()]).toEqual([4, 0])
  })

  test('a slow answer is waited for, not asked for again', async () => {
    const world = open()
    const answer = Promise.withResolvers<Seen>()
    world.seen = answer.promise
    world.wait('1')
    world.wait('2')
    await world.clock.advance(60_000)
    expect([world.looks, world.timersSet]).toEqual([[1], 31])
    answer.resolve(ready('a'))
    await world.clock.advance(2000)
    expect(world.looks).toHaveLength(2)
  })

  test('a model that is gone frees its place for another', async () => {
    const world = open({ idleMs: 3_600_000, minResidencyMs: 3_600_000, maxModelWaitMs: 3_600_000 })
    const first = world.wait('1', { keyId: 'x' })
    first.answered()
    world.wait('2', { model: 'b', keyId: 'y' })
    first.leave(10)
    await world.clock.advance(1000)
    expect(world.told).toEqual(['1 granted'])
    world.seen = ready()
    await world.clock.advance(2000)
    expect(world.told).toEqual(['1 granted', '2 granted'])
  })

  test('a look that fails changes nothing', async () => {
    const world = open()
    world.seen = { failure: { kind: 'upstream-unreachable' } }
    const first = world.wait('1')
    world.wait('2')
    await world.clock.advance(10_000)
    expect(world.told).toEqual(['1 granted'])
    first.leave(10)
    expect(world.told).toEqual(['1 granted', '2 granted'])
  })

  test('a clock that is set back does not stop the looks', async () => {
    const world = open()
    const jump = { back: 0 }
    const { clock, looks } = world
    const dispatcher = new Dispatcher(
      new FairQueue(RULES, { evicts: () => true }),
      { setTimer: (ms, run) => clock.setTimer(ms, run), now: () => clock.now() - jump.back },
      async () => {
        looks.push(0)
        return ready('a')
      },
    )
    for (const id of ['1', '2'])
      dispatcher.turnFor(arrival(id)).wait({ granted: () => undefined, refused: () => undefined })
    await clock.advance(1000)
    jump.back = 24 * 60 * 60 * 1000
    const before = looks.length
    await clock.advance(6000)
    expect(looks.length - before).toBeGreaterThanOrEqual(2)
  })
})

describe.each(['use', 'load'] as const)('a key that may only %s models', (swap) => {
  test('is judged by what upstream says now', async () => {
    const { wait, told, looks, clock } = open()
    wait('1', { swap })
    wait('2', { swap, model: 'b' })
    expect(told).toEqual([])
    await clock.advance(0)
    expect([told, looks]).toEqual([['1 granted', '2 model-not-loaded'], [0]])
  })

  test('is judged by what was seen within a second', async () => {
    const world = open({ slotsFor: () => 9 })
    world.wait('1', { swap })
    await world.clock.advance(1000)
    world.wait('2', { swap })
    expect([world.told, world.looks]).toEqual([['1 granted', '2 granted'], [0]])
    await world.clock.advance(1)
    world.wait('3', { swap })
    expect(world.told).toHaveLength(2)
    await world.clock.advance(0)
    expect([world.told.at(-1), world.looks]).toEqual(['3 granted', [0, 1001]])
  })

  test('is refused with the reason when upstream cannot be asked, and the next one asks anew', async () => {
    const world = open()
    world.seen = { failure: { kind: 'upstream-unreachable' } }
    world.wait('1', { swap })
    await world.clock.advance(0)
    world.seen = ready('a')
    world.wait('2', { swap })
    await world.clock.advance(0)
    expect(world.told).toEqual(['1 upstream-unreachable', '2 granted'])
    expect(world.looks).toHaveLength(2)
  })

  test('holds no place when its client leaves during the look', async () => {
    const world = open()
    const answer = Promise.withResolvers<Seen>()
    world.seen = answer.promise
    const turn = world.wait('1', { swap })
    turn.leave(0)
    answer.resolve(ready('a'))
    await world.clock.advance(0)
    expect([world.told, world.clock.pending()]).toEqual([[], 0])
    world.wait('2')
    expect(world.told).toEqual(['2 granted'])
  })
})

describe('many requests that wait for the same look', () => {
  test('are 256 at most, the next are refused at once, and the look makes room again', async () => {
    const world = open({ slotsFor: () => 1000 })
    const answer = Promise.withResolvers<Seen>()
    world.seen = answer.promise
    for (let n = 1; n <= 258; n++) world.wait(`${n}`, { swap: 'use' })
    expect(world.told).toEqual(['257 queue-full', '258 queue-full'])
    answer.resolve(ready('a'))
    await world.clock.advance(0)
    expect([world.told.length, world.told.at(-1), world.looks]).toEqual([258, '256 granted', [0]])
    world.told.length = 0
    await world.clock.advance(1001)
    for (let n = 1; n <= 256; n++) world.wait(`again ${n}`, { swap: 'use' })
    await world.clock.advance(0)
    expect(world.told).toEqual(Array.from({ length: 256 }, (_, i) => `again ${i + 1} granted`))
  })

  test('keep no other out that need not look', () => {
    const world = open({ slotsFor: () => 1000 })
    world.seen = Promise.withResolvers<Seen>().promise
    for (let n = 1; n <= 257; n++) world.wait(`${n}`, { swap: 'use' })
    world.wait('owner')
    expect(world.told).toEqual(['257 queue-full', 'owner granted'])
  })

  test('make room when the look fails', async () => {
    const world = open()
    world.seen = { failure: { kind: 'upstream-unreachable' } }
    for (let n = 1; n <= 256; n++) world.wait(`${n}`, { swap: 'use' })
    await world.clock.advance(0)
    world.told.length = 0
    world.wait('next', { swap: 'use' })
    await world.clock.advance(0)
    expect(world.told).toEqual(['next upstream-unreachable'])
  })
})

test('a turn tells whether its model is believed to be loaded', async () => {
  const world = open()
  const turn = world.wait('1')
  const other = world.dispatcher.turnFor(arrival('2', { model: 'b' }))
  expect([turn.hasModel(), other.hasModel()]).toEqual([false, false])
  world.wait('3')
  await world.clock.advance(1)
  expect([world.looks, turn.hasModel(), other.hasModel()]).toEqual([[1], true, false])

  const answered = open().wait('1')
  answered.answered()
  expect(answered.hasModel()).toBe(true)
})

test('a key that may load is let into free room, one that may only use is not', async () => {
  const world = open()
  world.seen = ready()
  world.wait('1', { swap: 'use' })
  world.wait('2', { swap: 'load' })
  await world.clock.advance(0)
  expect(world.told).toEqual(['1 model-not-loaded', '2 granted'])
})

test('a refusal for a model that is not loaded names it', async () => {
  const world = open()
  world.seen = ready()
  const refusals: unknown[] = []
  world.dispatcher
    .turnFor(arrival('1', { swap: 'use', model: 'b' }))
    .wait({ granted: () => undefined, refused: (error) => void refusals.push(error) })
  await world.clock.advance(0)
  expect(refusals).toEqual([{ kind: 'model-not-loaded', model: 'b' }])
})
