import { expect, test } from 'vitest'
import { ExchangeTimes } from '../../../src/proxy/exchange-times.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'

const AT = Date.UTC(2026, 0, 1)

function open(): { clock: FakeClock; times: ExchangeTimes } {
  const clock = fakeClock(AT)
  return { clock, times: new ExchangeTimes(clock) }
}

test('an exchange that came to nothing before it waited has no times', async () => {
  const { clock, times } = open()
  await clock.advance(1000)
  expect({ ...times.told, wasSent: times.wasSent }).toEqual({
    sentAt: undefined,
    firstByteAt: undefined,
    queuedMs: undefined,
    wasSent: false,
  })
})

test('one that was never sent has waited until now', async () => {
  const { clock, times } = open()
  await clock.advance(1000)
  times.queued()
  await clock.advance(2000)
  expect({ ...times.told, wasSent: times.wasSent }).toEqual({
    sentAt: undefined,
    firstByteAt: undefined,
    queuedMs: 2000,
    wasSent: false,
  })
})

test('one that was sent again was sent when it was sent first, and its attempt began when it was sent last', async () => {
  const { clock, times } = open()
  times.queued()
  await clock.advance(2000)
  times.sent()
  await clock.advance(500)
  times.sent()
  await clock.advance(300)
  expect({ ...times.told, wasSent: times.wasSent, sinceSentMs: times.sinceSentMs }).toEqual({
    sentAt: AT + 2000,
    firstByteAt: undefined,
    queuedMs: 2000,
    wasSent: true,
    sinceSentMs: 300,
  })
})

test('the first byte is the first piece that was written', async () => {
  const { clock, times } = open()
  times.queued()
  times.sent()
  await clock.advance(700)
  times.wrote()
  await clock.advance(100)
  times.wrote()
  expect(times.told).toEqual({ sentAt: AT, firstByteAt: AT + 700, queuedMs: 0 })
})
