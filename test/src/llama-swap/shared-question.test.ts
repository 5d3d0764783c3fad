import { describe, expect, test } from 'vitest'
import { isOverWithin, shareQuestion } from '../../../src/llama-swap/shared-question.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'

/** A question that is answered when a test says so. */
function startQuestion() {
  const clock = fakeClock()
  const asked: PromiseWithResolvers<void>[] = []
  const ask = shareQuestion(clock, () => {
    const answer = Promise.withResolvers<void>()
    asked.push(answer)
    return answer.promise
  })
  return { clock, asked, ask }
}

/** What becomes of promises at this moment. */
async function statesOf(clock: FakeClock, promises: Promise<void>[]): Promise<string[]> {
  const states = promises.map(() => 'waits')
  for (const [i, promise] of promises.entries())
    promise.then(
      () => (states[i] = 'answered'),
      () => (states[i] = 'failed'),
    )
  await clock.advance(0)
  return states
}

describe('a question', () => {
  test('is asked once for all who ask while it is under way, and once more after that', async () => {
    const { clock, asked, ask } = startQuestion()
    const first = [ask(), ask(), ask()]
    expect(asked).toHaveLength(1)
    asked[0]?.resolve()
    expect(await statesOf(clock, first)).toEqual(['answered', 'answered', 'answered'])
    void ask()
    expect(asked).toHaveLength(2)
  })

  test('that fails fails for all of them, and the next one asks anew', async () => {
    const { clock, asked, ask } = startQuestion()
    const first = [ask(), ask()]
    asked[0]?.reject(new Error('no'))
    expect(await statesOf(clock, first)).toEqual(['failed', 'failed'])
    void ask()
    expect(asked).toHaveLength(2)
  })

  test('is asked anew by one of them every two seconds, and any answer is for all', async () => {
    const { clock, asked, ask } = startQuestion()
    const waiting = [ask(), ask(), ask()]
    const counts: number[] = []
    for (const ms of [1999, 1, 1999, 1]) {
      await clock.advance(ms)
      counts.push(asked.length)
    }
    expect(counts).toEqual([1, 2, 2, 3])
    asked[0]?.resolve()
    expect(await statesOf(clock, waiting)).toEqual(['answered', 'answered', 'answered'])
    expect(clock.pending()).toBe(0)
  })

  test('is not waited for by who comes after two seconds', async () => {
    const { clock, asked, ask } = startQuestion()
    const lost = ask()
    await clock.advance(2000)
    const late = ask()
    await clock.advance(0)
    expect(asked).toHaveLength(2)
    asked[1]?.resolve()
    expect(await statesOf(clock, [lost, late])).toEqual(['waits', 'answered'])
  })
})

describe('whether a promise is kept in time', () => {
  test('is told, and no timer stays behind', async () => {
    const clock = fakeClock()
    expect([await isOverWithin(clock, 10, Promise.resolve()), clock.pending()]).toEqual([true, 0])
  })

  test('is no at the end of the time, and at once where there is none', async () => {
    const clock = fakeClock()
    const never = new Promise<void>(() => {})
    const late = isOverWithin(clock, 10, never)
    await clock.advance(10)
    expect([await late, await isOverWithin(clock, 0, never)]).toEqual([false, false])
  })

  test('is its failure where it is broken', async () => {
    const clock = fakeClock()
    const broken = Promise.reject(new Error('no'))
    await expect(isOverWithin(clock, 10, broken)).rejects.toThrow('no')
  })
})
