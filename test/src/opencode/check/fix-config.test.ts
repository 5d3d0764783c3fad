import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fixConfig } from '../../../../src/opencode/check/fix-config.ts'
import { aContext, aModel, NO_CONTEXT } from '../catalogue-samples.ts'
import { aCheck, LIMIT, MODEL, OPTIONS, PROVIDER } from './check-samples.ts'

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
  apiKey: maybe(fc.constantFrom('', 'sk-0', '{env:NO}', '{env:LLAMA_SWAP_API_KEY}')),
  env: maybe(fc.subarray(['NO', 'LLAMA_SWAP_API_KEY'])),
  npm: maybe(fc.string()),
  timeout: maybe(fc.nat(1_000_000)),
  real: fc.option(fc.integer({ min: 16_384, max: 300_000 }).map(aContext), { nil: NO_CONTEXT }),
})

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
        const { text, report } = fixConfig(check)
        expect(report.findings.filter(({ changes }) => changes.length > 0)).toEqual([])
        expect(fixConfig(aCheck({ text, models: check.models })).text).toBe(text)
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
    const { text, report } = fixConfig(check)
    expect([text, report.findings.filter(({ changes }) => changes.length > 0)]).toEqual([
      check.document.text,
      [],
    ])
  })

  test('keeps a longer answer that somebody has chosen, and the order of what was there', () => {
    const check = aCheck({ set: [[LIMIT, { output: 30_000, context: 200_000 }]] })
    const { text } = fixConfig(check)
    expect(text).toContain('"limit": { "output": 30000, "context": 131072, "input": 131072 }')
  })

  test('leaves alone what is no object where one must be', () => {
    const check = aCheck({ set: [[OPTIONS, 'none']] })
    const { text, report } = fixConfig(check)
    expect(text).toContain('"options": "none"')
    expect(report.findings.map(({ code }) => code)).toContain('invalid-field')
  })
})
