import { describe, expect, test } from 'vitest'
import { field } from '../../../src/json/read-unknown.ts'
import { readJsonc } from '../../../src/opencode/jsonc.ts'
import { mergeOpencode, type MergedConfig } from '../../../src/opencode/merge-config.ts'
import { renderOpencode } from '../../../src/opencode/render-config.ts'
import { aContext, aModel } from './catalogue-samples.ts'

const models = [
  aModel('large', { context: aContext(131_072) }),
  aModel('small', { context: aContext(32_768) }),
]
const OURS = renderOpencode({ baseUrl: 'http://localhost:3000', models })

type Written = { value: unknown; merged: MergedConfig }

/** The models of the provider after the gate's were put into this file. */
function written(file: object): Written {
  const document = readJsonc(JSON.stringify(file))
  if (!document.ok) throw new Error(document.message)
  const merged = mergeOpencode(document, OURS, { models })
  const path = ['provider', 'llama-swap', 'models']
  return { value: path.reduce(field, JSON.parse(merged.text)), merged }
}

describe('an entry that stands under the name of a model and is for another', () => {
  const mine = { id: 'large', name: 'mine', headers: { Authorization: 'Bearer sk-ONLY-COPY' } }
  const file = { model: 'a/b', provider: { 'llama-swap': { models: { small: mine } } } }

  test('stays, and takes what the gate knows of its own model', () => {
    const { value, merged } = written(file)
    expect(value).toEqual({ small: { ...OURS.provider['llama-swap']?.models['large'], ...mine } })
    expect(merged.notes).toEqual([
      'small was not written: in the models of llama-swap, another one stands under its name. Rename that one, and write again.',
    ])
  })

  test('is not changed the second time', () => {
    const { merged } = written(file)
    expect(written(JSON.parse(merged.text)).merged).toMatchObject({ added: [], replaced: [] })
  })
})

describe('a reserve that stays', () => {
  const compaction = { reserved: 20_000 }
  const NOTE =
    '"compaction": { "reserved": 20000 } does not suit small, so there is no limit.input there, beside which alone it counts. It stays as it is.'

  test.each<[string, object]>([
    ['in a new provider', {}],
    ['in new models', { 'llama-swap': {} }],
    [
      'in models that have one',
      {
        'llama-swap': {
          models: { small: { limit: { context: 32_768, input: 32_768, output: 8192 } } },
        },
      },
    ],
  ])('is no reason to have limit.input where it does not suit: %s', (_, provider) => {
    const { value, merged } = written({ model: 'a/b', compaction, provider })
    expect(value).toMatchObject({
      large: { limit: { context: 131_072, input: 131_072, output: 16_384 } },
      small: { limit: { context: 32_768, output: 8192 } },
    })
    expect(['small', 'limit', 'input'].reduce(field, value)).toBeUndefined()
    expect(merged.notes).toEqual([NOTE])
  })
})
