import { describe, expect, test } from 'vitest'
import type { ResidentModel } from '../../../src/queue/resident-models.ts'
import { drainAt, residencyEndsAt, swapAt } from '../../../src/queue/swap-times.ts'
import { arrival, resident, RULES } from './arrivals.ts'

const waiter = { arrival: arrival('1', { keyId: 'guest' }), since: 30_000 }

describe('a model in the way', () => {
  test.each<[string, Partial<ResidentModel>, { ends: number; drain: number; swap: number }]>([
    ['that is idle', { idleSince: 7_000 }, { ends: 45_000, drain: 90_000, swap: 12_000 }],
    [
      'that was idle only late',
      { idleSince: 44_000 },
      { ends: 45_000, drain: 90_000, swap: 45_000 },
    ],
    [
      'that the same key used',
      { lastKey: 'guest' },
      { ends: 45_000, drain: 90_000, swap: -Infinity },
    ],
    ['that is busy', { running: 1 }, { ends: 45_000, drain: 90_000, swap: Infinity }],
    [
      'that was loaded late',
      { running: 1, since: 80_000 },
      { ends: 125_000, drain: 125_000, swap: Infinity },
    ],
    [
      'that is being loaded',
      { running: 1, isLoaded: false },
      { ends: Infinity, drain: Infinity, swap: Infinity },
    ],
    [
      'that is being loaded for nobody any more',
      { isLoaded: false, idleSince: 1_000 },
      { ends: 45_000, drain: 90_000, swap: 6_000 },
    ],
  ])('%s has its time', (_, given, expected) => {
    const inTheWay = [resident('a', given)]
    expect({
      ends: residencyEndsAt(inTheWay, RULES),
      drain: drainAt(waiter, inTheWay, RULES),
      swap: swapAt(waiter, inTheWay, RULES),
    }).toEqual(expected)
  })

  test('waits for the others that are in the way', () => {
    const inTheWay = [
      resident('a', { lastKey: 'guest' }),
      resident('c', { since: 50_000, idleSince: 60_000 }),
    ]
    expect([drainAt(waiter, inTheWay, RULES), swapAt(waiter, inTheWay, RULES)]).toEqual([
      95_000, 65_000,
    ])
  })
})
