import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { didYouMean } from '../../../src/config/did-you-mean.ts'

const MODELS = ['gpt-oss-120b', 'glm-4.7-flash', 'qwen3-coder-next', 'coder']

describe('a mistyped word', () => {
  test.each([
    ['a letter too many', 'codder', 'coder'],
    ['a letter missing', 'coer', 'coder'],
    ['another letter', 'cober', 'coder'],
    ['two letters crossed', 'cdoer', 'coder'],
    ['the wrong case', 'CODER', 'coder'],
    ['another separator', 'qwen3_coder_next', 'qwen3-coder-next'],
    ['a shortened end', 'gpt-oss-12', 'gpt-oss-120b'],
  ])('with %s is recognised', (_how, word, meant) => {
    expect(didYouMean(word, MODELS)).toBe(meant)
  })

  test('is taken for the nearest of several', () => {
    expect(didYouMean('abcdef', ['abcxyz', 'abcdex', 'abcdxx'])).toBe('abcdex')
  })

  test('is taken for the first of equally near ones', () => {
    expect(didYouMean('cat', ['bat', 'car'])).toBe('bat')
  })

  test('is not guessed at when more than a third of its letters differ', () => {
    expect(['claude', 'gpt-4o', 'gpt-5.2-codex', 'xyz'].map((w) => didYouMean(w, MODELS))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  test('may differ in a third of its letters and no more', () => {
    expect([didYouMean('abcdef', ['abcdxy']), didYouMean('abcdef', ['abcxyz'])]).toEqual([
      'abcdxy',
      undefined,
    ])
  })

  test('is not guessed at when nothing is known', () => {
    expect(didYouMean('coder', [])).toBeUndefined()
  })

  test('is not compared when it is very long, nor with what is very long', () => {
    expect([
      didYouMean('m'.repeat(65), ['m'.repeat(65)]),
      didYouMean('m'.repeat(64), ['m'.repeat(65), 'm'.repeat(64)]),
    ]).toEqual([undefined, 'm'.repeat(64)])
  })
})

describe('for every word', () => {
  const word = fc.stringMatching(/^[a-z0-9.-]{4,20}$/)

  test('the suggestion is one of the known words', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (mistyped, known) => {
        expect([undefined, ...known]).toContain(didYouMean(mistyped, known))
      }),
    )
  })

  test('a known word is its own best suggestion', () => {
    fc.assert(
      fc.property(word, fc.array(word), (right, others) => {
        expect(didYouMean(right, [...others, right])).toBe(right)
      }),
    )
  })

  test('one slip of a finger is recognised', () => {
    fc.assert(
      fc.property(
        word,
        fc.nat(),
        fc.constantFrom('drop', 'double', 'replace', 'cross'),
        (right, n, slip) => {
          const at = n % (right.length - 1)
          const [before, first, second, after] = [
            right.slice(0, at),
            right.charAt(at),
            right.charAt(at + 1),
            right.slice(at + 2),
          ]
          const slipped = {
            drop: before + second + after,
            double: before + first + first + second + after,
            replace: `${before}_${second}${after}`,
            cross: before + second + first + after,
          }[slip]
          expect(didYouMean(slipped, [right])).toBe(right)
        },
      ),
    )
  })

  test('a word that shares no letter is never suggested', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-f]{3,20}$/),
        fc.array(fc.stringMatching(/^[u-z]{3,20}$/)),
        (a, others) => {
          expect(didYouMean(a, others)).toBeUndefined()
        },
      ),
    )
  })
})
