import { describe, expect, test } from 'vitest'
import { retryOnce } from '../../../adapters/cloudflare/retry-once.ts'

const moved = Object.assign(new Error('the object moved'), { retryable: true })
const overloaded = Object.assign(new Error('too much'), { retryable: true, overloaded: true })

/** Asks an object that throws these errors first; gives what came of it and how often it was asked, each time with what. */
async function asked(errors: Error[]) {
  const calls: boolean[] = []
  const answer = await retryOnce(async (isAgain) => {
    calls.push(isAgain)
    const error = errors.shift()
    if (error !== undefined) throw error
    return 'answer'
  }).catch(String)
  return { answer, calls }
}

describe('a Durable Object', () => {
  test('is asked once where it answers', async () => {
    expect(await asked([])).toEqual({ answer: 'answer', calls: [false] })
  })

  test('is asked again, and told so, where the platform says that this helps', async () => {
    expect(await asked([moved])).toEqual({ answer: 'answer', calls: [false, true] })
  })

  test('is asked twice at most', async () => {
    expect(await asked([moved, moved])).toEqual({
      answer: 'Error: the object moved',
      calls: [false, true],
    })
  })

  test.each([
    ['has too much to do', overloaded, 'Error: too much'],
    ['has a fault', new Error('bug'), 'Error: bug'],
  ])('is not asked again where it %s', async (_what, error, answer) => {
    expect(await asked([error])).toEqual({ answer, calls: [false] })
  })
})
