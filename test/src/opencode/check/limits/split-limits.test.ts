import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkConfig } from '../../../../../src/opencode/check/check-config.ts'
import type { CheckInput } from '../../../../../src/opencode/check/check-input.ts'
import { fixConfig } from '../../../../../src/opencode/check/fix-config.ts'
import { changeJsonc } from '../../../../../src/opencode/edit-jsonc.ts'
import { aContext, aModel, NO_CONTEXT } from '../../catalogue-samples.ts'
import { CLEAN, LIMIT } from '../check-samples.ts'
import { aCheckOf, aFile } from '../file-samples.ts'

const NOT_NAMED = 'it is not the file that was named'
const RIGHT = '"context": 98304, "input": 98304, "output": 16384'

function withLimit(limit: unknown): string {
  return changeJsonc(CLEAN, [{ path: LIMIT, value: limit }])
}

function withMore(text: string, more: object): string {
  return changeJsonc(
    text,
    Object.entries(more).map(([name, value]) => ({ path: [name], value })),
  )
}

function onlyLimit(limit: unknown): string {
  const model = { models: { 'coder-1': { limit } } }
  return JSON.stringify({ provider: { 'llama-swap': model } })
}

type Split = { global: unknown; project: unknown; more?: object; named?: 'global' | 'project' }

function aSplit(
  { global, project, more = {}, named }: Split,
  context = aContext(98_304),
): { check: CheckInput; texts: [string, string] } {
  const texts: [string, string] = [withMore(withLimit(global), more), onlyLimit(project)]
  const only = (name: string): string | undefined =>
    named === undefined || named === name ? undefined : NOT_NAMED
  const check = aCheckOf(
    [
      aFile('global.json', texts[0], only('global')),
      aFile('opencode.json', texts[1], only('project')),
    ],
    { models: [aModel('coder-1', { context }), aModel('talker')] },
  )
  return { check, texts }
}

const told = (check: CheckInput): string[][] =>
  checkConfig(check).findings.map(({ code, where, fix }) => [code, where, fix])

/** The limit of the model in each file, after --fix. */
function mendedLimits(check: CheckInput): unknown[] {
  return fixConfig(check).files.map(({ document }) =>
    LIMIT.reduce<unknown>(
      (value, name) => new Map(Object.entries(value ?? {})).get(name),
      document.value,
    ),
  )
}

describe('a limit that two files have a part of', () => {
  const WHOLE = { context: 98_304, input: 98_304, output: 16_384 }
  const SPLIT = { global: { context: 98_304, output: 65_536 }, project: { context: 65_536 } }

  test('is told of the file that OpenCode does not take, with the numbers', () => {
    const { check } = aSplit({ global: WHOLE, project: { context: 98_304 } })
    expect(told(check)).toEqual([
      ['limit-incomplete', 'opencode.json:1', `Write "limit": { ${RIGHT} }.`],
    ])
    expect(checkConfig(check).findings[0]?.message).toBe(
      'limit.output must be a number in each file that has a limit; OpenCode does not start without it.',
    )
    expect(checkConfig(check).rows[0]?.verdict).toBe('limit-incomplete')
  })

  test('is told of each file where both lack something', () => {
    const { check } = aSplit({ global: { output: 20_000 }, project: { context: 98_304 } })
    expect(told(check).slice(0, 2)).toEqual([
      [
        'limit-incomplete',
        'global.json:19',
        `Write "limit": { ${RIGHT.replace('16384', '20000')} }.`,
      ],
      [
        'limit-incomplete',
        'opencode.json:1',
        `Write "limit": { ${RIGHT.replace('16384', '20000')} }.`,
      ],
    ])
    const both = { ...WHOLE, output: 20_000 }
    expect(mendedLimits(check)).toEqual([both, both])
  })

  test('becomes whole in the file that counts, and nothing is left to tell', () => {
    const { check } = aSplit(SPLIT)
    expect(mendedLimits(check)).toEqual([SPLIT.global, WHOLE])
    expect(fixConfig(check).report.findings).toEqual([])
  })

  test('becomes whole in the file that was named, whatever the other one lacks', () => {
    const { check, texts } = aSplit({ ...SPLIT, named: 'project' })
    const { files, report } = fixConfig(check)
    expect([files[0]?.text, mendedLimits(check)[1], report.findings]).toEqual([texts[0], WHOLE, []])
  })

  test('stays as it is where the file that counts is another one than was named, and that one is told', () => {
    const { check, texts } = aSplit({ ...SPLIT, named: 'global' })
    const { files, report } = fixConfig(check)
    expect(files.map(({ text }) => text)).toEqual(texts)
    expect(
      report.findings.map(({ code, where, fix, changes }) => [code, where, fix, changes]),
    ).toEqual([
      [
        'limit-incomplete',
        'opencode.json:1',
        `Write "limit": { ${RIGHT} }. --fix leaves it alone: ${NOT_NAMED}.`,
        [],
      ],
      [
        'output-over-context',
        'opencode.json:1',
        `Write "limit": { ${RIGHT} }. --fix leaves it alone: ${NOT_NAMED}.`,
        [],
      ],
      [
        'context-too-small',
        'opencode.json:1',
        `Write "limit": { ${RIGHT} }. --fix leaves it alone: ${NOT_NAMED}.`,
        [],
      ],
      [
        'input-missing',
        'opencode.json:1',
        `Write "limit": { ${RIGHT} }. --fix leaves it alone: ${NOT_NAMED}.`,
        [],
      ],
    ])
  })

  test('is mended in the file that was named, where the value comes from there that is wrong', () => {
    const project = { context: 98_304, output: 16_384 }
    const global = { ...WHOLE, input: 200_000 }
    const { check } = aSplit({ global, project, named: 'global' })
    expect(mendedLimits(check)).toEqual([WHOLE, project])
    expect(fixConfig(check).report.findings).toEqual([])
  })

  const KEPT = { ...SPLIT, global: WHOLE, project: { context: 131_072, output: 16_384 } }
  const RESERVE = { model: 'anthropic/claude', compaction: { reserved: 8000 } }

  test('loses an input in each file that has one, where a reserve that stays does not suit it', () => {
    const { check } = aSplit({ ...KEPT, more: RESERVE })
    const without = { context: 98_304, output: 16_384 }
    expect(mendedLimits(check)).toEqual([without, without])
    expect(fixConfig(check).report.findings).toEqual([])
  })

  test('names the file that has the input, where that one is not to be changed', () => {
    const { check, texts } = aSplit({ ...KEPT, more: RESERVE, named: 'project' })
    const { files, report } = fixConfig(check)
    expect(files.map(({ text }) => text)).toEqual(texts)
    expect(report.findings.map(({ code, fix }) => [code, fix])).toContainEqual([
      'context-too-large',
      `Write "limit": { "context": 98304, "output": 16384 }. --fix leaves it alone: a part of it stands in global.json, and ${NOT_NAMED}.`,
    ])
  })

  test('gets no input where it is not whole and a reserve that stays does not suit it', () => {
    const { check } = aSplit({ global: { output: 16_384 }, project: KEPT.project, more: RESERVE })
    const without = { context: 98_304, output: 16_384 }
    expect(mendedLimits(check)).toEqual([without, without])
  })

  test('keeps what a lower file has chosen for itself, where it is whole', () => {
    const own = { context: 98_304, input: 98_304, output: 30_000 }
    const { check } = aSplit({ global: own, project: { context: 98_304, output: 0 } })
    expect(mendedLimits(check)).toEqual([own, WHOLE])
  })

  test('has the context that is written where nobody knows the real one', () => {
    const { check } = aSplit(
      { global: { context: 65_536, output: 8192 }, project: { output: 20_000 } },
      NO_CONTEXT,
    )
    expect(mendedLimits(check)[1]).toEqual({ context: 65_536, input: 65_536, output: 20_000 })
  })

  test.each([
    ['no context is written', { output: 20_000 }],
    ['the context is 0', { context: 0 }],
    ['the context is no number', { context: '98304', output: 20_000 }],
  ])('is left to a person where %s and nobody knows one', (_, limit) => {
    const { check, texts } = aSplit({ global: limit, project: limit }, NO_CONTEXT)
    expect(fixConfig(check).files.map(({ text }) => text)).toEqual(texts)
    expect(told(check)).toEqual([
      ['limit-incomplete', 'global.json:19', 'Write all three values.'],
      ['limit-incomplete', 'opencode.json:1', 'Write all three values.'],
    ])
  })
})

const count = fc.option(fc.constantFrom(0, 8000, 16_384, 65_536, 98_304, 131_072), {
  nil: undefined,
})
const aLimit = fc.record({ context: count, input: count, output: count })

test('whatever stands in two files beside whatever reserve, nothing is offered that is not done', () => {
  const reserved = fc.constantFrom(0, 8000, 20_000, 90_000, 140_000)
  fc.assert(
    fc.property(aLimit, aLimit, reserved, (global, project, tokens) => {
      const more = { model: 'anthropic/claude', compaction: { reserved: tokens } }
      const { files, report } = fixConfig(aSplit({ global, project, more }).check)
      expect(report.findings).toEqual([])
      expect(files[0]?.text).toContain(`"reserved": ${tokens}`)
    }),
    { numRuns: 300 },
  )
})
