import { expect, test } from 'vitest'
import { PATIENCE_MS, withinTime } from '../../../adapters/cloudflare/within-time.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const NEVER = new Promise<string>(() => {})

test('an answer that never comes is given up after 10 s', async () => {
  const clock = fakeClock()
  let error = ''
  void withinTime(NEVER, { ms: PATIENCE_MS, clock }).catch(
    (reason: unknown) => (error = String(reason)),
  )
  await clock.advance(9_999)
  const before = error
  await clock.advance(1)
  expect([before, error, clock.pending()]).toEqual([
    '',
    'Error: a Durable Object did not answer within 10 s',
    0,
  ])
})

test.each([
  ['an answer', async () => 'yes', 'yes'],
  ['an error', () => Promise.reject(new Error('no')), 'Error: no'],
])('%s that comes in time is given on, and no timer is left', async (_what, ask, given) => {
  const clock = fakeClock()
  const got = await withinTime(ask(), { ms: PATIENCE_MS, clock }).catch(String)
  expect([got, clock.pending()]).toEqual([given, 0])
})
