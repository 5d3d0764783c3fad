import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allowsModel } from '../../../src/llama-swap/model-names.ts'
import {
  namesInListing,
  peersInListing,
  readListing,
  type ListedModel,
} from '../../../src/llama-swap/read-listing.ts'
import { modelList } from '../../support/look-alike/catalogue.ts'

function record(id: string, llamaswap?: Record<string, unknown>): ListedModel {
  return { id, object: 'model', ...(llamaswap && { meta: { llamaswap } }) }
}

describe('a listing', () => {
  test('is read with every field of its records', () => {
    const data = [{ id: 'a', context_length: 4096, meta: { n_ctx: 4096 } }, { id: 'b' }]
    expect(readListing(JSON.stringify({ object: 'list', data }))).toEqual(data)
  })

  test('leaves out records without an id of text', () => {
    const data = [{ id: 'a' }, { id: 7 }, {}, null, 'b', ['c']]
    expect(readListing(JSON.stringify({ data }))).toEqual([{ id: 'a' }])
  })

  test.each(['', 'OK', '<html>', '[]', '{}', 'null', '{"data":{}}', '{"data":null}', '{"data":['])(
    '%j is none',
    (text) => {
      expect(readListing(text)).toBeUndefined()
    },
  )

  test('of any content is read without an exception', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.array(fc.jsonValue()).map((data) => JSON.stringify({ data })),
        ),
        (text) => {
          const listing = readListing(text) ?? []
          expect([...namesInListing(listing).ids].every((id) => typeof id === 'string')).toBe(true)
        },
      ),
    )
  })
})

describe('the names in a listing', () => {
  test('are models, aliases, selectors and models of peers', () => {
    const listing = readListing(JSON.stringify(modelList(undefined))) ?? []
    expect(namesInListing(listing)).toEqual({
      ids: new Set([
        'gpt-oss-120b',
        'glm-4.7-flash',
        'qwen3-coder-next',
        'fast',
        'cloud/big-model',
      ]),
      aliases: new Map([
        ['gpt', 'gpt-oss-120b'],
        ['coder', 'qwen3-coder-next'],
        ['big-model', 'cloud/big-model'],
      ]),
      selectors: new Map([['fast', ['glm-4.7-flash', 'qwen3-coder-next']]]),
      pins: new Map(),
    })
  })

  test('are ids where a record says nothing more', () => {
    expect(namesInListing([record('a'), record('b', {})]).ids).toEqual(new Set(['a', 'b']))
  })

  test('take an alias that has a record of its own as an alias', () => {
    const names = namesInListing([
      record('qwen3-coder', { type: 'model', aliases: ['coder'] }),
      record('coder', { type: 'alias', modelID: 'qwen3-coder' }),
    ])
    expect(names).toMatchObject({
      ids: new Set(['qwen3-coder']),
      aliases: new Map([['coder', 'qwen3-coder']]),
    })
  })

  test('leave out what hides where it leads: no pattern may let it pass', () => {
    const names = namesInListing([
      record('qwen3-coder', { type: 'model' }),
      record('qwen3-pinned', { type: 'profile' }),
      record('qwen3-alias', { type: 'alias' }),
      record('qwen3-any', { type: 'selector', strategy: 'warm' }),
    ])
    const allowed = (list: string[]): string[] =>
      ['qwen3-coder', 'qwen3-pinned', 'qwen3-alias', 'qwen3-any'].filter((name) =>
        allowsModel(list, name, names),
      )
    expect([allowed(['qwen3-*']), allowed(['qwen3-pinned', 'qwen3-any'])]).toEqual([
      ['qwen3-coder'],
      ['qwen3-pinned', 'qwen3-any'],
    ])
  })

  test('ignore targets and aliases that are no texts', () => {
    const names = namesInListing([
      record('a', { type: 'model', aliases: ['x', 7, null] }),
      record('s', { type: 'selector', targets: ['a', {}] }),
    ])
    expect([names.aliases, names.selectors]).toEqual([
      new Map([['x', 'a']]),
      new Map([['s', ['a']]]),
    ])
  })
})

test('the models of peers in a listing are those that it calls so', () => {
  const listing = [
    record('cloud/big', { type: 'peer', peerID: 'cloud' }),
    record('other/small', { type: 'peer' }),
    record('cloud/local', { type: 'model' }),
    record('bare'),
    record('odd', { type: ['peer'] }),
  ]
  expect(peersInListing(listing)).toEqual(new Set(['cloud/big', 'other/small']))
})

describe("a peer's model", () => {
  test('has no bare name where two peers offer it', () => {
    const names = namesInListing([
      record('one/big', { type: 'peer', peerID: 'one' }),
      record('two/big', { type: 'peer', peerID: 'two' }),
      record('two/small', { type: 'peer', peerID: 'two' }),
    ])
    expect(names.aliases).toEqual(new Map([['small', 'two/small']]))
  })

  test('gives way to a local model or alias of the same name, wherever that stands', () => {
    const names = namesInListing([
      record('cloud/big', { type: 'peer', peerID: 'cloud' }),
      record('cloud/small', { type: 'peer', peerID: 'cloud' }),
      record('big', { type: 'model', aliases: ['small'] }),
    ])
    expect(names.aliases).toEqual(new Map([['small', 'big']]))
  })

  test('may hold slashes in both parts of its name', () => {
    const names = namesInListing([record('a/b/org/big', { type: 'peer', peerID: 'a/b' })])
    expect(names.aliases).toEqual(new Map([['org/big', 'a/b/org/big']]))
  })
})
