import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CatalogueModel } from '../../../src/llama-swap/catalogue.ts'
import { catalogueOfConfig } from '../../../src/llama-swap/config/config-catalogue.ts'
import { readModelConfig } from '../../../src/llama-swap/config/read-config.ts'
import { checkConfig } from '../../../src/opencode/check/check-config.ts'
import { formatJson } from '../../../src/opencode/format-json.ts'
import { readJsonc } from '../../../src/opencode/jsonc.ts'
import { opencodeSchema } from '../../../src/opencode/opencode-schema.ts'
import {
  opencodeModels,
  opencodeNotes,
  renderOpencode,
} from '../../../src/opencode/render-config.ts'
import { aContext, aModel, NO_CONTEXT, THREE_MODELS } from './catalogue-samples.ts'
import { aCheck } from './check/check-samples.ts'

const baseUrl = 'http://localhost:3000'
const docs = readFileSync(new URL('../../../docs/opencode.md', import.meta.url), 'utf8')
const example = readFileSync(new URL('../../../config.yaml.example', import.meta.url), 'utf8')
const [block] = /(?<=```json\n)\{[^]*?\n\}\n(?=```)/.exec(docs) ?? []

describe('the configuration for OpenCode', () => {
  test('is the one of the guide, letter by letter', () => {
    expect(`${formatJson(renderOpencode({ baseUrl, models: THREE_MODELS }))}\n`).toBe(block)
  })

  test("is the same from llama-swap's example configuration", () => {
    const models = catalogueOfConfig(readModelConfig([example], {}), {})
    expect(`${formatJson(renderOpencode({ baseUrl, models }))}\n`).toBe(block)
  })

  test('names the provider, the variable and the box as it is told', () => {
    const models = [aModel('m', { input: ['text', 'image'], tools: false, outputLimit: 2000 })]
    const file = renderOpencode({
      baseUrl: 'https://box/',
      models,
      providerId: 'box',
      keyVariable: 'K',
      name: 'Box',
    })
    expect(file).toEqual({
      $schema: 'https://opencode.ai/config.json',
      model: 'box/m',
      provider: {
        box: {
          npm: '@ai-sdk/openai-compatible',
          name: 'Box',
          env: ['K'],
          options: { baseURL: 'https://box/v1', headerTimeout: 900_000, chunkTimeout: 900_000 },
          models: {
            m: {
              name: 'm',
              attachment: true,
              tool_call: false,
              modalities: { input: ['text', 'image'], output: ['text'] },
              limit: { context: 131_072, input: 131_072, output: 2000 },
            },
          },
        },
      },
      compaction: { auto: true, prune: true },
    })
  })

  test('leaves out what is not for chats, the pins of profiles, and second names', () => {
    const models = [
      aModel('embed', { use: 'embeddings' }),
      aModel('sort', { use: 'rerank' }),
      aModel('speak', { use: 'other' }),
      aModel('pinned', { kind: 'profile' }),
      aModel('second', { kind: 'alias', aliases: ['first'] }),
      aModel('first', { aliases: ['second'] }),
      aModel('any', { kind: 'selector', context: NO_CONTEXT }),
      aModel('far/away', { kind: 'peer', context: NO_CONTEXT }),
    ]
    expect(opencodeModels(models).map(({ id }) => id)).toEqual(['first', 'any', 'far/away'])
  })

  test('takes one of the names where the model itself is not listed', () => {
    const models = [
      aModel('one', { kind: 'alias', aliases: ['two', 'hidden'] }),
      aModel('two', { kind: 'alias', aliases: ['one', 'hidden'] }),
    ]
    expect(opencodeModels(models).map(({ id }) => id)).toEqual(['one'])
  })

  test.each([
    [
      'by its id',
      [aModel('a'), aModel('Codestral-25'), aModel('coder')],
      'llama-swap/Codestral-25',
    ],
    ['by its name', [aModel('a'), aModel('b', { name: 'For coding' })], 'llama-swap/b'],
    ['that has dev in front', [aModel('a'), aModel('devstral')], 'llama-swap/devstral'],
    ['which is the first where none is for code', [aModel('a'), aModel('b')], 'llama-swap/a'],
  ])('begins with the model for code, %s', (_, models, model) => {
    expect(renderOpencode({ baseUrl, models }).model).toBe(model)
  })

  test('has no limit where the context is not known, and says so', () => {
    const models = [aModel('known'), aModel('new', { context: NO_CONTEXT })]
    expect(renderOpencode({ baseUrl, models }).provider['llama-swap']?.models['new']).toEqual({
      name: 'new',
      tool_call: true,
      modalities: { input: ['text'], output: ['text'] },
    })
    expect(opencodeNotes(models)).toEqual([
      'new: the size of its context is not known (no --ctx-size), so it has no "limit" and OpenCode never compacts by itself. Load it once, or write the size into "contexts" of config.json.',
    ])
  })

  test.each([
    [12_287, ['too small', '12,287']],
    [12_288, ['very small', '12,288']],
    [16_383, ['very small', '16,383']],
  ])('has a word about a window of %i tokens', (window, [how, tokens]) => {
    expect(opencodeNotes([aModel('m', { context: aContext(window) })])).toEqual([
      `m: ${tokens} tokens for one request are ${how} for OpenCode, whose own prompt and tools take about 7,500. Give it 16,384 at least: a larger --ctx-size or fewer slots (-np 1) in config.yaml.`,
    ])
  })

  test('has nothing to say of a window that is large enough', () => {
    expect(opencodeNotes([aModel('m', { context: aContext(16_384) })])).toEqual([])
  })

  test('has no model to begin with where there is none, and says so', () => {
    expect(renderOpencode({ baseUrl, models: [] }).model).toBeUndefined()
    expect(opencodeNotes([])).toEqual([
      'No model for chats is known, so OpenCode will not show this provider.',
    ])
  })
})

const modality = fc.constantFrom('text', 'image', 'audio', 'video')
const anyModel: fc.Arbitrary<CatalogueModel> = fc
  .record({
    id: fc.string({ minLength: 1 }),
    kind: fc.constantFrom('model', 'alias', 'peer', 'selector', 'profile'),
    use: fc.constantFrom('chat', 'embeddings', 'rerank', 'other'),
    input: fc.uniqueArray(modality, { minLength: 1 }),
    tools: fc.constantFrom(true, false, undefined),
    reasoning: fc.boolean(),
    outputLimit: fc.option(fc.integer({ min: 1, max: 200_000 }), { nil: undefined }),
    context: fc.option(fc.integer({ min: 16_384, max: 2_000_000 }).map(aContext), {
      nil: NO_CONTEXT,
    }),
  })
  .map(({ id, ...about }) => aModel(id, about))
const catalogues = fc.uniqueArray(anyModel, { selector: ({ id }) => id })

describe('the configuration for any models', () => {
  test('is one that OpenCode takes, with every model for chats in it', () => {
    fc.assert(
      fc.property(catalogues, (models) => {
        const file = renderOpencode({ baseUrl, models })
        const read = readJsonc(formatJson(file))
        expect(read.ok && JSON.stringify(read.value)).toBe(JSON.stringify(file))
        expect(opencodeSchema.safeParse(file).success).toBe(true)
        expect(Object.keys(file.provider['llama-swap']?.models ?? {}).toSorted()).toEqual(
          opencodeModels(models)
            .map(({ id }) => id)
            .toSorted(),
        )
      }),
    )
  })

  test('is one in which the check finds no error, and nothing to mend', () => {
    fc.assert(
      fc.property(catalogues, (models) => {
        fc.pre(opencodeModels(models).length > 0)
        const text = formatJson(renderOpencode({ baseUrl, models }))
        const { findings } = checkConfig(aCheck({ text, models }))
        expect(
          findings.filter(({ severity, changes }) => severity !== 'hint' || changes.length > 0),
        ).toEqual([])
      }),
    )
  })
})
