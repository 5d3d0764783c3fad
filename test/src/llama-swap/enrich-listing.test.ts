import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CatalogueModel } from '../../../src/llama-swap/catalogue.ts'
import type { ContextSize } from '../../../src/llama-swap/context-size.ts'
import { enrichRecord, isEnriched } from '../../../src/llama-swap/enrich-listing.ts'
import { readCatalogue } from '../../../src/llama-swap/read-catalogue.ts'
import type { ListedModel } from '../../../src/llama-swap/read-listing.ts'

const MODEL: CatalogueModel = {
  id: 'a',
  name: 'Model A',
  description: 'Writes code',
  kind: 'model',
  aliases: ['b'],
  use: 'chat',
  input: ['text', 'image'],
  output: ['text'],
  tools: true,
  reasoning: true,
  outputLimit: 8192,
  slots: 4,
  context: { tokens: 32_768, source: 'props', certainty: 'exact', why: 'it says so' },
  isLoaded: true,
}

test('a record has the forms of OpenAI and of Anthropic, and all that llama-swap says', () => {
  const record = {
    id: 'a',
    object: 'model',
    created: 1_700_000_000,
    owned_by: 'llama-swap',
    context_length: 131_072,
    capabilities: { vision: false, audio_speech: true },
    architecture: { tokenizer: 'x' },
    supported_parameters: ['temperature'],
    meta: { llamaswap: { type: 'model', aliases: ['b'], family: 'f' }, n_ctx: 131_072 },
    status: { value: 'loaded' },
    new_field: 1,
  }
  expect(enrichRecord(record, MODEL)).toEqual({
    id: 'a',
    object: 'model',
    created: 1_700_000_000,
    owned_by: 'llama-swap',
    type: 'model',
    name: 'Model A',
    description: 'Writes code',
    display_name: 'Model A',
    created_at: '2023-11-14T22:13:20.000Z',
    context_length: 32_768,
    max_model_len: 32_768,
    max_output_tokens: 8192,
    architecture: {
      tokenizer: 'x',
      input_modalities: ['text', 'image'],
      output_modalities: ['text'],
      modality: 'text+image->text',
    },
    capabilities: { vision: true, audio_speech: true, function_calling: true },
    supported_parameters: ['tools', 'tool_choice', 'temperature'],
    meta: {
      llamaswap: { type: 'model', aliases: ['b'], family: 'f' },
      n_ctx: 32_768,
      swapgate: {
        context_source: 'props',
        context_certainty: 'exact',
        context_why: 'it says so',
        use: 'chat',
        reasoning: true,
        slots: 4,
      },
    },
    status: { value: 'loaded' },
    new_field: 1,
  })
})

test('a bare record gets what it lacks, and nothing that nobody knows', () => {
  const [model] = readCatalogue([{ id: 'a' }])
  expect(enrichRecord({ id: 'a' }, model!)).toEqual({
    id: 'a',
    object: 'model',
    created: 0,
    owned_by: 'llama-swap',
    type: 'model',
    display_name: 'a',
    created_at: '1970-01-01T00:00:00.000Z',
    architecture: {
      input_modalities: ['text'],
      output_modalities: ['text'],
      modality: 'text->text',
    },
    meta: {
      swapgate: {
        context_source: 'unknown',
        context_why: "llama-swap's list does not say it",
        use: 'chat',
        reasoning: false,
      },
    },
  })
})

test('a model without tools is not said to take any', () => {
  const record = {
    id: 'a',
    capabilities: { function_calling: true },
    supported_parameters: ['tools', 'tool_choice'],
  }
  const { capabilities, supported_parameters } = enrichRecord(record, { ...MODEL, tools: false })
  expect({ capabilities, supported_parameters }).toEqual({
    capabilities: { function_calling: false, vision: true },
    supported_parameters: [],
  })
})

test.each([1e300, -1, Number.NaN, '1', null])('a time of creation of %j is none', (created) => {
  expect(enrichRecord({ id: 'a', created }, MODEL)['created']).toBe(0)
})

test('a record of a gate is known from one of llama-swap', () => {
  const record = { id: 'a', meta: { llamaswap: {} } }
  expect([isEnriched(record), isEnriched(enrichRecord(record, MODEL))]).toEqual([false, true])
})

const modalities = fc
  .subarray(['image', 'audio', 'video'] as const)
  .map((others) => ['text' as const, ...others])
const count = fc.integer({ min: 1, max: 1_000_000 })
const words = fc.string({ minLength: 1 })
const context: fc.Arbitrary<ContextSize> = fc.oneof(
  fc.record({
    tokens: count,
    source: fc.constantFrom('configured', 'props', 'overflow', 'listing', 'command'),
    certainty: fc.constantFrom('exact', 'estimate'),
    why: words,
  }),
  fc.record({
    tokens: fc.constant(undefined),
    source: fc.constant('unknown' as const),
    why: words,
  }),
)
const models: fc.Arbitrary<CatalogueModel> = fc.record({
  id: words,
  name: fc.option(words, { nil: undefined }),
  description: fc.option(words, { nil: undefined }),
  kind: fc.constantFrom('model', 'peer', 'selector', 'profile'),
  aliases: fc.constant([]),
  use: fc.constantFrom('chat', 'embeddings', 'rerank', 'other'),
  input: modalities,
  output: modalities,
  tools: fc.constantFrom(true, false, undefined),
  reasoning: fc.boolean(),
  outputLimit: fc.option(count, { nil: undefined }),
  slots: fc.option(count, { nil: undefined }),
  context,
  isLoaded: fc.boolean(),
})

function bareRecordOf({ id, kind, isLoaded }: CatalogueModel): ListedModel {
  const status = { value: isLoaded ? 'loaded' : 'unloaded' }
  return { id, meta: { llamaswap: { type: kind } }, status }
}

describe('reading back', () => {
  test('what was written into records is what is read from their text', () => {
    fc.assert(
      fc.property(fc.uniqueArray(models, { selector: ({ id }) => id }), (catalogue) => {
        const records = catalogue.map((model) => enrichRecord(bareRecordOf(model), model))
        const text = JSON.stringify(records)
        expect(readCatalogue(JSON.parse(text))).toEqual(catalogue)
      }),
    )
  })

  test('a record that is enriched again stays the same', () => {
    fc.assert(
      fc.property(models, (model) => {
        const once = enrichRecord(bareRecordOf(model), model)
        expect(enrichRecord(once, readCatalogue([once])[0]!)).toEqual(once)
      }),
    )
  })

  test('no record is so odd that it cannot be read', () => {
    const odd = fc.record({ id: words, meta: fc.jsonValue(), architecture: fc.jsonValue() })
    fc.assert(
      fc.property(fc.array(odd), (records) => {
        expect(readCatalogue(records).map(({ id }) => id)).toEqual(records.map(({ id }) => id))
      }),
    )
  })
})
