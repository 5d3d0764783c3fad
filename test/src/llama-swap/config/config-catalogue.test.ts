import { expect, test } from 'vitest'
import { catalogueOfConfig } from '../../../../src/llama-swap/config/config-catalogue.ts'
import type { ModelFacts } from '../../../../src/llama-swap/model-config.ts'
import { NO_MODEL_CONFIG } from '../../../../src/llama-swap/model-config.ts'
import { NO_NAMES } from '../../../../src/llama-swap/model-names.ts'

const TRAITS = {
  use: 'chat',
  input: ['text'],
  output: ['text'],
  tools: undefined,
  reasoning: false,
  outputLimit: undefined,
  slots: undefined,
} as const

const FACTS: ModelFacts = {
  ...TRAITS,
  name: 'Model A',
  description: undefined,
  aliases: ['short'],
  isUnlisted: false,
  commandLine: 'llama-server -c 4096',
  faults: [],
  slots: 2,
  context: { tokens: 4096, source: 'command', certainty: 'estimate', why: '-c 4096' },
}

const CONFIG = {
  ...NO_MODEL_CONFIG,
  names: {
    ...NO_NAMES,
    ids: new Set(['a', 'hidden', 'fast', 'cloud/x']),
    aliases: new Map([['short', 'a']]),
    selectors: new Map([['fast', ['a']]]),
  },
  remote: new Set(['cloud/x']),
  models: new Map([
    ['a', FACTS],
    ['hidden', { ...FACTS, isUnlisted: true }],
  ]),
}

const NAMELESS = {
  ...TRAITS,
  name: undefined,
  description: undefined,
  aliases: [],
  isLoaded: false,
}

test('the catalogue of a configuration is what llama-swap would list', () => {
  const { name, description, aliases, slots, context } = FACTS
  expect(catalogueOfConfig(CONFIG, {})).toEqual([
    { ...NAMELESS, id: 'a', kind: 'model', name, description, aliases, slots, context },
    {
      ...NAMELESS,
      id: 'fast',
      kind: 'selector',
      context: {
        tokens: undefined,
        source: 'unknown',
        why: 'llama-swap chooses among several models',
      },
    },
    {
      ...NAMELESS,
      id: 'cloud/x',
      kind: 'peer',
      context: { tokens: undefined, source: 'unknown', why: 'the model runs on another machine' },
    },
  ])
})

test('what config.json says of a context counts, by an alias too', () => {
  const contexts = catalogueOfConfig(CONFIG, { short: 8192, fast: 1024 }).map(
    ({ context }) => context.tokens,
  )
  expect(contexts).toEqual([8192, 1024, undefined])
})

test('without a configuration there are no models', () => {
  expect(catalogueOfConfig(NO_MODEL_CONFIG, { a: 4096 })).toEqual([])
})
