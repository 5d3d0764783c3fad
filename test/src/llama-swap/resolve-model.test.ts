import { describe, expect, test } from 'vitest'
import type { CatalogueModel } from '../../../src/llama-swap/catalogue.ts'
import type { ModelFacts } from '../../../src/llama-swap/model-config.ts'
import { configuredSizes, resolveModel } from '../../../src/llama-swap/resolve-model.ts'

const UNKNOWN = { tokens: undefined, source: 'unknown', why: 'w' } as const

const LISTED: CatalogueModel = {
  id: 'a',
  name: undefined,
  description: 'listed',
  kind: 'model',
  aliases: ['b'],
  use: 'chat',
  input: ['text'],
  output: ['text'],
  tools: undefined,
  reasoning: false,
  outputLimit: 100,
  slots: undefined,
  context: { tokens: 1000, source: 'listing', certainty: 'estimate', why: 'by hand' },
  isLoaded: true,
}

const FACTS: ModelFacts = {
  name: 'A',
  description: 'from the file',
  aliases: [],
  isUnlisted: false,
  commandLine: 'llama-server',
  faults: [],
  use: 'chat',
  input: ['text', 'image'],
  output: ['text', 'audio'],
  tools: false,
  reasoning: true,
  outputLimit: undefined,
  slots: 2,
  context: { tokens: 2000, source: 'command', certainty: 'estimate', why: '-c 2000' },
}

const LEARNED = {
  context: { tokens: 3000, source: 'props', certainty: 'exact', why: 'it says so' },
  props: { context: 3000, slots: 4, input: ['text', 'audio'], tools: true },
} as const

const NONE = { configured: undefined, learned: undefined, facts: undefined }

describe('what a model can do', () => {
  test('is what its server says, then its configuration, then the list', () => {
    expect(resolveModel(LISTED, { ...NONE, facts: FACTS, learned: LEARNED })).toEqual({
      ...LISTED,
      name: 'A',
      input: ['text', 'audio'],
      output: ['text', 'audio'],
      tools: true,
      reasoning: true,
      slots: 4,
      context: LEARNED.context,
    })
  })

  test('is what the list says where nobody else says anything', () => {
    expect(resolveModel(LISTED, NONE)).toEqual(LISTED)
  })

  test('is not changed by a server that says nothing of it', () => {
    const props = { context: 1, slots: undefined, input: undefined, tools: undefined }
    const told = resolveModel(LISTED, {
      ...NONE,
      facts: FACTS,
      learned: { context: undefined, props },
    })
    expect([told.input, told.tools, told.slots]).toEqual([['text', 'image'], false, 2])
  })
})

describe('the size of the context', () => {
  const bare = { ...LISTED, context: UNKNOWN }

  test.each([
    ['configured', LISTED, { configured: 500, learned: LEARNED, facts: FACTS }, 500],
    ['props', LISTED, { ...NONE, learned: LEARNED, facts: FACTS }, 3000],
    ['listing', LISTED, { ...NONE, facts: FACTS }, 1000],
    ['command', bare, { ...NONE, facts: FACTS }, 2000],
    ['unknown', bare, NONE, undefined],
  ] as const)('is known from %s', (...row) => {
    const [source, listed, known, tokens] = row
    const { context } = resolveModel(listed, known)
    expect([context.source, context.tokens]).toEqual([source, tokens])
  })

  test('has the reason of the configuration file where that does not know it either', () => {
    const facts = { ...FACTS, context: { ...UNKNOWN, why: 'without -c it fits itself' } }
    expect(resolveModel(bare, { ...NONE, facts }).context).toEqual(facts.context)
  })

  test.each([
    ['model', 'nobody has said it yet; it is learned when the model runs'],
    ['peer', 'the model runs on another machine'],
    ['selector', 'llama-swap chooses among several models'],
  ] as const)('of a %s is not known for a reason', (kind, why) => {
    expect(resolveModel({ ...bare, kind }, NONE).context).toEqual({ ...UNKNOWN, why })
  })
})

describe('of a model that takes no more than a batch', () => {
  const batch = { tokens: 512, why: '-ub 512: a text must fit into one batch' }
  const vectors = { ...FACTS, use: 'embeddings', batch } as const
  const bounded = {
    tokens: 3000,
    source: 'props',
    certainty: 'estimate',
    why: 'the running model holds as much, but a text must fit into one batch, too',
  }

  test.each([
    [
      'is the batch',
      LISTED,
      { facts: vectors },
      { ...batch, source: 'command', certainty: 'estimate' },
    ],
    [
      'is its own where the batch is larger',
      LISTED,
      { facts: { ...vectors, batch: { ...batch, tokens: 4000 } } },
      { ...bounded, why: LEARNED.context.why },
    ],
    [
      'is at most its own where the batch is not known',
      LISTED,
      { facts: { ...vectors, batch: undefined } },
      bounded,
    ],
    ['is at most its own without a configuration file', { ...LISTED, use: 'rerank' }, {}, bounded],
  ] as const)('the size %s', (...[, listed, known, context]) => {
    expect(resolveModel(listed, { ...NONE, learned: LEARNED, ...known }).context).toEqual(context)
  })

  test('what it refused counts', () => {
    const refused = { ...LEARNED.context, source: 'overflow' } as const
    const learned = { ...LEARNED, context: refused }
    expect(resolveModel(LISTED, { ...NONE, learned, facts: vectors }).context).toEqual(refused)
  })
})

const idOf = (other: string): string => (['b', 'c'].includes(other) ? 'a' : other)

test.each([
  [{ b: 1, a: 2, c: 3 }, 'b', 1],
  [{ a: 2, c: 3 }, 'b', 2],
  [{ c: 3 }, 'b', 3],
  [{ c: 3 }, 'a', 3],
  [{ c: 3 }, 'x', undefined],
  [{}, 'toString', undefined],
])('contexts of %j say of %s: %j', (contexts, name, tokens) => {
  expect(configuredSizes(contexts, idOf)(name)).toBe(tokens)
})
