import { expect, test } from 'vitest'
import { createFaultTeller } from '../../../adapters/sqlite/tell-fault.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const HOUR_MS = 3_600_000

test('a fault that lasts is told once an hour', async () => {
  const clock = fakeClock()
  const told: string[] = []
  const fault = createFaultTeller(clock, (message) => void told.push(message))
  fault.failed('first')
  await clock.advance(HOUR_MS - 1)
  fault.failed('too early')
  await clock.advance(1)
  fault.failed('second')
  expect(told).toEqual(['first', 'second'])
})

test('its end is told once, and only where the fault was', () => {
  const told: string[] = []
  const fault = createFaultTeller(fakeClock(), (message) => void told.push(message))
  fault.healed('nothing was wrong')
  fault.failed('broken')
  fault.healed('works again')
  fault.healed('still works')
  fault.failed('broken within the same hour')
  fault.healed('works once more')
  expect(told).toEqual(['broken', 'works again'])
})
