import { describe, expect, test } from 'vitest'
import type { HeaderPairs } from '../../../src/deps.ts'
import {
  errorOfReset,
  isEmpty502,
  maySendAgain,
  type FailedAttempt,
} from '../../../src/proxy/retry.ts'

const first: FailedAttempt = {
  failure: 'reset',
  attempt: 1,
  most: 2,
  committed: false,
  elapsedMs: 0,
}

describe('the one safe retry', () => {
  test.each([
    ['a first reset at once', first, true],
    ['a first empty 502 at once', { ...first, failure: 'empty-502' as const }, true],
    ['a reset just before a second has passed', { ...first, elapsedMs: 999 }, true],
    ['a reset after a second', { ...first, elapsedMs: 1000 }, false],
    ['a second attempt', { ...first, attempt: 2 }, false],
    ['a reset of what may be sent once', { ...first, most: 1 }, false],
    ['a reset after the client has been answered', { ...first, committed: true }, false],
  ])('%s', (_, attempt, allowed) => {
    expect(maySendAgain(attempt)).toBe(allowed)
  })
})

describe('a connection that broke before the answer', () => {
  test.each([
    ['a second time at once: nobody is there', { ...first, attempt: 2 }, 'upstream-unreachable'],
    [
      'a second time in the last moment of a second: nobody is there',
      { ...first, attempt: 2, elapsedMs: 999 },
      'upstream-unreachable',
    ],
    ['a second time after a second', { ...first, attempt: 2, elapsedMs: 1000 }, 'upstream-broken'],
    [
      'the only time that it may be sent, at once: nobody is there',
      { ...first, most: 1 },
      'upstream-unreachable',
    ],
    ['the only time, after a second', { ...first, most: 1, elapsedMs: 1000 }, 'upstream-broken'],
    ['the first time, after a second', { ...first, elapsedMs: 1000 }, 'upstream-broken'],
    ['the first time, behind a heartbeat', { ...first, committed: true }, 'upstream-broken'],
  ])('%s', (_, attempt, kind) => {
    expect(errorOfReset(attempt)).toEqual({ kind })
  })
})

describe('an empty 502', () => {
  const nothing = new Uint8Array()
  const plain = { status: 502, headers: [], body: nothing }
  test.each<[string, { status: number; headers: HeaderPairs; body: Uint8Array }, boolean]>([
    ['is one without body and type', { ...plain, headers: [['content-length', '0']] }, true],
    ['is not one with a body', { ...plain, body: new Uint8Array([1]) }, false],
    ['is not one with a type', { ...plain, headers: [['content-type', 'text/plain']] }, false],
    ['is not a 500', { ...plain, status: 500 }, false],
    ['is not a 503', { ...plain, status: 503 }, false],
  ])('%s', (_, { status, headers, body }, is) => {
    expect(isEmpty502({ status, headers, body })).toBe(is)
  })
})
