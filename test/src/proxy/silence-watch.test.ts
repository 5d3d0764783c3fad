import { describe, expect, test } from 'vitest'
import {
  silenceLimits,
  SilenceWatch,
  type SilenceLimits,
} from '../../../src/proxy/silence-watch.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'

const START = Date.UTC(2026, 0, 1)

type Watched = { clock: FakeClock; watch: SilenceWatch; told: string[] }

/** A watch that writes down what it tells, with the seconds since its start. */
function start(limits: Partial<SilenceLimits> = {}, clock = fakeClock(START)): Watched {
  const told: string[] = []
  const note = (what: string) => (): void => {
    told.push(`${what} at ${(clock.now() - START) / 1000}`)
  }
  const watch = new SilenceWatch(
    clock,
    { firstBeatMs: 30_000, beatEveryMs: 15_000, limitMs: 100_000, ...limits },
    { beat: note('beat'), expired: note('expired') },
  )
  return { clock, watch, told }
}

describe('a silence', () => {
  test('is told first after one length, then after another, and ends at the limit', async () => {
    const { clock, told } = start()

    await clock.advance(29_999)
    expect(told).toEqual([])
    await clock.advance(1_000_000)

    expect(told).toEqual([
      'beat at 30',
      'beat at 45',
      'beat at 60',
      'beat at 75',
      'beat at 90',
      'expired at 100',
    ])
    expect(clock.pending()).toBe(0)
  })

  test('that is broken begins again', async () => {
    const { clock, watch, told } = start()

    await clock.advance(20_000)
    watch.heard()
    await clock.advance(29_999)
    expect(told).toEqual([])
    await clock.advance(1)
    expect(told).toEqual(['beat at 50'])
    await clock.advance(5_000)
    watch.heard()
    await clock.advance(44_999)

    expect(told).toEqual(['beat at 50', 'beat at 85'])
  })

  test('beats are no sign of life: they do not put off the limit', async () => {
    const { clock, told } = start({ beatEveryMs: 1_000, firstBeatMs: 1_000, limitMs: 3_500 })
    await clock.advance(10_000)
    expect(told).toEqual(['beat at 1', 'beat at 2', 'beat at 3', 'expired at 3.5'])
  })

  test('that is due for a beat and for its end at once, ends', async () => {
    const { clock, told } = start({ limitMs: 30_000 })
    await clock.advance(60_000)
    expect(told).toEqual(['expired at 30'])
  })

  test.each([
    ['no beats', { firstBeatMs: 0 }, ['expired at 100']],
    [
      'no limit',
      { limitMs: 0 },
      ['beat at 30', 'beat at 45', 'beat at 60', 'beat at 75', 'beat at 90', 'beat at 105'],
    ],
    ['neither', { firstBeatMs: 0, limitMs: 0 }, []],
  ])('with 0 has %s', async (_, limits, expected) => {
    const { clock, watch, told } = start(limits)
    await clock.advance(110_000)
    watch.stop()
    expect({ told, pending: clock.pending() }).toEqual({ told: expected, pending: 0 })
  })

  test('with nothing to tell needs no timer', () => {
    expect(start({ firstBeatMs: 0, limitMs: 0 }).clock.pending()).toBe(0)
  })
})

describe('other limits', () => {
  test('count from the moment at which they are given', async () => {
    const { clock, watch, told } = start()
    await clock.advance(40_000)
    watch.limitTo({ firstBeatMs: 0, beatEveryMs: 0, limitMs: 20_000 })
    await clock.advance(19_999)
    expect(told).toEqual(['beat at 30'])
    await clock.advance(1)
    expect({ told, pending: clock.pending() }).toEqual({
      told: ['beat at 30', 'expired at 60'],
      pending: 0,
    })
  })

  test('may come earlier than the old ones', async () => {
    const { clock, watch, told } = start()
    watch.limitTo({ firstBeatMs: 1_000, beatEveryMs: 2_000, limitMs: 4_000 })
    await clock.advance(4_000)
    expect(told).toEqual(['beat at 1', 'beat at 3', 'expired at 4'])
  })

  test('may be given from within a beat', async () => {
    const clock = fakeClock(START)
    const told: number[] = []
    const watch: SilenceWatch = new SilenceWatch(
      clock,
      { firstBeatMs: 1_000, beatEveryMs: 1_000, limitMs: 0 },
      {
        beat() {
          told.push(clock.now() - START)
          watch.limitTo({ firstBeatMs: 5_000, beatEveryMs: 1_000, limitMs: 0 })
        },
        expired: () => told.push(-1),
      },
    )
    await clock.advance(12_000)
    expect({ told, pending: clock.pending() }).toEqual({ told: [1_000, 6_000, 11_000], pending: 1 })
  })
})

describe('a watch that is stopped', () => {
  test('tells nothing more and leaves no timer', async () => {
    const { clock, watch, told } = start()
    watch.stop()
    watch.stop()
    expect(clock.pending()).toBe(0)
    await clock.advance(1_000_000)
    expect(told).toEqual([])
  })

  test('from within a beat does not go on', async () => {
    const clock = fakeClock(START)
    const told: string[] = []
    const watch: SilenceWatch = new SilenceWatch(
      clock,
      { firstBeatMs: 1_000, beatEveryMs: 1_000, limitMs: 9_000 },
      {
        beat() {
          told.push('beat')
          watch.stop()
        },
        expired: () => told.push('expired'),
      },
    )
    await clock.advance(60_000)
    expect({ told, pending: clock.pending() }).toEqual({ told: ['beat'], pending: 0 })
  })
})

describe('cost', () => {
  test('a byte sets no timer: a busy stream wakes up once per length', async () => {
    let timers = 0
    const clock = fakeClock(START)
    const counting = {
      ...clock,
      setTimer(ms: number, run: () => void) {
        timers++
        return clock.setTimer(ms, run)
      },
    }
    const { watch, told } = start({}, counting)
    for (let second = 0; second < 300; second++) {
      for (let byte = 0; byte < 10; byte++) watch.heard()
      await clock.advance(1_000)
    }
    expect(told).toEqual([])
    expect(timers).toBeLessThanOrEqual(12)
  })
})

/** The fake clock, whose `now` can be moved without its timers. */
function shifting(): { clock: FakeClock; set: (byMs: number) => void } {
  const clock = fakeClock(START)
  let shift = 0
  return {
    clock: { ...clock, now: () => clock.now() + shift },
    set(byMs) {
      shift += byMs
    },
  }
}

describe('a clock that is set back', () => {
  test('does not stop the beats until the old time comes round again', async () => {
    const { clock, set } = shifting()
    const { told } = start({ limitMs: 0 }, clock)
    await clock.advance(30_000)
    set(-3_600_000)
    told.length = 0

    await clock.advance(60_000)

    expect(told.length).toBeGreaterThanOrEqual(2)
  })

  test('does not put the limit off by more than one limit', async () => {
    const { clock, set } = shifting()
    const { told } = start({ firstBeatMs: 0 }, clock)
    await clock.advance(50_000)
    set(-3_600_000)

    await clock.advance(150_000)

    expect(told).toEqual([`expired at ${(100_000 - 3_600_000 + 100_000) / 1000}`])
  })
})

describe('the limits of an exchange', () => {
  const late = { afterMs: 30_000, everyMs: 15_000 }
  const early = { afterMs: 500, everyMs: 15_000 }
  const never = { afterMs: 0, everyMs: 15_000 }

  test.each<[string, typeof late | undefined, boolean, number]>([
    ['begin late', late, false, 30_000],
    ['keep their pace once there was one', late, true, 15_000],
    ['begin early', early, false, 500],
    ['stay early where they began so', early, true, 500],
    ['never begin', never, false, 0],
    ['are not for this exchange', undefined, false, 0],
  ])('with heartbeats that %s', (...row) => {
    const [, heartbeat, isBeating, firstBeatMs] = row
    expect(silenceLimits(heartbeat, isBeating, 7000)).toEqual({
      firstBeatMs,
      beatEveryMs: heartbeat?.everyMs ?? 1,
      limitMs: 7000,
    })
  })

  test('without heartbeats leave a silence unbroken until its end', async () => {
    const { clock, told } = start(silenceLimits(undefined, false, 100_000))
    await clock.advance(100_000)
    expect(told).toEqual(['expired at 100'])
  })
})
