import { expect, test } from 'vitest'
import { askObject } from '../../../adapters/cloudflare/ask-object.ts'
import { CountersUnavailable } from '../../../src/errors/counters-unavailable.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const moved = Object.assign(new Error('the object moved'), { retryable: true })

test('an answer is given on, also one to the second question', async () => {
  const clock = fakeClock()
  const answers = [() => Promise.reject(moved), () => Promise.resolve('yes')]
  const question = () => answers.shift()?.() ?? Promise.reject(new Error('a third question'))
  expect([await askObject(question, { ms: 10, clock }), clock.pending()]).toEqual(['yes', 0])
})

test('an object that throws and one that is silent are the same trouble, each with its cause', async () => {
  const clock = fakeClock()
  const patience = { ms: 10, clock }
  const troubles: unknown[] = []
  const note = (error: unknown) => troubles.push(error)
  void askObject(() => Promise.reject(new Error('bug')), patience).catch(note)
  void askObject(() => new Promise(() => {}), patience).catch(note)
  await clock.advance(10)
  expect(troubles).toEqual([
    new CountersUnavailable('Error: bug'),
    new CountersUnavailable('Error: a Durable Object did not answer within 0.01 s'),
  ])
})
