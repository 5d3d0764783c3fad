import { expect, test } from 'vitest'
import { readCatalogue } from '../../../src/llama-swap/read-catalogue.ts'
import { readListing } from '../../../src/llama-swap/read-listing.ts'
import { modelList } from '../../support/look-alike/catalogue.ts'

const PLAIN = {
  name: undefined,
  description: undefined,
  kind: 'model',
  aliases: [],
  use: 'chat',
  input: ['text'],
  output: ['text'],
  tools: undefined,
  reasoning: false,
  outputLimit: undefined,
  slots: undefined,
  context: { tokens: undefined, source: 'unknown', why: "llama-swap's list does not say it" },
  isLoaded: false,
}

test("llama-swap's list says who there is, and what its owner wrote of them", () => {
  const listing = readListing(JSON.stringify(modelList('gpt-oss-120b'))) ?? []
  expect(readCatalogue(listing)).toEqual([
    { ...PLAIN, id: 'gpt-oss-120b', aliases: ['gpt'], isLoaded: true, reasoning: true },
    { ...PLAIN, id: 'glm-4.7-flash', reasoning: true },
    {
      ...PLAIN,
      id: 'qwen3-coder-next',
      aliases: ['coder'],
      name: 'Qwen3 Coder Next',
      description: 'Writes code',
      context: {
        tokens: 131_072,
        source: 'listing',
        certainty: 'estimate',
        why: "llama-swap's list says so, where it was written by hand",
      },
    },
    { ...PLAIN, id: 'fast', kind: 'selector' },
    { ...PLAIN, id: 'cloud/big-model', kind: 'peer' },
  ])
})

const about = (llamaswap: object) => ({ meta: { llamaswap } })

test('an alias in the list has the other names of its model, and they have it', () => {
  const names = readCatalogue([
    { id: 'a', ...about({ type: 'model', aliases: ['b'] }) },
    { id: 'c', ...about({ type: 'alias', modelID: 'a' }) },
    { id: 'lost', ...about({ type: 'alias' }) },
  ]).map(({ id, kind, aliases }) => ({ id, kind, aliases }))
  expect(names).toEqual([
    { id: 'a', kind: 'model', aliases: ['b', 'c'] },
    { id: 'c', kind: 'alias', aliases: ['a', 'b'] },
    { id: 'lost', kind: 'alias', aliases: [] },
  ])
})

test('capabilities that the owner wrote are read', () => {
  const [model] = readCatalogue([
    {
      id: 'r',
      capabilities: { reranker: true, function_calling: false },
      architecture: { input_modalities: ['text', 'image', 'smell'], output_modalities: ['audio'] },
    },
  ])
  expect(model).toEqual({
    ...PLAIN,
    id: 'r',
    use: 'rerank',
    input: ['text', 'image'],
    output: ['audio'],
    tools: false,
  })
})

test.each([0, -1, 1.5, '4096', null])('a context of %j is none', (context_length) => {
  expect(readCatalogue([{ id: 'a', context_length }])).toEqual([{ ...PLAIN, id: 'a' }])
})

test.each([
  ['what the gate wrote counts first', { meta: { swapgate: { reasoning: false } } }, false],
  ["then the owner's metadata", { meta: { llamaswap: { reasoning: false } } }, false],
  ['then how it sounds', {}, true],
])('whether a model thinks: %s', (_what, record, reasoning) => {
  const models = readCatalogue([{ id: 'magistral', ...record }])
  expect(models).toEqual([expect.objectContaining({ reasoning })])
})
