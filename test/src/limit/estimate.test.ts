import { Buffer } from 'node:buffer'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEstimator, textBytes } from '../../../src/limit/estimate.ts'

const request = { bodyBytes: 3600, maxOutput: undefined }
const learned = {
  bodyBytes: 3600,
  computedTokensOfPrompt: 1000,
  completion: 0,
  maxOutput: undefined,
}

describe('an estimate', () => {
  test('of an unknown habit goes by bytes and a usual answer', () => {
    expect(createEstimator().estimate('m', request)).toEqual({
      prompt: 1000,
      output: 1024,
      tokens: 2024,
    })
  })

  test.each([
    [100, { prompt: 10, output: 100, tokens: 110 }],
    [0, { prompt: 10, output: 0, tokens: 10 }],
    [1_000_000, { prompt: 10, output: 1024, tokens: 1034 }],
  ])('never takes more output than the request allows itself: %i', (maxOutput, estimate) => {
    expect(createEstimator().estimate('m', { bodyBytes: 36, maxOutput })).toEqual(estimate)
  })

  test('comes near what prompts really cost', () => {
    const estimator = createEstimator()
    for (let i = 0; i < 100; i++) estimator.learn('m', { ...learned, computedTokensOfPrompt: 1500 })
    expect(estimator.estimate('m', request)).toEqual({ prompt: 1500, output: 1024, tokens: 2524 })
  })

  test.each([
    ['falls no lower than a twentieth, whatever the cache does', 0, 50],
    ['rises no higher than four times', 1_000_000, 4000],
  ])('%s', (_, computedTokensOfPrompt, prompt) => {
    const estimator = createEstimator()
    for (let i = 0; i < 200; i++) estimator.learn('m', { ...learned, computedTokensOfPrompt })
    expect(estimator.estimate('m', request)).toEqual({
      prompt,
      output: 1024,
      tokens: prompt + 1024,
    })
  })

  test('learns nothing from an answer without a body or without tokens', () => {
    const estimator = createEstimator()
    estimator.learn('m', { ...learned, bodyBytes: 0, computedTokensOfPrompt: 5 })
    expect(estimator.estimate('m', request)).toEqual({ prompt: 1000, output: 1024, tokens: 2024 })
  })

  test('of the output is as long as about nine of ten answers', () => {
    const estimator = createEstimator()
    // 7919 is prime to 1000: every length from 1 to 1000 comes once in each round, in no order.
    for (let i = 0; i < 5000; i++)
      estimator.learn('m', { ...learned, completion: ((i * 7919) % 1000) + 1 })
    const { output } = estimator.estimate('m', request)
    expect([output > 800, output < 990]).toEqual([true, true])
  })

  test.each([
    ['long', 10_000_000, 131_072],
    ['short', 1, 16],
  ])('of the output has bounds, however %s answers are', (_, completion, output) => {
    const estimator = createEstimator()
    for (let i = 0; i < 500; i++) estimator.learn('m', { ...learned, completion })
    expect(estimator.estimate('m', request)).toEqual({
      prompt: 1000,
      output,
      tokens: 1000 + output,
    })
  })

  test.each([
    ['ended at its own limit', 100, 100],
    ['went beyond it', 101, 100],
    ['was to have none', 1, 0],
  ])('of the output learns nothing from an answer that %s', (_, completion, maxOutput) => {
    const estimator = createEstimator()
    for (let i = 0; i < 50; i++) estimator.learn('m', { ...learned, completion, maxOutput })
    expect(estimator.estimate('m', request)).toEqual({ prompt: 1000, output: 1024, tokens: 2024 })
  })

  test('of the prompt learns also from an answer that ended at its own limit', () => {
    const estimator = createEstimator()
    const cut = { ...learned, computedTokensOfPrompt: 1500, completion: 100, maxOutput: 100 }
    for (let i = 0; i < 100; i++) estimator.learn('m', cut)
    expect(estimator.estimate('m', request)).toEqual({ prompt: 1500, output: 1024, tokens: 2524 })
  })

  test('of the output learns from an answer that ended before its limit as from one without', () => {
    const [within, without] = [createEstimator(), createEstimator()]
    within.learn('m', { ...learned, completion: 99, maxOutput: 100 })
    without.learn('m', { ...learned, completion: 99 })
    expect(within.estimate('m', request)).toEqual(without.estimate('m', request))
    expect(within.estimate('m', request).output).toBeLessThan(1024)
  })

  test('is learned for each habit, and forgotten for the 1025th from the last', () => {
    const estimator = createEstimator()
    const costly = { ...learned, computedTokensOfPrompt: 4000 }
    for (let i = 0; i <= 1024; i++) estimator.learn(`m${i}`, costly)
    const prompts = ['m0', 'm1', 'm1024'].map((habit) => estimator.estimate(habit, request).prompt)
    expect(prompts).toEqual([1000, 1300, 1300])
  })

  test('is not forgotten for a habit that was learned of since', () => {
    const estimator = createEstimator()
    const costly = { ...learned, computedTokensOfPrompt: 4000 }
    estimator.learn('often', costly)
    for (let i = 0; i < 1023; i++) estimator.learn(`m${i}`, costly)
    estimator.learn('often', costly)
    estimator.learn('new', costly)
    const prompts = ['often', 'm0'].map((habit) => estimator.estimate(habit, request).prompt)
    expect(prompts).toEqual([1570, 1000])
  })
})

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const prose = (length: number): string =>
  'The quick brown fox. '.repeat(length / 21 + 1).slice(0, length)
const picture = (length: number): string =>
  'iVBORw0KGgo/AA+b'.repeat(length / 16 + 1).slice(0, length)

describe('the bytes of a text', () => {
  test.each([
    ['a small body', picture(8192), 8192],
    ['a body of prose', prose(100_000), 100_000],
    ['a picture', `${prose(1000)}"${picture(200_000)}"`, 1001 + 3600 + 1],
    ['two pictures', `"${picture(16_000)}","${picture(4096)}"`, 3600 * 2 + 5],
    ['a picture with escaped slashes', `"${picture(16_000).replaceAll('/', '\\/')}"`, 3602],
    ['a picture that ends the body', `"${picture(16_000)}`, 3601],
    ['base64 that is too short for a picture', `${prose(10_000)}"${picture(4095)}"`, 14_097],
  ])('of %s are counted', (_, text, counted) => {
    expect(textBytes(bytes(text))).toBe(counted)
  })

  test('are what a plain search for runs gives', () => {
    const piece = fc.oneof(
      fc.integer({ min: 0, max: 9000 }).map((length) => picture(length - (length % 16))),
      fc.integer({ min: 4094, max: 4098 }).map((length) => 'a'.repeat(length)),
      fc.constantFrom(' ', '"', 'ä', '{"a":1}', prose(500)),
    )
    fc.assert(
      fc.property(fc.array(piece, { minLength: 4, maxLength: 12 }), (pieces) => {
        const text = pieces.join('') + prose(8200)
        const runs = text.match(/[\w+/=\\-]{4096,}/g) ?? []
        const plain = Buffer.byteLength(text) - runs.join('').length + runs.length * 3600
        expect(textBytes(bytes(text))).toBe(plain)
      }),
      { numRuns: 200 },
    )
  })

  test.each([
    ['prose', prose(1_000_000), 0.01],
    ['one long run', 'a'.repeat(1_000_000), 1.02],
    ['runs that are just long enough', ` ${'a'.repeat(4096)}`.repeat(250), 2],
    ['runs that are just too short', `${'a'.repeat(4095)} `.repeat(250), 1.01],
    [
      'gaps anywhere',
      Array.from({ length: 500 }, (_, i) => 'a'.repeat((i * 7919) % 4095)).join(' '),
      1.01,
    ],
  ])('are found with few looks: %s', (_, text, looksPerByte) => {
    const body = bytes(text)
    let looks = 0
    const counted = new Proxy(body, {
      get(target, name) {
        if (typeof name === 'string' && /^\d+$/.test(name)) looks += 1
        return Reflect.get(target, name, target)
      },
    })
    textBytes(counted)
    expect(looks / body.length).toBeLessThanOrEqual(looksPerByte)
  })
})
