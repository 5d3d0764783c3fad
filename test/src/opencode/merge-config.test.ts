import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatJson } from '../../../src/opencode/format-json.ts'
import { readJsonc, type JsoncDocument } from '../../../src/opencode/jsonc.ts'
import { mergeOpencode } from '../../../src/opencode/merge-config.ts'
import { renderOpencode } from '../../../src/opencode/render-config.ts'
import { showJsonPath } from '../../../src/opencode/show-path.ts'
import { aContext, aModel, NO_CONTEXT, THREE_MODELS } from './catalogue-samples.ts'

const baseUrl = 'http://localhost:3000'
const OURS = renderOpencode({ baseUrl, models: [aModel('coder', { context: aContext(32_768) })] })

function documentOf(text: string): JsoncDocument {
  const document = readJsonc(text)
  if (!document.ok) throw new Error(document.message)
  return document
}

const WRITTEN = `{
  // Everything of mine stays.
  "theme": "tokyonight",
  "model": "anthropic/claude",
  "provider": {
    "anthropic": { "options": { "apiKey": "{env:ANTHROPIC_API_KEY}" } },
    "llama-swap": {
      "npm": "@ai-sdk/openai",
      "name": "My box", // in the cellar
      "env": ["MINE", "LLAMA_SWAP_API_KEY"],
      "options": { "baseURL": "http://old:3000/v1", "setCacheKey": true },
      "models": {
        "coder": {
          "name": "My coder",
          "temperature": true,
          "limit": { "context": 131072, "output": 65536 },
        },
        "gone": {},
      },
    },
  },
  "compaction": { "auto": false, "reserved": 5000 },
}
`

describe("the gate's settings in a file of the user", () => {
  test('take the place of what was wrong, and leave the rest as it is', () => {
    const merged = mergeOpencode(documentOf(WRITTEN), OURS)
    expect(merged.text).toBe(`{
  // Everything of mine stays.
  "theme": "tokyonight",
  "model": "anthropic/claude",
  "provider": {
    "anthropic": { "options": { "apiKey": "{env:ANTHROPIC_API_KEY}" } },
    "llama-swap": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "My box", // in the cellar
      "env": ["MINE", "LLAMA_SWAP_API_KEY"],
      "options": { "baseURL": "http://localhost:3000/v1", "setCacheKey": true, "headerTimeout": 900000, "chunkTimeout": 900000 },
      "models": {
        "coder": {
          "name": "My coder",
          "temperature": true,
          "limit": { "context": 32768, "output": 8192, "input": 32768 },
          "tool_call": true,
          "modalities": { "input": ["text"], "output": ["text"] },
        },
        "gone": {},
      },
    },
  },
  "compaction": { "auto": false, "reserved": 5000 },
  "$schema": "https://opencode.ai/config.json",
}
`)
    const inModel = 'provider.llama-swap.models.coder'
    expect(merged.changed.map(showJsonPath)).toEqual([
      '$schema',
      'provider.llama-swap.npm',
      'provider.llama-swap.options.baseURL',
      'provider.llama-swap.options.headerTimeout',
      'provider.llama-swap.options.chunkTimeout',
      `${inModel}.tool_call`,
      `${inModel}.modalities.input`,
      `${inModel}.modalities.output`,
      `${inModel}.limit.context`,
      `${inModel}.limit.input`,
      `${inModel}.limit.output`,
    ])
    expect(merged.left).toEqual(['gone'])
  })

  test('are all there in an empty file', () => {
    const { text } = mergeOpencode(documentOf('{}'), OURS)
    expect(documentOf(text).value).toEqual(OURS)
  })

  test('go to the provider that leads to the same gate, whatever its name', () => {
    const theirs = {
      provider: {
        box: { options: { baseURL: 'http://127.0.0.1:3000' }, models: { c: { id: 'coder' } } },
      },
    }
    const { text, left } = mergeOpencode(documentOf(JSON.stringify(theirs)), OURS)
    const provider = OURS.provider['llama-swap']
    const { name: _, ...coder } = provider?.models['coder'] ?? {}
    expect(documentOf(text).value).toEqual({
      ...OURS,
      model: 'box/coder',
      provider: { box: { ...provider, models: { c: { id: 'coder', name: 'coder', ...coder } } } },
    })
    expect(left).toEqual([])
  })

  test('leave a limit alone that the gate does not know better', () => {
    const models = [aModel('coder', { context: NO_CONTEXT })]
    const { text } = mergeOpencode(documentOf(WRITTEN), renderOpencode({ baseUrl, models }))
    expect(text).toContain('"limit": { "context": 131072, "output": 65536 }')
  })

  test('cannot be put into something else', () => {
    expect(() => mergeOpencode(documentOf('{ "provider": [] }'), OURS)).toThrow(
      'llama-swap cannot be set: it is not in an object',
    )
  })

  test('change no byte the second time', () => {
    const files = fc.constantFrom(
      WRITTEN,
      '{}',
      '{ "provider": {} }',
      formatJson(OURS),
      WRITTEN.replaceAll('\n', '\r\n'),
      JSON.stringify(OURS),
    )
    const subsets = fc.subarray([...THREE_MODELS])
    fc.assert(
      fc.property(files, subsets, (file, models) => {
        const ours = renderOpencode({ baseUrl, models })
        const once = mergeOpencode(documentOf(file), ours)
        const twice = mergeOpencode(documentOf(once.text), ours)
        expect(twice).toEqual({ text: once.text, changed: [], left: once.left })
      }),
    )
  })
})
