import { describe, expect, test } from 'vitest'
import type { MeterOptions } from '../../../src/usage/meter.ts'
import type { TokenCounts } from '../../../src/usage/record.ts'
import { countsOf, ESTIMATE, frame, framesOf } from './recordings.ts'

const recorded = framesOf('messages-stream')
const count = (
  frames: readonly string[],
  options: Partial<MeterOptions> = {},
): TokenCounts | undefined => countsOf(frames, { format: 'messages', ...options })

const start = (usage: object): string => frame({ type: 'message_start', message: { usage } })
const delta = (usage: object): string => frame({ type: 'message_delta', delta: {}, usage })

describe('a stream of messages', () => {
  test.each([
    [0, undefined],
    [1, { prompt: 24, cached: 23, completion: 0, exact: false }],
    [2, { prompt: 24, cached: 23, completion: 0, exact: false }],
    [4, { prompt: 24, cached: 23, completion: 2, exact: false }],
    [6, { prompt: 24, cached: 23, completion: 4, exact: false }],
    [8, { prompt: 24, cached: 23, completion: 4, exact: true }],
  ])('cut behind %i frames', (frames, counts) => {
    expect(count(recorded.slice(0, frames))).toEqual(counts)
  })

  test('of a known llama.cpp has, when it is cut, the two tokens that were computed unseen', () => {
    const options = { isLlamaCpp: true }
    expect([
      count(recorded.slice(0, 2), options),
      count(recorded.slice(0, 4), options),
      count(recorded, options),
    ]).toEqual([
      { prompt: 24, cached: 23, completion: 0, exact: false },
      { prompt: 24, cached: 23, completion: 4, exact: false },
      { prompt: 24, cached: 23, completion: 4, exact: true },
    ])
  })

  test('counts what was written into the cache as part of the prompt', () => {
    const usage = {
      input_tokens: 5,
      cache_read_input_tokens: 20,
      cache_creation_input_tokens: 100,
      output_tokens: 1,
    }
    expect(count([start(usage), delta({ output_tokens: 7 })])).toEqual({
      prompt: 125,
      cached: 20,
      completion: 7,
      exact: true,
    })
  })

  test('believes the prompt of the end where it is told again', () => {
    const usage = { input_tokens: 25, output_tokens: 7 }
    expect(count([start({ input_tokens: 0, output_tokens: 0 }), delta(usage)])).toEqual({
      prompt: 25,
      cached: 0,
      completion: 7,
      exact: true,
    })
  })

  test('without a start has the estimated prompt', () => {
    expect(count([delta({ output_tokens: 7 })])).toEqual({
      prompt: ESTIMATE,
      cached: 0,
      completion: 7,
      exact: false,
    })
  })

  test.each([':\n\n', 'event: ping\ndata: {"type": "ping"}\n\n'])(
    'that was only pinged (%j) has the estimated prompt',
    (ping) => {
      expect(count([ping])).toEqual({
        prompt: ESTIMATE,
        cached: 0,
        completion: 0,
        exact: false,
      })
    },
  )

  test.each([
    ['an error', frame({ type: 'error', error: { type: 'api_error' } })],
    [
      'a tool whose input looks like an end',
      frame({
        type: 'content_block_start',
        content_block: { input: { type: 'message_delta', usage: { output_tokens: 1 } } },
      }),
    ],
    ['text that is no JSON', 'data: {"type":"message_start"\n\n'],
  ])('uses nothing for %s', (_, text) => {
    expect(count([text])).toBeUndefined()
  })
})
