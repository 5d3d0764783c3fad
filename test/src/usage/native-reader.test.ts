import { describe, expect, test } from 'vitest'
import type { TokenCounts } from '../../../src/usage/record.ts'
import { countsOf, frame, framesOf } from './recordings.ts'

const count = (frames: readonly string[]): TokenCounts | undefined =>
  countsOf(frames, { format: 'native' })

const told = (index: number, rest: object): string =>
  frame({ index, content: 'a', stop: false, tokens_predicted: 3, tokens_evaluated: 7, ...rest })

describe("a stream of llama.cpp's own", () => {
  test.each([
    ['native-stream', 0, undefined],
    ['native-stream', 1, { prompt: 7, cached: 0, completion: 3, exact: false }],
    ['native-stream', 4, { prompt: 7, cached: 0, completion: 6, exact: false }],
    ['native-stream', 5, { prompt: 7, cached: 6, completion: 4, exact: true }],
    ['native-stream-progress', 1, { prompt: 6, cached: 6, completion: 0, exact: false }],
    ['native-stream-progress', 2, { prompt: 7, cached: 6, completion: 0, exact: false }],
    ['native-stream-progress', 3, { prompt: 7, cached: 6, completion: 3, exact: false }],
  ])(
    '%s, cut behind %i frames, has two tokens that were computed unseen',
    (name, frames, counts) => {
      expect(count(framesOf(name).slice(0, frames))).toEqual(counts)
    },
  )

  test('adds up several prompts, each by its last frame', () => {
    const timings = { cache_n: 5 }
    const both = [told(0, {}), told(1, {}), told(0, { stop: true, timings })]
    expect(count(both)).toEqual({ prompt: 14, cached: 5, completion: 8, exact: false })
    expect(count([...both, told(1, { stop: true, timings })])).toEqual({
      prompt: 14,
      cached: 10,
      completion: 6,
      exact: true,
    })
  })

  test.each([
    ['an error', frame({ error: { code: 500 } })],
    ['a ping', ':\n\n'],
    ['a frame without counts', frame({ index: 0, content: 'a' })],
    ['a frame that is no JSON', 'data: {"index":0,\n\n'],
  ])('uses nothing for %s', (_, text) => {
    expect(count([text])).toBeUndefined()
  })
})
