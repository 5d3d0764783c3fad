import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CheckInput } from '../../../../src/opencode/check/check-input.ts'
import { fixConfig } from '../../../../src/opencode/check/fix-config.ts'
import { mergedValue } from '../../../../src/opencode/config-files.ts'
import { changeJsonc } from '../../../../src/opencode/edit-jsonc.ts'
import type { JsonPath } from '../../../../src/opencode/jsonc.ts'
import { aContext, aModel, NO_CONTEXT } from '../catalogue-samples.ts'
import { aCheck, CLEAN, LIMIT, mend, MODEL, OPTIONS, PROVIDER } from './check-samples.ts'

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined })
const tokens = fc.oneof(fc.constantFrom(0, 4096, 32_000, 65_536, 131_072), fc.nat(300_000))

const anything = fc.record({
  context: maybe(tokens),
  input: maybe(tokens),
  output: maybe(tokens),
  reserved: maybe(tokens),
  auto: maybe(fc.boolean()),
  tools: maybe(fc.boolean()),
  baseURL: maybe(
    fc.constantFrom(
      '',
      'http://localhost:8080',
      'http://localhost:3000/v1/models',
      'http://box/v1',
    ),
  ),
  apiKey: maybe(fc.constantFrom('', 'sk-0', '{env:NO}', '{env:sk-0}', '{env:LLAMA_SWAP_API_KEY}')),
  env: maybe(fc.subarray(['NO', 'LLAMA_SWAP_API_KEY', 'sk-0'])),
  npm: maybe(fc.string()),
  timeout: maybe(fc.nat(1_000_000)),
  real: fc.option(fc.integer({ min: 16_384, max: 300_000 }).map(aContext), { nil: NO_CONTEXT }),
})

/** A check of several files, the first of which counts least. */
function aCheckOf(texts: readonly string[], models: CheckInput['models']): CheckInput {
  const files = texts.flatMap((text, i) =>
    aCheck({ text }).files.map((file) => ({ ...file, name: `${i}.json` })),
  )
  return { ...aCheck({ models }), files, document: { value: mergedValue(files) } }
}

describe('what --fix writes', () => {
  test('leaves nothing that it could mend, whatever was there, and is left alone the next time', () => {
    fc.assert(
      fc.property(anything, ({ real, ...written }) => {
        const check = aCheck({
          models: [aModel('coder-1', { context: real }), aModel('talker')],
          set: [
            [[...LIMIT, 'context'], written.context],
            [[...LIMIT, 'input'], written.input],
            [[...LIMIT, 'output'], written.output],
            [['compaction', 'reserved'], written.reserved],
            [['compaction', 'auto'], written.auto],
            [[...MODEL, 'tool_call'], written.tools],
            [[...OPTIONS, 'baseURL'], written.baseURL],
            [[...OPTIONS, 'apiKey'], written.apiKey],
            [[...OPTIONS, 'headerTimeout'], written.timeout],
            [[...PROVIDER, 'env'], written.env],
            [[...PROVIDER, 'npm'], written.npm],
          ],
        })
        const { text, report } = mend(check)
        expect(report.findings.filter(({ changes }) => changes.length > 0)).toEqual([])
        expect(mend(aCheck({ text, models: check.models })).text).toBe(text)
      }),
      { numRuns: 300 },
    )
  })

  test('leaves nothing that it could mend in several files, and no other provider is touched', () => {
    const OTHERS =
      '{ "provider": { "ollama": { "options": { "baseURL": "http://localhost:11434/v1" } } } }'
    fc.assert(
      fc.property(anything, fc.infiniteStream(fc.nat(1)), ({ real, ...written }, where) => {
        const fields: Array<readonly [JsonPath, unknown]> = [
          [[...LIMIT, 'context'], written.context],
          [[...LIMIT, 'input'], written.input],
          [[...LIMIT, 'output'], written.output],
          [['compaction', 'reserved'], written.reserved],
          [['compaction', 'auto'], written.auto],
          [[...MODEL, 'tool_call'], written.tools],
          [[...OPTIONS, 'baseURL'], written.baseURL],
          [[...OPTIONS, 'apiKey'], written.apiKey],
          [[...PROVIDER, 'env'], written.env],
        ]
        const texts = fields.reduce<[string, string]>(
          ([below, above], [path, value]) => {
            const change = [{ path, value }]
            return where.next().value === 0
              ? [changeJsonc(below, change), above]
              : [below, changeJsonc(above, change)]
          },
          [CLEAN, OTHERS],
        )
        const models = [aModel('coder-1', { context: real }), aModel('talker')]
        const check = aCheckOf(texts, models)
        const { files, report } = fixConfig(check)
        expect(report.findings.filter(({ changes }) => changes.length > 0)).toEqual([])
        expect(files[1]?.document.value).toMatchObject(JSON.parse(OTHERS))
        const again = fixConfig(
          aCheckOf(
            files.map(({ text }) => text),
            models,
          ),
        )
        expect(again.files.map(({ text }) => text)).toEqual(files.map(({ text }) => text))
      }),
      { numRuns: 300 },
    )
  })

  test('gives no reserve an input to count beside where nobody knows the window', () => {
    const check = aCheck({
      models: [aModel('coder-1', { context: NO_CONTEXT }), aModel('talker')],
      set: [
        [LIMIT, { context: 0, output: 4096 }],
        [['compaction', 'reserved'], 32_000],
      ],
    })
    const { text, report } = mend(check)
    expect([text, report.findings.filter(({ changes }) => changes.length > 0)]).toEqual([
      check.files[0]?.text,
      [],
    ])
  })

  test('keeps a longer answer that somebody has chosen, and the order of what was there', () => {
    const check = aCheck({ set: [[LIMIT, { output: 30_000, context: 200_000 }]] })
    const { text } = mend(check)
    expect(text).toContain('"limit": { "output": 30000, "context": 131072, "input": 131072 }')
  })

  test('cuts an answer to what other machines ask for, too, whatever this one asks for', () => {
    const check = aCheck({
      set: [[LIMIT, { context: 200_000, input: 131_072, output: 50_000 }]],
      machine: { outputTokenMax: 64_000 },
    })
    expect(mend(check).text).toContain(
      '"limit": { "context": 131072, "input": 131072, "output": 16384 }',
    )
  })

  test('leaves opinions about models to people', () => {
    const check = aCheck({
      set: [
        [['small_model'], 'llama-swap/talker'],
        [['agent', 'plan', 'model'], 'llama-swap/talker'],
        [['agent', 'build', 'model'], 'anthropic/claude'],
      ],
      models: [aModel('coder-1'), aModel('talker', { use: 'rerank' })],
    })
    expect(mend(check).text).toBe(check.files.map(({ text }) => text).join(''))
  })

  test('leaves alone what is no object where one must be', () => {
    const check = aCheck({ set: [[OPTIONS, 'none']] })
    const { text, report } = mend(check)
    expect(text).toContain('"options": "none"')
    expect(report.findings.map(({ code }) => code)).toContain('invalid-field')
  })
})
