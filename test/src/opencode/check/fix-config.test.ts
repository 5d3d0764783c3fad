import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkConfig, type CheckReport } from '../../../../src/opencode/check/check-config.ts'
import type { CheckInput } from '../../../../src/opencode/check/check-input.ts'
import { fixConfig, type Fixed } from '../../../../src/opencode/check/fix-config.ts'
import { isWithin } from '../../../../src/opencode/check/is-within.ts'
import type { ConfigFile } from '../../../../src/opencode/config-files.ts'
import { changeJsonc } from '../../../../src/opencode/edit-jsonc.ts'
import type { JsonPath } from '../../../../src/opencode/jsonc.ts'
import { opencodeSchema } from '../../../../src/opencode/opencode-schema.ts'
import { showJsonPath } from '../../../../src/opencode/show-path.ts'
import { aContext, aModel, NO_CONTEXT } from '../catalogue-samples.ts'
import { aCheck, CLEAN, LIMIT, mend, MODEL, OPTIONS, PROVIDER } from './check-samples.ts'
import { aCheckOf, aFile } from './file-samples.ts'

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined })

/** Stands for 1e999, which can be written in a file and not in a JSON value. */
const HUGE = 987_654_321
const tokens = fc.oneof(
  { arbitrary: fc.constantFrom(0, 4096, 32_000, 65_536, 131_072), weight: 4 },
  { arbitrary: fc.nat(300_000), weight: 4 },
  { arbitrary: fc.constantFrom(HUGE, -1, null, '4096'), weight: 1 },
)
const rubbish = fc.constantFrom(null, 'x', 7, [1, 2], ['coder-1'], { limit: [1, 2] }, { limit: {} })

/** The order is that in which they are written: what holds others comes last. */
const FIELDS: ReadonlyArray<readonly [JsonPath, fc.Arbitrary<unknown>]> = [
  [[...LIMIT, 'context'], maybe(tokens)],
  [[...LIMIT, 'input'], maybe(tokens)],
  [[...LIMIT, 'output'], maybe(tokens)],
  [['compaction', 'reserved'], maybe(tokens)],
  [['compaction', 'auto'], maybe(fc.boolean())],
  [[...MODEL, 'tool_call'], maybe(fc.boolean())],
  [[...MODEL, 'attachment'], maybe(fc.boolean())],
  [[...MODEL, 'modalities', 'input'], maybe(fc.subarray(['text', 'image', 'hologram']))],
  [
    [...OPTIONS, 'baseURL'],
    maybe(
      fc.constantFrom(
        '',
        'http://localhost:8080',
        'http://localhost:3000/v1/models',
        'http://box/v1',
      ),
    ),
  ],
  [
    [...OPTIONS, 'apiKey'],
    maybe(fc.constantFrom('', 'sk-0', '{env:NO}', '{env:sk-0}', '{env:LLAMA_SWAP_API_KEY}')),
  ],
  [[...OPTIONS, 'headerTimeout'], maybe(fc.nat(1_000_000))],
  [[...PROVIDER, 'env'], maybe(fc.subarray(['NO', 'LLAMA_SWAP_API_KEY', 'sk-0']))],
  [[...PROVIDER, 'npm'], maybe(fc.string())],
]
const HOLDERS = [LIMIT, MODEL, [...PROVIDER, 'models'], OPTIONS, ['compaction']]

const real = fc.option(fc.integer({ min: 16_384, max: 300_000 }).map(aContext), { nil: NO_CONTEXT })

const OTHERS =
  '{ "provider": { "ollama": { "options": { "baseURL": "http://localhost:11434/v1" } } } }'

type Change = { path: JsonPath; value: unknown }

/** A file as a person may have written it, with placeholders and all. */
function written(text: string, changes: readonly Change[]): string {
  return changeJsonc(text, changes).replaceAll('\\u007b', '{').replaceAll(`${HUGE}`, '1e999')
}

/** All fields, and sometimes rubbish in the place of what holds them. */
const allFields = fc
  .tuple(
    fc.tuple(...FIELDS.map(([, value]) => value)),
    fc.option(fc.tuple(fc.constantFrom(...HOLDERS), rubbish), { freq: 2 }),
  )
  .map(([values, broken]): Change[] => [
    ...FIELDS.map(([path], i) => ({ path, value: values[i] })),
    ...(broken ? [{ path: broken[0], value: broken[1] }] : []),
  ])

const MOST = FIELDS.length + 1

/** Some of it in each of two files; the first one has all that belongs there, as well. */
const texts = fc
  .tuple(allFields, fc.array(fc.nat(1), { minLength: MOST, maxLength: MOST }))
  .map(([all, where]): [string, string] => {
    const [below, above] = [0, 1].map((file) => all.filter((_, i) => where[i] === file))
    return [written(CLEAN, below ?? []), written(OTHERS, above ?? [])]
  })

function refusedIn({ document }: ConfigFile): JsonPath[] {
  const issues = opencodeSchema.safeParse(document.value).error?.issues ?? []
  return issues.map(({ path }) => path.map(String))
}

const offered = ({ findings }: CheckReport): string[] =>
  findings.filter(({ changes }) => changes.length > 0).map(({ code }) => code)

/** What became of one file: whether it may have been changed, and what OpenCode has against the changes. */
function changesOf(before: ConfigFile, after: ConfigFile, fixed: readonly Fixed[]): object {
  const own = fixed.filter(({ file }) => file === after.name)
  // Of a limit the whole is meant: OpenCode does not take a part of it.
  const places = own.map(({ path }) => (isWithin(path, LIMIT) ? LIMIT : path))
  const known = refusedIn(before).map(showJsonPath)
  const isChanged = after.text !== before.text
  return {
    isTold: isChanged === own.length > 0,
    isTouched: isChanged && before.untouched !== undefined,
    refused: refusedIn(after).filter(
      (path) => !known.includes(showJsonPath(path)) || places.some((one) => isWithin(path, one)),
    ),
  }
}

const SOUND = { isTold: true, isTouched: false, refused: [] }
const MENDED = { isMended: true, stillOffered: [], isSettled: true }

/** What became of it all: `MENDED`, with files that are `SOUND`, whatever there was. */
function afterFix(check: CheckInput): object {
  const { files, fixed, report } = fixConfig(check)
  const again = fixConfig(aCheckOf(files, { models: check.models }))
  return {
    isMended: fixed.length > 0 === offered(checkConfig(check)).length > 0,
    stillOffered: offered(report),
    files: files.map((file, i) => changesOf(check.files[i]!, file, fixed)),
    isSettled: files.every(({ text }, i) => again.files[i]?.text === text),
  }
}

describe('what --fix writes', () => {
  test('leaves nothing that it could mend, whatever was there, and is left alone the next time', () => {
    fc.assert(
      fc.property(allFields, real, (all, context) => {
        const models = [aModel('coder-1', { context }), aModel('talker')]
        const check = aCheckOf([aFile('opencode.json', written(CLEAN, all))], { models })
        expect(afterFix(check)).toEqual({ ...MENDED, files: [SOUND] })
      }),
      { numRuns: 200 },
    )
  })

  test('leaves nothing that it could mend in several files, and no other provider is touched', () => {
    fc.assert(
      fc.property(texts, real, ([below, above], context) => {
        const models = [aModel('coder-1', { context }), aModel('talker')]
        const check = aCheckOf([aFile('0.json', below), aFile('1.json', above)], { models })
        expect(afterFix(check)).toEqual({ ...MENDED, files: [SOUND, SOUND] })
        expect(fixConfig(check).files[1]?.document.value).toMatchObject(JSON.parse(OTHERS))
      }),
      { numRuns: 200 },
    )
  })

  test('leaves nothing that it could mend in the file that was named, and the others as they are', () => {
    fc.assert(
      fc.property(texts, real, fc.nat(1), (all, context, named) => {
        const models = [aModel('coder-1', { context }), aModel('talker')]
        const files = all.map((text, i) =>
          aFile(`${i}.json`, text, i === named ? undefined : 'it was not named'),
        )
        const check = aCheckOf(files, { models })
        expect(afterFix(check)).toEqual({ ...MENDED, files: [SOUND, SOUND] })
      }),
      { numRuns: 200 },
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

  test.each<[string, JsonPath, unknown]>([
    ['no models', [...PROVIDER, 'models'], null],
    ['a model that is a text', MODEL, 'x'],
    ['a limit that is a list', LIMIT, [1, 2]],
    ['a limit that is nothing', LIMIT, null],
    ['models in a list', [...PROVIDER, 'models'], [{ id: 'coder-1' }]],
  ])('is not claimed to mend %s', (_, path, value) => {
    const check = aCheck({ set: [[path, value]] })
    const { text, fixed } = mend(check)
    expect([text, fixed]).toEqual([check.files[0]?.text, []])
    expect(checkConfig(check).findings.filter(({ changes }) => changes.length > 0)).toEqual([])
  })

  test('puts the right number in the place of one that is too large to be one', () => {
    const text = CLEAN.replace('"context": 131072', '"context": 1e999')
    const check = aCheck({ text })
    expect(checkConfig(check).findings.map(({ code, fix }) => [code, fix])).toEqual([
      [
        'limit-incomplete',
        'Write "limit": { "context": 131072, "input": 131072, "output": 16384 }.',
      ],
    ])
    expect(mend(check).text).toBe(CLEAN)
  })

  test('has no word of infinity where nobody knows the right number', () => {
    const text = CLEAN.replace('"context": 131072', '"context": 1e999')
    const models = [aModel('coder-1', { context: NO_CONTEXT }), aModel('talker')]
    const { findings } = checkConfig(aCheck({ text, models }))
    expect(findings.map(({ code, fix }) => [code, fix])).toEqual([
      ['limit-incomplete', 'Write all three values.'],
    ])
    expect(mend(aCheck({ text, models })).text).toBe(text)
  })

  test('names each field that was changed, once, with the file that has it', () => {
    const set: ReadonlyArray<readonly [JsonPath, unknown]> = [
      [[...LIMIT, 'output'], 0],
      [[...LIMIT, 'input'], undefined],
      [[...PROVIDER, 'npm'], undefined],
    ]
    expect(mend(aCheck({ set })).fixed).toEqual([
      { code: 'output-zero', file: 'opencode.json', path: [...LIMIT, 'input'] },
      { code: 'output-zero', file: 'opencode.json', path: [...LIMIT, 'output'] },
      { code: 'npm-missing', file: 'opencode.json', path: [...PROVIDER, 'npm'] },
    ])
  })
})
