import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainMeter } from '../../../src/usage/plain-meter.ts'
import { RECORDINGS, textOf } from './recordings.ts'

const encoder = new TextEncoder()

function read(text: string, prompts = 1): object {
  const meter = plainMeter({ prompts })
  meter.piece(encoder.encode(text))
  return { counts: meter.counts(), isLlamaCpp: meter.isLlamaCpp() }
}

const nothing = { counts: undefined, isLlamaCpp: false }
const MEBIBYTE = 1024 * 1024

describe.each(RECORDINGS.filter(({ streamed }) => !streamed))(
  'the recorded answer "$name"',
  ({ name, counts, isLlamaCpp }) => {
    const bytes = encoder.encode(textOf(name))

    test('is counted the same in any pieces', () => {
      fc.assert(
        fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 5 }), (cuts) => {
          const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
          const meter = plainMeter({ prompts: 1 })
          for (const [i, at] of places.slice(1).entries())
            meter.piece(bytes.subarray(places[i], at))
          expect([meter.counts(), meter.isLlamaCpp()]).toEqual([counts, isLlamaCpp])
        }),
        { numRuns: 20 },
      )
    })

    test('counts nothing before it is whole, and everything then', () => {
      const meter = plainMeter({ prompts: 1 })
      meter.piece(bytes.subarray(0, -1))
      const before = meter.counts()
      meter.piece(bytes.subarray(-1))
      expect([before, meter.counts()]).toEqual([undefined, counts])
    })
  },
)

describe('several choices of llama.cpp, of which it tells the first', () => {
  test('of one prompt are taken to be alike', () => {
    expect(read(textOf('chat-n2'))).toEqual({
      counts: { prompt: 24, cached: 23, completion: 8, exact: false },
      isLlamaCpp: true,
    })
  })

  test('of several prompts are taken to be alike with their prompts', () => {
    expect(read(textOf('completions-two'), 2)).toEqual({
      counts: { prompt: 26, cached: 14, completion: 8, exact: false },
      isLlamaCpp: true,
    })
  })

  test('are told whole by other servers', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 8 }
    expect(read(JSON.stringify({ choices: [{}, {}], usage }))).toEqual({
      counts: { prompt: 5, cached: 0, completion: 8, exact: true },
      isLlamaCpp: false,
    })
  })
})

describe('what tells nothing', () => {
  test.each([
    ['no bytes', ''],
    ['an error', '{"error":{"code":400,"usage":{"prompt_tokens":1}}}'],
    ['usage within the words', '{"choices":[{"message":{"usage":{"prompt_tokens":1}}}]}'],
    ['usage that is no object', '{"usage":[1]}'],
    ['usage with odd counts', '{"usage":{"prompt_tokens":-1}}'],
    ['a cut answer', '{"usage":{"prompt_tokens":1},"data":['],
    ['a list of something else', '[1,{"a":2}]'],
    ['a cut list', '[{"tokens_evaluated":1,"tokens_predicted":1}'],
    ['text', 'not found'],
  ])('%s', (_, text) => {
    expect(read(text)).toEqual(nothing)
  })
})

test('an answer of sixteen mebibytes is read to its end', () => {
  const [before, after] = ['{"choices":[{"logprobs":"', '"}],"usage":{"prompt_tokens":11}}']
  const filling = 'x'.repeat(16 * MEBIBYTE - before.length - after.length)
  const counts = { prompt: 11, cached: 0, completion: 0, exact: true }
  expect([read(before + filling + after), read(`${before}x${filling}${after}`)]).toEqual([
    { counts, isLlamaCpp: false },
    nothing,
  ])
})

describe('an answer of more than sixteen mebibytes', () => {
  const long = `[${'0.5,'.repeat(4 * MEBIBYTE)}1]`

  test('is read where usage stands before the vectors', () => {
    const head = '{"model":"a","usage":{"prompt_tokens":11,"total_tokens":11},'
    expect(read(`${head}"data":${long}}`)).toEqual({
      counts: { prompt: 11, cached: 0, completion: 0, exact: true },
      isLlamaCpp: false,
    })
  })

  test.each([
    ['has no usage', `{"model":"a","data":${long}}`],
    ['has its usage at the end', `{"data":${long},"usage":{"prompt_tokens":11}}`],
    [
      'has words that look like the place',
      `{"a":"x","b":["usage",{"usage":{"prompt_tokens":1},"data":[]}],"c":${long}}`,
    ],
    ['has words that hide the place', `{"a":{"usage":{"prompt_tokens":1},"data":${long}}}`],
    ['is something else', long],
  ])('tells nothing where it %s', (_, text) => {
    expect(read(text)).toEqual(nothing)
  })

  test('keeps only its head, however long it becomes', () => {
    const meter = plainMeter({ prompts: 1 })
    meter.piece(encoder.encode('{"usage":{"prompt_tokens":11},"data":[1'))
    const mebibyte = encoder.encode(',1'.repeat(MEBIBYTE / 2))
    for (let i = 0; i < 16; i++) meter.piece(mebibyte)
    mebibyte.fill(0)
    expect(meter.counts()).toEqual({ prompt: 11, cached: 0, completion: 0, exact: true })
  })
})

test('frames pass a meter of plain answers as they are', () => {
  const bytes = new Uint8Array([1])
  expect(plainMeter({ prompts: 1 }).frames(bytes)).toBe(bytes)
})
