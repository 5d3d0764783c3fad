import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answerTokens, compactsAt, limitsFor, withOwnOutput } from '../../../src/opencode/limits.ts'

describe('the limits for a window', () => {
  test.each([
    [98_304, { context: 98_304, input: 98_304, output: 16_384 }],
    [131_072, { context: 131_072, input: 131_072, output: 16_384 }],
    [65_536, { context: 65_536, input: 65_536, output: 16_384 }],
    [32_768, { context: 32_768, input: 32_768, output: 8192 }],
    [16_384, { context: 16_384, input: 16_384, output: 4096 }],
    [40_960, { context: 40_960, input: 40_960, output: 10_240 }],
    [33_000, { context: 33_000, input: 33_000, output: 8192 }],
    [8192, { context: 8192, input: 8192, output: 4096 }],
    [4096, { context: 4096, input: 4096, output: 2048 }],
    [1, { context: 1, input: 1, output: 1 }],
  ])('of %i tokens', (context, limit) => {
    expect(limitsFor(context)).toEqual(limit)
  })

  test('never ask for more than the server gives in one answer', () => {
    expect(limitsFor(131_072, 8000)).toEqual({ context: 131_072, input: 131_072, output: 8000 })
    expect(limitsFor(131_072, 0)).toEqual({ context: 131_072, input: 131_072, output: 1 })
  })

  test('leave room to compact in, in every window', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 10_000_000 }),
        fc.option(fc.integer({ min: 1, max: 200_000 }), { nil: undefined }),
        (context, outputLimit) => {
          const limit = limitsFor(context, outputLimit)
          expect(limit.context).toBe(context)
          expect(limit.input).toBe(context)
          expect(limit.output).toBeGreaterThan(0)
          expect(limit.output).toBeLessThanOrEqual(Math.min(context / 2, 16_384))
          expect(limit.output).toBeLessThanOrEqual(outputLimit ?? Infinity)
          // The answer that OpenCode asks for fits into what is left when it has not compacted yet.
          expect(compactsAt({ limit })! + answerTokens(limit.output)).toBe(context)
        },
      ),
    )
  })

  test('grow with the window', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300_000 }),
        fc.integer({ min: 0, max: 9999 }),
        (n, more) => {
          expect(limitsFor(n + more).output).toBeGreaterThanOrEqual(limitsFor(n).output)
        },
      ),
    )
  })
})

describe('an answer that somebody has written', () => {
  test.each<[string, number, number | undefined, number | undefined, number]>([
    ['as long as usual', 131_072, 16_384, undefined, 16_384],
    ['shorter than usual', 131_072, 16_383, undefined, 16_384],
    ['as long as OpenCode lets it be', 131_072, 32_000, undefined, 32_000],
    ['longer than OpenCode lets it be', 131_072, 32_001, undefined, 16_384],
    ['longer than that where this machine lets it be', 131_072, 32_001, 64_000, 16_384],
    ['longer than the server gives', 131_072, 20_001, 20_000, 16_384],
    ['half of the window', 32_768, 16_384, undefined, 16_384],
    ['more than half of the window', 32_768, 16_385, undefined, 8192],
    ['not there', 32_768, undefined, undefined, 8192],
  ])('that is %s', (_, ...[context, written, most, output]) => {
    const right = limitsFor(context)
    expect(withOwnOutput(right, written, most)).toEqual({ ...right, output })
  })
})

describe('OpenCode compacts', () => {
  // Seen at OpenCode 1.18.33, which did not compact with one token less.
  test.each([
    [{ limit: { context: 32_768, output: 4096 }, compaction: { reserved: 1000 } }, 28_672],
    [
      { limit: { context: 32_768, input: 32_768, output: 4096 }, compaction: { reserved: 1000 } },
      31_768,
    ],
    [{ limit: { context: 98_304, output: 65_536 } }, 66_304],
    [{ limit: { context: 131_072, output: 65_536 }, compaction: { reserved: 20_000 } }, 99_072],
    [{ limit: { context: 98_304, input: 98_304, output: 16_384 } }, 81_920],
    [{ limit: { context: 131_072, input: 131_072, output: 65_536 } }, 111_072],
  ])('with %j at %i tokens', (given, tokens) => {
    expect(compactsAt(given)).toBe(tokens)
  })

  test.each([
    [
      'a window that is no larger than 32,000 with an output of 0',
      { limit: { context: 32_000, output: 0 } },
    ],
    ['an output as large as the window', { limit: { context: 4096, output: 4096 } }],
    [
      'a reserve as large as the window',
      { limit: { context: 8192, input: 8192, output: 4096 }, compaction: { reserved: 8192 } },
    ],
  ])('after every answer with %s', (_, given) => {
    expect(compactsAt(given)).toBe(0)
  })

  test.each([
    ['without limits', { limit: undefined }],
    ['with a context of 0', { limit: { context: 0, input: 5000, output: 4096 } }],
    [
      'when it is turned off',
      { limit: { context: 32_768, output: 4096 }, compaction: { auto: false } },
    ],
  ])('never %s', (_, given) => {
    expect(compactsAt(given)).toBeUndefined()
  })

  test('later where OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX is lower than 32,000', () => {
    const limit = { context: 98_304, output: 65_536 }
    expect(compactsAt({ limit, outputTokenMax: 10_000 })).toBe(88_304)
  })

  test('before the window is full, whatever is written', () => {
    const tokens = fc.integer({ min: 1, max: 400_000 })
    fc.assert(
      fc.property(
        tokens,
        tokens,
        fc.option(tokens, { nil: undefined }),
        (context, output, reserved) => {
          const at = compactsAt({
            limit: { context, input: context, output },
            compaction: { reserved },
          })!
          expect(at).toBeGreaterThanOrEqual(0)
          expect(at).toBeLessThan(context)
        },
      ),
    )
  })
})
