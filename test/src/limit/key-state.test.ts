import { describe, expect, test } from 'vitest'
import {
  catchUp,
  isForgettable,
  newKeyState,
  readKeyState,
  withoutLeases,
  writeKeyState,
  type KeyState,
} from '../../../src/limit/key-state.ts'
import { admit, LEASE_MS, settle } from '../../../src/limit/policy.ts'
import { limitsOf, START } from './limits.ts'

const HOUR_MS = 3_600_000
const limits = limitsOf({ requestsPerMinute: 60, tokensPerMinute: 1000, tokensPerDay: 10_000 })
const lease = (leaseId: string): { keyId: string; limits: typeof limits; leaseId: string } => ({
  keyId: 'k',
  limits,
  leaseId,
})

const leaseIds = (state: KeyState): string[] => state.leases.map(({ leaseId }) => leaseId)

function used(): KeyState {
  const state = newKeyState(START)
  admit(state, { ...lease('a'), tokens: 100, maxLeases: undefined }, START)
  admit(state, { ...lease('b'), tokens: 200, maxLeases: undefined }, START + 10)
  settle(state, { ...lease('a'), tokens: 50 }, START + 20)
  return state
}

describe('as text', () => {
  test('a state comes back as it was', () => {
    const state = used()
    expect(readKeyState(writeKeyState(state))).toEqual(state)
  })

  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['another value', '[]'],
    ['a missing part', JSON.stringify({ ...used(), tokens: undefined })],
    ['a time that is no number', JSON.stringify({ ...used(), seenAt: null })],
    ['a count below nothing', JSON.stringify({ ...used(), day: { day: '', endsAt: 0, used: -1 } })],
    ['a number that is too large', writeKeyState(used()).replace(/"seenAt":\d+/, '"seenAt":1e999')],
  ])('%s is no state', (_, text) => {
    expect(readKeyState(text)).toBe(undefined)
  })
})

test('without leases what they took stays taken', () => {
  expect(withoutLeases(used())).toEqual({
    seenAt: START + 20,
    requests: { tat: START + 2000, steps: [] },
    tokens: { tat: START + 50 * 60 + 200 * 60, steps: [] },
    day: { day: '2026-01-01', endsAt: START + 24 * HOUR_MS, used: 250 },
    leases: [],
  })
})

describe('when the clock jumps back', () => {
  test('all of the past moves back with it', () => {
    const state = used()
    const before = structuredClone(state)
    catchUp(state, START + 20 - HOUR_MS)
    catchUp(before, START + 20)
    const moved = (ms: number): number => ms - HOUR_MS
    expect(state).toEqual({
      seenAt: moved(before.seenAt),
      requests: {
        tat: moved(before.requests.tat),
        steps: before.requests.steps.map((step) => ({ ...step, floor: moved(step.floor) })),
      },
      tokens: {
        tat: moved(before.tokens.tat),
        steps: before.tokens.steps.map((step) => ({ ...step, floor: moved(step.floor) })),
      },
      day: before.day,
      leases: before.leases.map((held) => ({ ...held, expiresAt: moved(held.expiresAt) })),
    })
  })
})

describe('an expired lease', () => {
  test('is kept for an hour, then forgotten with what it took staying taken', () => {
    const state = used()
    catchUp(state, START + 10 + LEASE_MS + HOUR_MS - 1)
    const kept = leaseIds(state)
    catchUp(state, START + 10 + LEASE_MS + HOUR_MS)
    expect([kept, leaseIds(state), state.tokens]).toEqual([
      ['b'],
      [],
      { tat: START + 250 * 60, steps: [] },
    ])
  })

  test('is not kept where there are too many of them', () => {
    const state = newKeyState(START)
    const many = { ...lease('x'), limits: limitsOf({}), tokens: 0, maxLeases: undefined }
    for (let i = 0; i < 1001; i++) admit(state, { ...many, leaseId: `${i}` }, START)
    const held = state.leases.length
    catchUp(state, START + LEASE_MS)
    expect([held, state.leases]).toEqual([1001, []])
  })
})

describe('a state can be forgotten', () => {
  const full = newKeyState(START)
  const owing = { tat: START + 1, steps: [] }
  const afterADay = START + 24 * HOUR_MS
  test.each([
    ['where nothing was ever used', { state: full, now: START }, true],
    ['not while it has a lease', { state: used(), now: START + 20 }, false],
    [
      'not while requests are not earned back',
      { state: { ...full, requests: owing }, now: START },
      false,
    ],
    [
      'not while tokens are not earned back',
      { state: { ...full, tokens: owing }, now: START },
      false,
    ],
    ['not before its day is over', { state: withoutLeases(used()), now: afterADay - 1 }, false],
    ['once its day is over', { state: withoutLeases(used()), now: afterADay }, true],
  ])('%s', (_, { state, now }, can) => {
    expect(isForgettable(state, now)).toBe(can)
  })
})
