import { expect, test } from 'vitest'
import type { GateFacts } from '../../../../src/opencode/check/check-input.ts'
import { checkConfig } from '../../../../src/opencode/check/check-config.ts'
import { providersOfGate } from '../../../../src/opencode/check/providers-of-gate.ts'
import { readProviders } from '../../../../src/opencode/check/read-written.ts'
import { aCheck, LIMIT, mend, OPTIONS, type Planted } from './check-samples.ts'

const BASE_URL = [...OPTIONS, 'baseURL']
const ANOTHER = 'https://home.example/llm/v1'

function ours(addresses: Record<string, string>, gate: Partial<GateFacts> = {}): string[] {
  const provider = Object.fromEntries(
    Object.entries(addresses).map(([id, baseURL]) => [id, { options: { baseURL } }]),
  )
  const check = aCheck({ text: JSON.stringify({ provider }), gate })
  return providersOfGate(check, readProviders(check)).map(({ id }) => id)
}

test.each<[string, Record<string, string>, string[], Partial<GateFacts>]>([
  ['its address', { box: 'http://127.0.0.1:3000/v1' }, ['box'], {}],
  ['its address in a variable', { box: '{env:GATE}/v1' }, ['box'], {}],
  ['the address of llama-swap behind it', { box: 'http://localhost:8080/v1' }, ['box'], {}],
  [
    "the port of llama-swap on the gate's machine",
    { box: 'http://gpu:8080' },
    ['box'],
    { urls: ['http://gpu:3000'], isNamed: true },
  ],
  ['its usual name', { 'llama-swap': ANOTHER }, ['llama-swap'], {}],
  [
    'its address, and not its usual name',
    { 'llama-swap': ANOTHER, box: 'http://localhost:3000/v1' },
    ['box'],
    {},
  ],
  [
    'both',
    { 'llama-swap': 'localhost', box: 'http://localhost:3000/v1' },
    ['llama-swap', 'box'],
    {},
  ],
  ['nothing: Ollama', { ollama: 'http://localhost:11434/v1' }, [], {}],
  ['nothing: a server in the cloud', { groq: 'https://api.groq.com/openai/v1' }, [], {}],
  ['nothing: another path of the same server', { x: 'http://localhost:3000/ollama/v1' }, [], {}],
  [
    'nothing: what listens on this machine where the gate is on another',
    { llamacpp: 'http://localhost:8080/v1' },
    [],
    { urls: ['http://gpu:3000'], isNamed: true },
  ],
])("a provider is the gate's by %s", (_, addresses, ...[expected, gate]) => {
  expect(ours(addresses, gate)).toEqual(expected)
})

test.each<[string, Planted]>([
  [
    'Ollama',
    {
      text: '{ "provider": { "ollama": { "options": { "baseURL": "http://localhost:11434/v1" }, "models": { "coder-1": {} } } } }',
    },
  ],
  [
    'a server in the cloud with a model of the same name',
    {
      text: '{ "provider": { "groq": { "options": { "baseURL": "https://api.groq.com/openai/v1" }, "models": { "talker": {} } } } }',
    },
  ],
  [
    'another gate, beside one for this',
    {
      set: [
        [BASE_URL, ANOTHER],
        [
          ['provider', 'box2'],
          {
            npm: '@ai-sdk/openai-compatible',
            env: ['LLAMA_SWAP_API_KEY'],
            options: { baseURL: 'http://localhost:3000/v1' },
            models: { talker: { limit: { context: 131_072, input: 131_072, output: 16_384 } } },
          },
        ],
      ],
      gate: { isNamed: true },
    },
  ],
])('--fix leaves %s as it is', (_, planted) => {
  const check = aCheck(planted)
  expect(mend(check).text).toBe(check.files[0]?.text)
})

test.each([
  [
    'http://localhost:3999',
    'base-url-other-host',
    { isNamed: true, urls: ['http://localhost:3999'] },
  ],
  ['localhost:3000', 'base-url-invalid', {}],
  ['http://localhost:3000', 'base-url-without-v1', {}],
  ['http://localhost:8080/v1', 'base-url-past-gate', {}],
] as const)(
  'no address is changed to %s where nobody knows whether the gate is there',
  (address, code, gate) => {
    const check = aCheck({
      set: [[BASE_URL, code === 'base-url-other-host' ? 'http://localhost:3000/v1' : address]],
      gate: { ...gate, isSure: false },
    })
    expect(checkConfig(check).findings.map((one) => [one.code, one.changes])).toEqual([[code, []]])
  },
)

test('keeps the path in front of another gate', () => {
  const check = aCheck({ set: [[BASE_URL, `${ANOTHER}/models`]] })
  expect(checkConfig(check).findings.map(({ code, fix, changes }) => [code, fix, changes])).toEqual(
    [
      ['base-url-rubbish', `Write "${ANOTHER}".`, []],
      ['base-url-elsewhere', 'Ask that gate: --url https://home.example/llm', []],
    ],
  )
})

test('a provider of another gate is compared with nothing, and told so', () => {
  const check = aCheck({
    set: [
      [BASE_URL, 'http://me:secret@work-box:3000/v1?key=1'],
      [[...LIMIT, 'context'], 200_000],
      [['compaction', 'auto'], false],
    ],
  })
  const { rows, findings } = checkConfig(check)
  expect(rows.map(({ model, verdict }) => [model, verdict])).toEqual([
    ['coder-1', 'not-compared'],
    ['talker', 'not-compared'],
  ])
  expect(findings.map(({ code, fix, changes }) => [code, fix, changes])).toEqual([
    [
      'base-url-key',
      'If there is a key in it, first export LLAMA_SWAP_API_KEY=<the key>. Write "http://work-box:3000/v1".',
      [],
    ],
    ['compaction-off', 'Write "auto": true, unless you want to do it by hand.', []],
    ['base-url-elsewhere', 'Ask that gate: --url http://work-box:3000', []],
  ])
})

test('nobody is sent to another provider to ask what models there are', () => {
  const groq = { options: { baseURL: 'https://api.groq.com/openai/v1' } }
  const check = aCheck({ text: JSON.stringify({ provider: { groq } }), models: undefined })
  expect(checkConfig(check).findings.map(({ code, fix }) => [code, fix])).toContainEqual([
    'nothing-to-compare',
    'Ask a gate that runs: --url http://<box>:3000',
  ])
})

test.each([
  [{ isSure: false, isUpstreamKnown: false }, []],
  [{ isSure: true, isUpstreamKnown: false }, []],
  [{ isSure: true, isUpstreamKnown: true }, ['llamacpp']],
])("a person's own llama.cpp is no llama-swap behind a gate, with %j: %j", (gate, expected) => {
  expect(ours({ llamacpp: 'http://127.0.0.1:8080/v1' }, gate)).toEqual(expected)
})

test.each([
  ['llama-swap', ['output-too-large']],
  ['box', []],
])('where nobody knows whether the gate is there, --fix mends of %s: %j', (id, mended) => {
  const check = aCheck({ set: [[[...LIMIT, 'output'], 65_536]] })
  const text = check.files.map((file) => file.text.replaceAll('llama-swap', id)).join('')
  const { fixed } = mend(aCheck({ text, gate: { isSure: false } }))
  expect(fixed.map(({ code }) => code)).toEqual(mended)
})

test('an address in a variable is looked at, and never changed', () => {
  const check = aCheck({
    set: [[BASE_URL, '{env:GATE}']],
    machine: { variables: new Set(['GATE', 'LLAMA_SWAP_API_KEY']) },
  })
  expect(checkConfig(check).findings.map(({ code, changes }) => [code, changes])).toEqual([
    ['base-url-without-v1', []],
  ])
})

test('where nobody has said where the gate is, a file without it is no error', () => {
  const check = aCheck({ text: '{}', gate: { isSure: false } })
  expect(
    checkConfig(check).findings.map(({ code, severity, fix }) => [code, severity, fix]),
  ).toEqual([
    [
      'provider-missing',
      'warning',
      '"swapgate opencode --write opencode.json" adds it. If the gate is elsewhere, name it with --url.',
    ],
  ])
})
