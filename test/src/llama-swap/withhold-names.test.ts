import { expect, test } from 'vitest'
import { withholdNames } from '../../../src/llama-swap/withhold-names.ts'

const about = (llamaswap: object) => ({ id: 'own', name: 'N', meta: { n_ctx: 1, llamaswap } })
const mayTell = (name: string): boolean => name.startsWith('own')

test.each([
  [
    'aliases',
    { type: 'model', aliases: ['own-2', 'other'], family: 'x' },
    { type: 'model', aliases: ['own-2'], family: 'x' },
  ],
  [
    'targets of a selector',
    { type: 'selector', strategy: 'warm', targets: ['other', 'own-1', 'own-2'] },
    { type: 'selector', strategy: 'warm', targets: ['own-1', 'own-2'] },
  ],
  ['the model of an alias', { type: 'alias', modelID: 'other' }, { type: 'alias' }],
  [
    'the model of an alias, where it may be told',
    { type: 'alias', modelID: 'own-1' },
    { type: 'alias', modelID: 'own-1' },
  ],
  [
    'pins of a profile, by either side',
    { type: 'profile', pins: { 'own-1': 'own-2', 'own-3': 'other', another: 'own-4' } },
    { type: 'profile', pins: { 'own-1': 'own-2' } },
  ],
  [
    'the names that a profile pins',
    { type: 'profile', pins: ['own-1', 'other', 3] },
    { type: 'profile', pins: ['own-1'] },
  ],
])('of a record stay only those that may be told: %s', (_what, told, left) => {
  expect(withholdNames(about(told), mayTell)).toEqual(about(left))
})

test.each([
  // What a peer calls a model is in its id already.
  about({ type: 'peer', peerID: 'cloud', modelID: 'big' }),
  about({ type: 'model' }),
  { id: 'own' },
  { id: 'own', meta: null },
  { id: 'own', meta: { llamaswap: 'x' } },
])('a record that names no other stays as it is: %j', (record) => {
  expect(withholdNames(record, mayTell)).toEqual(record)
})
