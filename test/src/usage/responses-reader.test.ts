import { describe, expect, test } from 'vitest'
import type { MeterOptions } from '../../../src/usage/meter.ts'
import type { TokenCounts } from '../../../src/usage/record.ts'
import { countsOf, ESTIMATE, frame, framesOf, meterFor, through } from './recordings.ts'

const count = (
  frames: readonly string[],
  options: Partial<MeterOptions> = {},
): TokenCounts | undefined => countsOf(frames, { format: 'responses', ...options })

describe('a stream of responses', () => {
  test.each([
    [0, undefined],
    [1, { prompt: ESTIMATE, cached: 0, completion: 0, exact: false }],
    [5, { prompt: ESTIMATE, cached: 0, completion: 1, exact: false }],
    [8, { prompt: ESTIMATE, cached: 0, completion: 4, exact: false }],
    [11, { prompt: ESTIMATE, cached: 0, completion: 4, exact: false }],
    [12, { prompt: 24, cached: 23, completion: 4, exact: true }],
  ])('cut behind %i frames', (frames, counts) => {
    expect(count(framesOf('responses-stream').slice(0, frames))).toEqual(counts)
  })

  test.each([
    [2, { prompt: 23, cached: 23, completion: 0, exact: false }],
    [3, { prompt: 24, cached: 23, completion: 0, exact: false }],
    [7, { prompt: 24, cached: 23, completion: 4, exact: false }],
  ])('whose client asked llama.cpp for more, cut behind %i frames', (frames, counts) => {
    expect(count(framesOf('responses-stream-progress').slice(0, frames))).toEqual(counts)
  })

  test('with timings alone has their prompt', () => {
    const timings = { cache_n: 20, prompt_n: 5, predicted_n: 9 }
    const cut = [frame({ type: 'response.output_text.delta', delta: 'a', timings })]
    expect(count(cut)).toEqual({ prompt: 25, cached: 20, completion: 11, exact: false })
  })

  test.each(['response.completed', 'response.incomplete', 'response.failed'])(
    'that ends with %s is counted by it',
    (type) => {
      const usage = {
        input_tokens: 25,
        output_tokens: 3,
        input_tokens_details: { cached_tokens: 24 },
      }
      expect(count([frame({ type, response: { usage } })])).toEqual({
        prompt: 25,
        cached: 24,
        completion: 3,
        exact: true,
      })
    },
  )

  test('of a known llama.cpp has, when it is cut, the two tokens that were computed unseen', () => {
    const cut = framesOf('responses-stream').slice(0, 6)
    expect(count(cut, { isLlamaCpp: true })).toEqual({
      prompt: ESTIMATE,
      cached: 0,
      completion: 4,
      exact: false,
    })
  })

  test('is no llama.cpp without timings', () => {
    const meter = meterFor({ format: 'responses' })
    through(meter, framesOf('responses-stream').slice(0, 11).join(''))
    expect(meter.isLlamaCpp()).toBe(false)
  })

  test('cannot be ended by a tool whose arguments look like an end', () => {
    const usage = { input_tokens: 1, output_tokens: 1 }
    const lie = { type: 'response.completed', response: { usage }, usage, timings: { cache_n: 1 } }
    expect(
      count([
        frame({ type: 'response.output_item.added', item: { arguments: lie } }),
        frame({ type: 'response.output_text.delta', delta: JSON.stringify(lie) }),
      ]),
    ).toEqual({ prompt: ESTIMATE, cached: 0, completion: 1, exact: false })
  })

  test.each([
    ['an error', 'event: error\ndata: {"type":"error","message":"a"}\n\n'],
    ['an end that is no JSON', 'data: {"timings"\n\n'],
  ])('uses nothing for %s', (_, text) => {
    expect(count([text])).toBeUndefined()
  })
})
