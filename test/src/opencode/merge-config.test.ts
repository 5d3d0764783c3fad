import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { entries, field } from '../../../src/json/read-unknown.ts'
import { changeJsonc } from '../../../src/opencode/edit-jsonc.ts'
import { formatJson } from '../../../src/opencode/format-json.ts'
import { readJsonc, type JsoncDocument, type JsonPath } from '../../../src/opencode/jsonc.ts'
import { mergeOpencode } from '../../../src/opencode/merge-config.ts'
import { AnotherGate } from '../../../src/opencode/provider-to-write.ts'
import { renderOpencode } from '../../../src/opencode/render-config.ts'
import { showJsonPath } from '../../../src/opencode/show-path.ts'
import { aContext, aModel, NO_CONTEXT, THREE_MODELS } from './catalogue-samples.ts'

const baseUrl = 'http://localhost:3000'
const LIKE_A_KEY = 'c0ffee'.repeat(5)
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
      "env": ["LLAMA_SWAP_API_KEY"],
      "options": { "baseURL": "http://localhost:8080/v1", "setCacheKey": true },
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

const AT = 'provider.llama-swap'

describe("the gate's settings in a file of the user", () => {
  test('take the place of what was wrong, and leave the rest as it is', () => {
    const { added, replaced, ...merged } = mergeOpencode(documentOf(WRITTEN), OURS)
    expect(merged).toEqual({
      text: `{
  // Everything of mine stays.
  "theme": "tokyonight",
  "model": "anthropic/claude",
  "provider": {
    "anthropic": { "options": { "apiKey": "{env:ANTHROPIC_API_KEY}" } },
    "llama-swap": {
      "npm": "@ai-sdk/openai",
      "name": "My box", // in the cellar
      "env": ["LLAMA_SWAP_API_KEY"],
      "options": { "baseURL": "http://localhost:3000/v1", "setCacheKey": true, "headerTimeout": 900000, "chunkTimeout": 900000 },
      "models": {
        "coder": {
          "name": "My coder",
          "temperature": true,
          "limit": { "context": 32768, "output": 8192 },
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
`,
      left: ['gone'],
      notes: [
        '"compaction": { "reserved": 5000 } does not suit coder, so there is no limit.input there, beside which alone it counts. It stays as it is.',
      ],
    })
    const inModel = `${AT}.models.coder`
    expect(replaced.map(showJsonPath)).toEqual([
      `${AT}.options.baseURL`,
      `${inModel}.limit.context`,
      `${inModel}.limit.output`,
    ])
    expect(added.map(showJsonPath)).toEqual([
      '$schema',
      `${AT}.options.headerTimeout`,
      `${AT}.options.chunkTimeout`,
      `${inModel}.tool_call`,
      `${inModel}.modalities.input`,
      `${inModel}.modalities.output`,
    ])
  })

  test('are all there in an empty file, but for choices that are the owner of the file to make', () => {
    const { text, notes } = mergeOpencode(documentOf('{}'), OURS)
    const { model: _, compaction: __, ...rest } = OURS
    expect(documentOf(text).value).toEqual(rest)
    expect(notes).toEqual([
      'This file chooses no model to begin with. To choose one: "model": "llama-swap/coder".',
    ])
  })

  test('go to the provider that leads to the same gate, whatever its name', () => {
    const theirs = {
      model: 'box/c',
      provider: {
        box: { options: { baseURL: 'http://127.0.0.1:3000' }, models: { c: { id: 'coder' } } },
      },
    }
    const { text, left, notes } = mergeOpencode(documentOf(JSON.stringify(theirs)), OURS)
    const provider = OURS.provider['llama-swap']
    const { name: _, ...coder } = provider?.models['coder'] ?? {}
    expect(documentOf(text).value).toEqual({
      $schema: OURS.$schema,
      model: 'box/c',
      provider: { box: { ...provider, models: { c: { id: 'coder', name: 'coder', ...coder } } } },
    })
    expect({ left, notes }).toEqual({ left: [], notes: [] })
  })

  test.each<[string, JsonPath, unknown]>([
    ['a package', ['npm'], '@ai-sdk/anthropic'],
    ['an address by another name', ['options', 'baseURL'], 'http://127.0.0.1:3000/v1/'],
    ['an address that OpenCode fills in', ['options', 'baseURL'], '{env:BOX}/v1'],
    ['no time-out', ['options', 'headerTimeout'], false],
    ['a longer time-out', ['options', 'chunkTimeout'], 1_800_000],
    ['what somebody says of tools', ['models', 'coder', 'tool_call'], false],
    ['what somebody says of thinking', ['models', 'coder', 'reasoning'], true],
    ['a longer answer', ['models', 'coder', 'limit', 'output'], 16_384],
    ['another variable', ['env'], ['MINE']],
    ['a key beside the variable', ['options', 'apiKey'], '{env:MINE}'],
  ])('leave %s alone: %s', (_, path, value) => {
    const at = ['provider', 'llama-swap', ...path]
    const text = changeJsonc(formatJson(OURS), [{ path: at, value }])
    expect(mergeOpencode(documentOf(text), OURS)).toEqual({
      text,
      added: [],
      replaced: [],
      left: [],
      notes: [],
    })
  })

  test.each<[string, JsonPath, unknown, unknown]>([
    ['a shorter time-out', ['options', 'headerTimeout'], 20_000, 900_000],
    ['another scheme', ['options', 'baseURL'], 'https://localhost:3000/v1', `${baseUrl}/v1`],
    ['another path', ['options', 'baseURL'], `${baseUrl}/v1/chat`, `${baseUrl}/v1`],
    ['a shorter answer', ['models', 'coder', 'limit', 'output'], 4096, 8192],
    ['an answer of half the window and more', ['models', 'coder', 'limit', 'output'], 16_385, 8192],
    ['several variables', ['env'], ['MINE', 'OTHER'], ['LLAMA_SWAP_API_KEY']],
    ['a variable in no list', ['env'], 'MINE', ['MINE']],
  ])('replace %s: %s', (_, ...[path, value, right]) => {
    const at = ['provider', 'llama-swap', ...path]
    const text = changeJsonc(formatJson(OURS), [{ path: at, value }])
    const merged = mergeOpencode(documentOf(text), OURS)
    expect(at.reduce(field, documentOf(merged.text).value)).toEqual(right)
    expect([merged.added, merged.replaced]).toEqual([[], [at]])
  })

  test('reach a model that stands there under another of its names', () => {
    const text = `{ "model": "llama-swap/coder", "provider": { "llama-swap": { "models": {
      "coder": {}, "fast": { "id": "glm-4.7-flash" }, "gone": {} } } } }`
    const models = THREE_MODELS
    const merged = mergeOpencode(documentOf(text), renderOpencode({ baseUrl, models }), { models })
    const written = ['provider', 'llama-swap', 'models'].reduce(
      field,
      documentOf(merged.text).value,
    )
    expect(entries(written).map(([key, model]) => [key, field(model, 'name')])).toEqual([
      ['coder', 'Qwen3 Coder Next (Coding)'],
      ['fast', 'GLM 4.7 Flash (General)'],
      ['gone', undefined],
      ['gpt-oss-120b', 'GPT-OSS 120B (Reasoning)'],
    ])
    expect(merged.left).toEqual(['gone'])
  })

  test.each(['sk-very-secret', LIKE_A_KEY])(
    'come with a word about a key in the place of a name, and do not repeat it: %s',
    (name) => {
      const theirs = { model: 'x/y', provider: { 'llama-swap': { env: [name] } } }
      expect(mergeOpencode(documentOf(JSON.stringify(theirs)), OURS).notes).toEqual([
        'What stands in "env" of llama-swap is no name of a variable, but may be the key itself: take it out of this file.',
      ])
    },
  )

  test('come without that word where the name is that of a variable that is set', () => {
    const theirs = { model: 'x/y', provider: { 'llama-swap': { env: [LIKE_A_KEY] } } }
    const variables = new Set([LIKE_A_KEY])
    const { notes } = mergeOpencode(documentOf(JSON.stringify(theirs)), OURS, { variables })
    expect(notes).toEqual([])
  })

  test('go to the provider that leads to another address of the same gate, which stays', () => {
    const theirs = { provider: { box: { options: { baseURL: 'http://localhost:8000/v1' } } } }
    const gateUrls = ['http://127.0.0.1:8000']
    const { replaced } = mergeOpencode(documentOf(JSON.stringify(theirs)), OURS, { gateUrls })
    expect(replaced).toEqual([])
  })

  test('never reach a server beside the gate, nor a provider of another gate', () => {
    const apiKey = 'sk-of-the-other'
    const ollama = { options: { baseURL: `${baseUrl}/ollama/v1`, apiKey } }
    const beside = documentOf(JSON.stringify({ provider: { ollama } }))
    expect(documentOf(mergeOpencode(beside, OURS).text).value).toMatchObject({
      provider: { ollama, 'llama-swap': OURS.provider['llama-swap'] },
    })
    const another = { options: { baseURL: 'http://work-box:3000/v1', apiKey } }
    const document = documentOf(JSON.stringify({ provider: { 'llama-swap': another } }))
    expect(() => mergeOpencode(document, OURS)).toThrow(AnotherGate)
  })

  test('ask no more of a server in one answer than it gives', () => {
    const models = [aModel('coder', { outputLimit: 2000 })]
    const { text } = mergeOpencode(documentOf(WRITTEN), renderOpencode({ baseUrl, models }))
    expect(text).toContain('"limit": { "context": 131072, "output": 2000 }')
  })

  test.each([{ apiKey: '{env:MINE}' }, { headers: { authorization: 'Bearer {env:MINE}' } }])(
    'name no variable where the key comes from elsewhere: %j',
    (options) => {
      const theirs = JSON.stringify({ provider: { 'llama-swap': { options } } })
      const { added } = mergeOpencode(documentOf(theirs), OURS)
      expect(added.map(showJsonPath)).not.toContain(`${AT}.env`)
    },
  )

  test.each([
    [
      { enabled_providers: ['anthropic'] },
      'OpenCode will not show llama-swap: "enabled_providers" does not name it. Add it there.',
    ],
    [
      { disabled_providers: ['x', 'llama-swap'] },
      'OpenCode will not show llama-swap: "disabled_providers" names it. Take it out there.',
    ],
  ])('come with a word about what hides them: %j', (hidden, note) => {
    const text = JSON.stringify({ model: 'x/y', ...hidden })
    expect(mergeOpencode(documentOf(text), OURS).notes).toEqual([note])
  })

  test('are not written beside the form of OpenCode 2, which would hide them', () => {
    const text = '{ "providers": { "llama-swap": {} } }'
    expect(() => mergeOpencode(documentOf(text), OURS)).toThrow(
      'llama-swap stands in "providers", the form of OpenCode 2, which would hide what is written here. Rename it or take it out',
    )
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
        expect(twice).toEqual({ ...once, added: [], replaced: [] })
      }),
    )
  })
})
