import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { entries, field, texts } from '../../../src/json/read-unknown.ts'
import { readJsonc, type JsoncDocument } from '../../../src/opencode/jsonc.ts'
import { mergeOpencode, type MergedConfig } from '../../../src/opencode/merge-config.ts'
import { AnotherGate } from '../../../src/opencode/provider-to-write.ts'
import { renderOpencode } from '../../../src/opencode/render-config.ts'
import { THREE_MODELS } from './catalogue-samples.ts'

const models = THREE_MODELS
const KEYS = ['sk-ONLY-COPY-0', 'hunter2', '0123456789abcdef0123'] as const

const aHeader = fc.record({ Authorization: fc.constantFrom(...KEYS) })
const aModelName = fc.constantFrom('qwen3-coder-next', 'gpt-oss-120b', 'coder', 'gone')
const size = fc.constantFrom(4096, 32_768, 131_072)
const aTheirModel = fc.record(
  {
    id: aModelName,
    headers: aHeader,
    limit: fc.record({ context: size, input: size, output: size }, { requiredKeys: ['context'] }),
  },
  { requiredKeys: [] },
)
const anAddress = fc.constantFrom(
  'http://localhost:3000/v1',
  'http://127.0.0.1:3000',
  'localhost:3000/v1',
  'http://localhost:3000/sk-ONLY-COPY-1/v1',
  'http://me:hunter2@localhost:3000/v1',
  'http://localhost:3000/v1?key=hunter2',
  'http://localhost:8080/v1',
  'http://localhost:3001/v1',
  'http://box:3000/v1',
  '{env:GATE_URL}/v1',
  '${NOBODY}/v1',
)
const anEnv = fc.oneof(
  fc.subarray(['MINE', 'OTHER_KEY', 'LLAMA_SWAP_API_KEY', ...KEYS]),
  fc.constantFrom('MINE', ...KEYS),
)
const aProvider = fc.record(
  {
    env: anEnv,
    options: fc.record(
      {
        baseURL: anAddress,
        baseUrl: anAddress,
        apiKey: fc.constantFrom(...KEYS),
        headers: aHeader,
      },
      { requiredKeys: [] },
    ),
    models: fc.dictionary(aModelName, aTheirModel),
  },
  { requiredKeys: [] },
)
const aFile = fc.record(
  {
    provider: fc.dictionary(fc.constantFrom('llama-swap', 'box', 'other'), aProvider),
    compaction: fc.record({ reserved: fc.constantFrom(0, 8000, 20_000, 100_000) }),
  },
  { requiredKeys: ['provider'] },
)

function documentOf(text: string): JsoncDocument {
  const document = readJsonc(text)
  if (!document.ok) throw new Error(document.message)
  return document
}

function replaced(text: string): string {
  return text.replaceAll('{env:GATE_URL}', 'http://127.0.0.1:3000').replaceAll('${NOBODY}', '')
}

/** Undefined where nothing is written. */
function written(text: string, id: string): MergedConfig | undefined {
  const ours = renderOpencode({ baseUrl: 'http://localhost:3000', models, providerId: id })
  try {
    const upstreamUrl = 'http://127.0.0.1:8080'
    return mergeOpencode(documentOf(text), ours, { models, replaced, upstreamUrl })
  } catch (error) {
    if (error instanceof AnotherGate) return undefined
    throw error
  }
}

/** All places of a provider in which the only copy of a key may stand, with what stands there. */
function keysIn(provider: unknown): unknown {
  const options = field(provider, 'options')
  const env = field(provider, 'env')
  return {
    env: (typeof env === 'string' ? [env] : texts(env)).filter(isKey),
    apiKey: field(options, 'apiKey'),
    headers: field(options, 'headers'),
    misplaced: field(options, 'baseUrl'),
    address: [field(options, 'baseURL')].filter((url) => /hunter2|ONLY-COPY/.test(String(url))),
    models: entries(field(provider, 'models')).flatMap(([key, model]) => {
      const headers = field(model, 'headers')
      return headers === undefined ? [] : [{ key, id: field(model, 'id'), headers }]
    }),
  }
}

function isKey(text: string): boolean {
  return KEYS.some((key) => key === text)
}

const anId = fc.constantFrom('llama-swap', 'home', 'box')

test('no key disappears from a file, and what is written the second time is the same', () => {
  fc.assert(
    fc.property(aFile, anId, (file, id) => {
      const before = JSON.stringify(file)
      const once = written(before, id)?.text ?? before
      const now = documentOf(once).value
      for (const [name, provider] of Object.entries(file.provider))
        expect(keysIn(field(field(now, 'provider'), name))).toEqual(keysIn(provider))
      expect(written(once, id)?.text ?? once).toBe(once)
    }),
    { numRuns: 1000 },
  )
})

test('no provider is changed but the one that is written', () => {
  fc.assert(
    fc.property(aFile, anId, (file, id) => {
      const before = JSON.stringify(file)
      const now = field(documentOf(written(before, id)?.text ?? before).value, 'provider')
      const changed = Object.entries(file.provider).filter(
        ([name, provider]) => JSON.stringify(field(now, name)) !== JSON.stringify(provider),
      )
      expect(changed.length).toBeLessThanOrEqual(1)
    }),
    { numRuns: 500 },
  )
})

test('the one name of a variable stays', () => {
  fc.assert(
    fc.property(aFile, (file) => {
      const provider = { 'llama-swap': { ...file.provider['llama-swap'], env: ['MINE'] } }
      const text = JSON.stringify({ ...file, provider })
      const now = documentOf(written(text, 'llama-swap')?.text ?? text).value
      expect(['provider', 'llama-swap', 'env'].reduce(field, now)).toEqual(['MINE'])
    }),
  )
})
