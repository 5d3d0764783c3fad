import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  readNative,
  readProgress,
  readTimings,
  readUsage,
  sumCounts,
} from '../../../src/usage/read-counts.ts'

describe('usage', () => {
  test.each<[string, object, [prompt: number, cached: number, completion: number]]>([
    ['of chat', { prompt_tokens: 25, completion_tokens: 3, total_tokens: 28 }, [25, 0, 3]],
    [
      'of chat with a cache',
      {
        prompt_tokens: 25,
        completion_tokens: 3,
        prompt_tokens_details: { cached_tokens: 24 },
      },
      [25, 24, 3],
    ],
    [
      'of servers without a cache',
      { prompt_tokens: 25, completion_tokens: 3, prompt_tokens_details: null },
      [25, 0, 3],
    ],
    ['of embeddings', { prompt_tokens: 11, total_tokens: 11 }, [11, 0, 0]],
    [
      'of responses',
      { input_tokens: 25, output_tokens: 3, input_tokens_details: { cached_tokens: 24 } },
      [25, 24, 3],
    ],
    [
      'of messages',
      { input_tokens: 1, cache_read_input_tokens: 24, output_tokens: 3 },
      [25, 24, 3],
    ],
    [
      'of messages that filled the cache',
      {
        input_tokens: 1,
        cache_read_input_tokens: 4,
        cache_creation_input_tokens: 20,
        output_tokens: 3,
      },
      [25, 4, 3],
    ],
  ])('%s', (_, usage, [prompt, cached, completion]) => {
    expect(readUsage(usage)).toEqual({ prompt, cached, completion, exact: true })
  })
})

test('timings count what was computed and what was cached', () => {
  expect(readTimings({ cache_n: 24, prompt_n: 1, predicted_n: 3 })).toEqual({
    prompt: 25,
    cached: 24,
    completion: 3,
    exact: true,
  })
})

test('progress tells how much there is and how much is read', () => {
  expect(readProgress({ total: 9, cache: 2, processed: 5, time_ms: 1 })).toEqual({
    total: 9,
    cache: 2,
    processed: 5,
  })
})

test("llama.cpp's own count includes what was cached", () => {
  const told = { tokens_evaluated: 7, tokens_predicted: 4 }
  expect([readNative(told), readNative({ ...told, timings: { cache_n: 6 } })]).toEqual([
    { prompt: 7, cached: 0, completion: 4, exact: true },
    { prompt: 7, cached: 6, completion: 4, exact: true },
  ])
})

describe('what is not all there, or is no count', () => {
  const whole = {
    usage: { prompt_tokens: 1 },
    messages: { input_tokens: 1 },
    timings: { cache_n: 1, prompt_n: 1, predicted_n: 1 },
    progress: { total: 1, cache: 1, processed: 1 },
    native: { tokens_evaluated: 1, tokens_predicted: 1 },
  }
  const read: Record<keyof typeof whole, (value: object) => unknown> = {
    usage: readUsage,
    messages: readUsage,
    timings: readTimings,
    progress: readProgress,
    native: (value) => readNative({ ...value }),
  }
  const cases = Object.entries(whole).flatMap(([kind, value]) =>
    Object.keys(value).map((name) => ({ kind, name, value })),
  )

  test.each(cases)('$kind without a sound $name is nothing', ({ kind, name, value }) => {
    const reader = Object.entries(read).find(([known]) => known === kind)?.[1]
    const odd = [undefined, null, -1, 0.5, 1e300, '1', [1], {}]
    expect(reader?.(value)).toBeDefined()
    expect(odd.map((wrong) => reader?.({ ...value, [name]: wrong }))).toEqual(
      odd.map(() => undefined),
    )
  })

  test.each([undefined, null, 1, 'x', [], [{ prompt_tokens: 1 }]])('%j is nothing', (value) => {
    expect([readUsage(value), readTimings(value), readProgress(value)]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})

test('sums are sums of each part, and exact only where all are', () => {
  const count = fc.nat({ max: 1e6 })
  const counts = fc.record({
    prompt: count,
    cached: count,
    completion: count,
    exact: fc.boolean(),
  })
  fc.assert(
    fc.property(counts, counts, (a, b) => {
      expect([sumCounts([]), sumCounts([a]), sumCounts([a, b])]).toEqual([
        undefined,
        a,
        {
          prompt: a.prompt + b.prompt,
          cached: a.cached + b.cached,
          completion: a.completion + b.completion,
          exact: a.exact && b.exact,
        },
      ])
    }),
  )
})
