import { describe, expect, test } from 'vitest'
import { keepLimits, type KeptLimits } from '../../../adapters/sqlite/keep-limits.ts'
import { createSqliteLimitArchive } from '../../../adapters/sqlite/limit-archive.ts'
import type { Admission } from '../../../src/limit/limit-store.ts'
import type { ArchivedKey, LimitArchive } from '../../../src/limit/limit-archive.ts'
import { limitsOf } from '../../src/limit/limits.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { openTemporary } from './open-temporary.ts'

const LIMITS = limitsOf({ tokensPerDay: 1000 })

function admission(keyId: string, leaseId = keyId): Admission {
  return { keyId, limits: LIMITS, leaseId, tokens: 100, maxLeases: undefined }
}

/** An archive in memory that fails as long as a test says so. */
class FakeArchive implements LimitArchive {
  readonly rows = new Map<string, string>()
  /** The keys of each save, in order. */
  readonly saves: string[][] = []
  fault: Error | undefined

  load(): ArchivedKey[] {
    if (this.fault) throw this.fault
    return [...this.rows].map(([keyId, text]) => ({ keyId, text }))
  }

  save(changed: readonly ArchivedKey[]): void {
    this.saves.push(changed.map(({ keyId }) => keyId))
    if (this.fault) throw this.fault
    for (const { keyId, text } of changed) this.rows.set(keyId, text)
  }
}

type World = { kept: KeptLimits; archive: FakeArchive; clock: FakeClock; warnings: string[] }

function keep(archive = new FakeArchive(), clock = fakeClock()): World {
  const warnings: string[] = []
  const warn = (message: string): void => void warnings.push(message)
  const kept = keepLimits({ archive, clock, background: clock, warn })
  return { kept, archive, clock, warnings }
}

describe('what changed', () => {
  test('is saved twice a second, each key once', async () => {
    const { kept, archive, clock } = keep()
    await kept.limits.admit(admission('a', 'r-1'))
    await kept.limits.admit(admission('a', 'r-2'))
    await kept.limits.admit(admission('b'))
    await clock.advance(499)
    expect(archive.saves).toEqual([])
    await clock.advance(1)
    await kept.limits.admit(admission('b', 'r-3'))
    await clock.advance(500)
    expect(archive.saves).toEqual([['a', 'b'], ['b']])
  })

  test('is not saved again when nothing did', async () => {
    const { kept, archive, clock } = keep()
    await kept.limits.admit(admission('a'))
    await clock.advance(60_000)
    expect(archive.saves).toEqual([['a']])
  })

  test('is saved at the stop, for the last time', async () => {
    const { kept, archive, clock } = keep()
    await kept.limits.admit(admission('a'))
    kept.stop()
    expect(archive.saves).toEqual([['a']])
    await kept.limits.admit(admission('a', 'r-2'))
    await clock.advance(60_000)
    expect([archive.saves, clock.pending()]).toEqual([[['a']], 0])
  })
})

test('a restart goes on where the process before it ended, in a real file, too', async () => {
  const database = await openTemporary()
  const clock = fakeClock()
  const open = (): KeptLimits =>
    keepLimits({
      archive: createSqliteLimitArchive(database, clock),
      clock,
      background: clock,
      warn: (message) => expect.unreachable(message),
    })
  const before = open()
  await before.limits.admit(admission('a'))
  await before.limits.settle(admission('a'), 300)
  before.stop()

  const after = open()
  expect([after.limits.peek('a', LIMITS), after.limits.peek('b', LIMITS)]).toEqual([
    { requests: undefined, tokens: { limit: 1000, remaining: 700, resetMs: 86_400_000 } },
    { requests: undefined, tokens: { limit: 1000, remaining: 1000, resetMs: 0 } },
  ])
  after.stop()
})

describe('a disk that fails', () => {
  test('does not stop the limits, and what could not be saved is saved later', async () => {
    const { kept, archive, clock, warnings } = keep()
    archive.fault = new Error('disk full')
    await kept.limits.admit(admission('a'))
    await clock.advance(500)
    expect(kept.limits.peek('a', LIMITS)).toMatchObject({ tokens: { remaining: 900 } })
    archive.fault = undefined
    await kept.limits.admit(admission('b'))
    await clock.advance(500)
    expect(archive.saves).toEqual([['a'], ['a', 'b']])
    expect([...archive.rows.keys()]).toEqual(['a', 'b'])
    expect(warnings).toEqual([
      'what is left of the limits cannot be saved: disk full',
      'what is left of the limits is saved again',
    ])
  })

  test('is told once an hour', async () => {
    const { kept, archive, clock, warnings } = keep()
    archive.fault = new Error('disk full')
    await kept.limits.admit(admission('a'))
    await clock.advance(3_600_000)
    expect(warnings).toHaveLength(1)
    await clock.advance(500)
    expect(warnings).toHaveLength(2)
  })

  test('now and then is told once an hour, too', async () => {
    const { kept, archive, clock, warnings } = keep()
    for (const fault of [new Error('a'), undefined, new Error('b'), undefined]) {
      archive.fault = fault
      await kept.limits.admit(admission('a', crypto.randomUUID()))
      await clock.advance(500)
    }
    expect(warnings).toEqual([
      'what is left of the limits cannot be saved: a',
      'what is left of the limits is saved again',
    ])
  })

  test('at the stop is told, however short ago it was told, with the number of keys', async () => {
    const { kept, archive, clock, warnings } = keep()
    archive.fault = new Error('disk full')
    await kept.limits.admit(admission('a'))
    await clock.advance(500)
    await kept.limits.admit(admission('b'))
    kept.stop()
    expect([warnings, clock.pending()]).toEqual([
      [
        'what is left of the limits cannot be saved: disk full',
        'what is left of the limits cannot be saved: disk full; the next start will not know all that 2 keys have used',
      ],
      0,
    ])
  })

  test('until the stop, and then works, is told as such', async () => {
    const { kept, archive, clock, warnings } = keep()
    archive.fault = new Error('disk full')
    await kept.limits.admit(admission('a'))
    await clock.advance(500)
    archive.fault = undefined
    kept.stop()
    expect([warnings, [...archive.rows.keys()]]).toEqual([
      [
        'what is left of the limits cannot be saved: disk full',
        'what is left of the limits is saved again',
      ],
      ['a'],
    ])
  })

  test('at the start lets the limits begin anew', async () => {
    const archive = new FakeArchive()
    archive.fault = new Error('no such table')
    const { kept, warnings } = keep(archive)
    expect(kept.limits.peek('a', LIMITS)).toMatchObject({ tokens: { remaining: 1000 } })
    expect(warnings).toEqual([
      'what was left of the limits cannot be read, so they begin anew: no such table',
    ])
    kept.stop()
  })
})

test('rows that cannot be read are told by their keys, never by their text', () => {
  const archive = new FakeArchive()
  archive.rows.set('a', 'garbage').set('b\n', '{}')
  const { kept, warnings } = keep(archive)
  expect([kept.limits.peek('a', LIMITS), warnings]).toEqual([
    { requests: undefined, tokens: { limit: 1000, remaining: 1000, resetMs: 0 } },
    ['what was left of the limits of "a", "b\\n" cannot be read, so they begin anew'],
  ])
  kept.stop()
})
