import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkConfig } from '../../../../../src/opencode/check/check-config.ts'
import { fixConfig } from '../../../../../src/opencode/check/fix-config.ts'
import type { MachineFacts } from '../../../../../src/opencode/check/check-input.ts'
import { changeJsonc } from '../../../../../src/opencode/edit-jsonc.ts'
import { aContext, aModel } from '../../catalogue-samples.ts'
import { aCheck, CLEAN, LIMIT, mend, PROVIDER, type Planted } from '../check-samples.ts'
import { aCheckOf, aFile } from '../file-samples.ts'

const RESERVED = ['compaction', 'reserved']
const TALKER = [...PROVIDER, 'models', 'talker']
const OTHERS: ReadonlyArray<[string, Planted]> = [
  ['another provider', { set: [[['provider', 'anthropic'], { options: { timeout: false } }]] }],
  ['another one in the form of OpenCode 2', { set: [[['providers', 'anthropic'], {}]] }],
  ['the model of another one', { set: [[['model'], 'anthropic/claude']] }],
  ['an agent with a model of another one', { set: [[['agent', 'a', 'model'], 'groq/big']] }],
  ['a mode with a model of another one', { set: [[['mode', 'm', 'model'], 'groq/big']] }],
  ['a command with a model of another one', { set: [[['command', 'c', 'model'], 'groq/big']] }],
  ['another one that is turned on', { set: [[['enabled_providers'], ['llama-swap', 'groq']]] }],
  ['the stored key of another one', { machine: { storedKeys: new Set(['anthropic']) } }],
  [
    'the variable of another one',
    { machine: { variables: new Set(['LLAMA_SWAP_API_KEY', 'ANTHROPIC_API_KEY']) } },
  ],
  ['another project beside this one', { machine: { filesForAll: new Set(['opencode.json']) } }],
]

/** The numbers that decide when OpenCode compacts, after --fix. */
function numbersAfter(planted: Planted): object {
  const { text } = mend(aCheck(planted))
  const { compaction, provider } = JSON.parse(text)
  const { models } = provider['llama-swap']
  return { reserved: compaction.reserved, limit: models['coder-1'].limit }
}

describe('what counts for all providers', () => {
  test.each(OTHERS)('is left alone where there is %s', (_, { set = [], ...planted }) => {
    const limit = { context: 131_072, output: 16_384 }
    const small = aCheck({ ...planted, set: [...set, [RESERVED, 8000]] })
    expect(mend(small).text).toContain('"reserved": 8000')
    expect(numbersAfter({ ...planted, set: [...set, [RESERVED, 8000]] })).toEqual({
      reserved: 8000,
      limit,
    })
    expect(numbersAfter({ ...planted, set: [...set, [RESERVED, 140_000]] })).toEqual({
      reserved: 140_000,
      limit,
    })
  })

  test('is mended where there is nothing but the gate, and the fix names it', () => {
    const check = aCheck({ set: [[RESERVED, 8000]] })
    expect(checkConfig(check).findings.map(({ code, fix }) => [code, fix])).toEqual([
      ['headroom-small', 'Remove compaction.reserved.'],
      ['headroom-small', 'Remove compaction.reserved.'],
    ])
    expect(mend(check).fixed.map(({ code, path }) => [code, path])).toEqual([
      ['headroom-small', RESERVED],
    ])
  })

  test("is mended beside variables that are the gate's", () => {
    const names = ['LLAMA_SWAP_API_KEY', 'UPSTREAM_API_KEY', 'BOX_API_KEY', 'MY_API_KEY']
    const check = aCheck({
      set: [
        [RESERVED, 8000],
        [[...PROVIDER, 'env'], ['MY_API_KEY']],
      ],
      machine: { variables: new Set(names), keyVariable: 'BOX_API_KEY' },
    })
    expect(mend(check).text).not.toContain('reserved')
  })

  test.each<[string, object, Partial<MachineFacts>, string]>([
    [
      'another provider, though the project has a model of the gate in its place',
      { model: 'anthropic/claude' },
      {},
      'it counts for other providers, too',
    ],
    [
      'a provider that a variable turns on',
      {},
      { variables: new Set(['ANTHROPIC_API_KEY']) },
      'it counts for the provider of ANTHROPIC_API_KEY, too',
    ],
    [
      'all projects',
      {},
      { filesForAll: new Set(['global.json']) },
      'its file counts for all projects',
    ],
  ])('stays in the file where it is for %s, and the fix says why', (...all) => {
    const [, more, machine, why] = all
    const global = JSON.stringify({ ...more, compaction: { reserved: 140_000 } })
    const own = changeJsonc(CLEAN, [{ path: ['model'], value: 'llama-swap/coder-1' }])
    const check = aCheckOf([aFile('global.json', global), aFile('opencode.json', own)], { machine })
    const fixes = checkConfig(check).findings.map(({ code, fix }) => [code, fix])
    expect(fixes).toContainEqual([
      'reserved-too-large',
      `Remove limit.input of coder-1, talker. Without limit.input compaction.reserved has no effect; that stays, as ${why}.`,
    ])
    expect(fixConfig(check).files[0]?.text).toBe(global)
  })

  test('has no effect on a model without an input, and none is given to it then', () => {
    const check = aCheck({
      set: [
        [RESERVED, 140_000],
        [LIMIT, { context: 131_072, output: 16_384 }],
        [[...TALKER, 'limit'], { context: 131_072, output: 16_384 }],
        [['model'], 'anthropic/claude'],
      ],
    })
    expect(checkConfig(check).findings).toEqual([])
  })

  test('counts beside the input that a model gets where it suits the model', () => {
    const planted: Planted = {
      set: [
        [RESERVED, 20_000],
        [LIMIT, undefined],
        [['model'], 'anthropic/claude'],
      ],
    }
    expect(numbersAfter(planted)).toEqual({
      reserved: 20_000,
      limit: { context: 131_072, input: 131_072, output: 16_384 },
    })
  })

  test('makes no limit that is written anew worse', () => {
    const planted: Planted = {
      models: [aModel('coder-1', { context: aContext(32_768) }), aModel('talker')],
      set: [
        [RESERVED, 30_000],
        [['model'], 'anthropic/claude'],
      ],
    }
    const { findings } = checkConfig(aCheck(planted))
    expect(findings.map(({ code, fix }) => [code, fix])).toContainEqual([
      'context-too-large',
      'Write "limit": { "context": 32768, "output": 16384 }.',
    ])
    expect(numbersAfter(planted)).toEqual({
      reserved: 30_000,
      limit: { context: 32_768, output: 16_384 },
    })
  })

  test('gets no input beside it where its file is not to be changed', () => {
    const above = changeJsonc(CLEAN, [
      { path: LIMIT, value: { context: 200_000, output: 16_384 } },
      { path: [...TALKER, 'limit', 'input'], value: undefined },
    ])
    const global = aFile('global.json', '{ "compaction": { "reserved": 140000 } }', 'it is far')
    const { files, report } = fixConfig(aCheckOf([global, aFile('opencode.json', above)]))
    expect(files.map(({ text }) => /"input": \d+/.test(text))).toEqual([false, false])
    expect(report.findings).toEqual([])
    const whole = aCheckOf([global, aFile('opencode.json', CLEAN)])
    expect(checkConfig(whole).findings.map(({ code, fix }) => [code, fix])).toEqual([
      [
        'reserved-too-large',
        'Remove limit.input of coder-1, talker. Without limit.input compaction.reserved has no effect; that stays, as its file is not to be changed.',
      ],
    ])
    expect(fixConfig(whole).report.findings).toEqual([])
  })

  test.each([false, true])(
    'is "auto": false as somebody has written it, with others: %s',
    (any) => {
      const check = aCheck({
        set: [
          [['compaction', 'auto'], false],
          ...(any ? [[['model'], 'anthropic/claude'] as const] : []),
        ],
      })
      expect(mend(check).text).toBe(check.files[0]?.text)
      expect(checkConfig(check).findings.map(({ code, fix }) => [code, fix])).toEqual([
        ['compaction-off', 'Write "auto": true, unless you want to do it by hand.'],
      ])
    },
  )
})

const tokens = fc.oneof(fc.constantFrom(0, 4096, 16_384, 131_072), fc.nat(300_000))
const maybe = fc.option(tokens, { nil: undefined })

test('whatever stands there, what other providers use stays, and no model is left to compact at every answer', () => {
  fc.assert(
    fc.property(fc.record({ reserved: tokens, input: maybe, context: tokens }), (numbers) => {
      const { reserved, input, context } = numbers
      const check = aCheck({
        set: [
          [RESERVED, reserved],
          [LIMIT, { context, ...(input === undefined ? {} : { input }), output: 16_384 }],
          [['model'], 'anthropic/claude'],
        ],
      })
      const { text, report } = mend(check)
      expect(text).toContain(`"reserved": ${reserved}`)
      expect(report.rows.map(({ compactsAt = 0 }) => compactsAt > 65_000)).toEqual([true, true])
      expect(report.findings).toEqual([])
    }),
    { numRuns: 200 },
  )
})

describe('a variable that counts more than the file', () => {
  test('is named where it cuts every answer, as the file is right', () => {
    const check = aCheck({ machine: { outputTokenMax: 8000 } })
    const fix = 'Unset OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX, or set it to 16384 or more.'
    expect(checkConfig(check).findings.map((one) => [one.code, one.fix])).toEqual([
      ['output-too-large', fix],
      ['output-too-large', fix],
    ])
    expect(mend(check).text).toBe(check.files[0]?.text)
  })

  test('is named beside what is to be changed in the file', () => {
    const check = aCheck({
      set: [
        [[...LIMIT, 'output'], 4096],
        [[...TALKER, 'limit', 'output'], 8000],
      ],
      machine: { outputTokenMax: 8000 },
    })
    const fix =
      'Write "limit": { "context": 131072, "input": 131072, "output": 16384 }. Unset OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX, or set it to 16384 or more.'
    expect(checkConfig(check).findings.map((one) => [one.code, one.fix])).toEqual([
      ['headroom-small', fix],
      ['headroom-small', fix],
    ])
  })

  test('leaves no model a number at which OpenCode compacts', () => {
    const { rows } = checkConfig(aCheck({ machine: { isCompactionOff: true } }))
    expect(rows.map(({ compactsAt }) => compactsAt)).toEqual([undefined, undefined])
  })

  test('is told beside the field of the file, which says the same', () => {
    const check = aCheck({
      set: [[['compaction', 'auto'], false]],
      machine: { isCompactionOff: true },
    })
    expect(checkConfig(check).findings.map(({ code, fix }) => [code, fix])).toEqual([
      ['compaction-off', 'Write "auto": true, unless you want to do it by hand.'],
      ['compaction-off', 'Unset OPENCODE_DISABLE_AUTOCOMPACT.'],
    ])
  })
})
