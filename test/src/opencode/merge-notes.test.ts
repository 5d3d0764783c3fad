import { describe, expect, test } from 'vitest'
import { readJsonc } from '../../../src/opencode/jsonc.ts'
import { mergeOpencode } from '../../../src/opencode/merge-config.ts'
import { renderOpencode } from '../../../src/opencode/render-config.ts'
import { THREE_MODELS } from './catalogue-samples.ts'

const baseUrl = 'http://localhost:3000'
const upstreamUrl = 'http://127.0.0.1:8080'
const models = THREE_MODELS
const OURS = renderOpencode({ baseUrl, models })

/** What is told where the gate's three models go into this file. */
function notesFor(file: object, ours = OURS): readonly string[] {
  const document = readJsonc(JSON.stringify(file))
  if (!document.ok) throw new Error(document.message)
  return mergeOpencode(document, ours, { models, upstreamUrl }).notes
}

const at = (baseURL: string): object => ({ options: { baseURL } })

describe('models that OpenCode does not show', () => {
  test('are named, and none of them is recommended', () => {
    const provider = { 'llama-swap': { whitelist: ['gpt-oss-120b'] } }
    expect(notesFor({ provider })).toEqual([
      'OpenCode does not show glm-4.7-flash, qwen3-coder-next: "whitelist" does not name them. Add to it what you want to see, or remove "whitelist".',
      'This file chooses no model to begin with. To choose one: "model": "llama-swap/gpt-oss-120b".',
    ])
  })

  test('are told by the names that they have in the file', () => {
    const theirs = { coder: {}, fast: { id: 'glm-4.7-flash', status: 'alpha' } }
    const provider = { 'llama-swap': { blacklist: ['coder'], models: theirs } }
    expect(notesFor({ provider })).toEqual([
      'OpenCode does not show coder: "blacklist" names it. Take out of it what you want to see, or remove "blacklist".',
      'OpenCode does not show fast: its status is "alpha". Remove "status".',
      'This file chooses no model to begin with. To choose one: "model": "llama-swap/gpt-oss-120b".',
    ])
  })

  test('leave nothing to recommend where they are all', () => {
    expect(notesFor({ provider: { 'llama-swap': { whitelist: [] } } })).toEqual([
      'OpenCode does not show gpt-oss-120b, glm-4.7-flash, qwen3-coder-next: "whitelist" does not name them. Add to it what you want to see, or remove "whitelist".',
    ])
  })
})

test('the model to begin with is told by the name that it has in the file', () => {
  const provider = { box: { ...at(baseUrl), models: { mine: { id: 'qwen3-coder-next' } } } }
  expect(notesFor({ provider })).toEqual([
    'This file chooses no model to begin with. To choose one: "model": "box/mine".',
  ])
})

test.each([
  'http://me:sk-the-only-copy@localhost:3000/v1',
  'http://localhost:3000/v1?api_key=sk-the-only-copy',
])('an address that may hold the only copy of a key stays: %s', (address) => {
  const document = readJsonc(
    JSON.stringify({ model: 'a/b', provider: { 'llama-swap': at(address) } }),
  )
  if (!document.ok) throw new Error(document.message)
  const { text, notes } = mergeOpencode(document, OURS, { models, upstreamUrl })
  expect([JSON.parse(text).provider['llama-swap'].options.baseURL, notes]).toEqual([
    address,
    [
      'The address of llama-swap holds what may be a key, so it stays as it is. OpenCode does not send it as one: export it as LLAMA_SWAP_API_KEY, and write "baseURL": "http://localhost:3000/v1".',
    ],
  ])
})

describe('another provider for the same box', () => {
  const STAYS = 'it stays as it is.'

  test.each<[string, object, string]>([
    [
      'in the form of OpenCode 2',
      { providers: { box: { settings: { baseURL: `${baseUrl}/v1` } } } },
      `The provider box leads to the gate, too, in the form of OpenCode 2; ${STAYS}`,
    ],
    [
      'past the gate in the form of OpenCode 2',
      { providers: { box: { settings: { baseURL: `${upstreamUrl}/v1` } } } },
      `The provider box leads past the gate to llama-swap itself, in the form of OpenCode 2; ${STAYS}`,
    ],
    [
      'past the gate',
      { provider: { box: at(`${upstreamUrl}/v1`) } },
      `The provider box leads past the gate to llama-swap itself; ${STAYS}`,
    ],
  ])('is named: %s', (_, file, told) => {
    expect(notesFor({ model: 'anthropic/claude', ...file })).toEqual([told])
    expect(notesFor({ model: 'box/glm-4.7-flash', ...file })).toEqual([
      `${told} "model" still chooses it. For the one that was written: "model": "llama-swap/glm-4.7-flash".`,
    ])
    expect(notesFor({ model: 'box/gone', ...file })).toEqual([
      `${told} "model" still chooses it. For the one that was written: "model": "llama-swap/qwen3-coder-next".`,
    ])
  })

  test('is named where a person has asked for one beside it', () => {
    const home = renderOpencode({ baseUrl, models, providerId: 'home' })
    const file = { model: 'a/b', provider: { box: at(baseUrl), home: at(baseUrl) } }
    expect(notesFor(file, home)).toEqual([`The provider box leads to the gate, too; ${STAYS}`])
  })

  test.each<[string, object]>([
    ['to another gate', { provider: { box: at('http://work-box:3000/v1') } }],
    ['where OpenCode alone knows', { providers: { box: { settings: { baseURL: '{env:BOX}' } } } }],
    ['nowhere', { providers: { box: {} } }],
  ])('is not one that leads %s', (_, file) => {
    expect(notesFor({ model: 'box/b', ...file })).toEqual([])
  })
})

test('a key that was for llama-swap itself is told, and not repeated', () => {
  const options = { baseURL: `${upstreamUrl}/v1`, apiKey: 'sk-very-secret' }
  expect(notesFor({ model: 'a/b', provider: { 'llama-swap': { options } } })).toEqual([
    "llama-swap led past the gate to llama-swap itself. The key that stands there goes to the gate now, and has to be one of the gate's.",
  ])
})
