import { CLEAN, MODEL, OPTIONS, PROVIDER, type PlantedFault } from './check-samples.ts'

const NPM = [...PROVIDER, 'npm']
const ENV = [...PROVIDER, 'env']
const BASE_URL = [...OPTIONS, 'baseURL']
const API_KEY = [...OPTIONS, 'apiKey']
const NOTHING_SET = { machine: { variables: new Set<string>() } }

/** Faults of the file itself and of the provider. */
export const PROVIDER_FAULTS: PlantedFault[] = [
  {
    code: 'invalid-field',
    severity: 'error',
    set: [[['compaction', 'reserved'], -1]],
    left: ['invalid-field'],
    says: 'OpenCode does not start with this: reserved must be at least 0.',
  },
  {
    code: 'invalid-field',
    severity: 'error',
    set: [[['agent', 'plan', 'disable'], 'yes']],
    left: ['invalid-field'],
    says: 'OpenCode does not start with this: disable must be true or false, but is text in quotes.',
  },
  {
    code: 'invalid-field',
    severity: 'error',
    set: [[['provider', 'other'], { models: { m: { limit: { context: 1 } } } }]],
    at: 'provider.other.models.m.limit.output',
    left: ['invalid-field'],
    says: 'OpenCode does not start with this: output is missing; it must be a number.',
  },
  {
    code: 'env-unset',
    severity: 'warning',
    set: [[[...MODEL, 'headers', 'x-team'], '{env:TEAM}']],
    left: ['env-unset'],
  },
  {
    code: 'file-missing',
    severity: 'error',
    set: [[API_KEY, '{file:./no-key}']],
    left: ['file-missing'],
  },
  {
    code: 'provider-missing',
    severity: 'error',
    text: '{ "theme": "dark" }',
    at: 'provider',
    left: ['provider-missing'],
  },
  {
    code: 'provider-id',
    severity: 'hint',
    text: CLEAN.replaceAll('"llama-swap"', '"openai-box"').replace('llama-swap/', 'openai-box/'),
    at: 'provider.openai-box',
    left: ['provider-id'],
    says: 'OpenCode takes a provider whose id begins so for another one: it repeats a 404.',
  },
  {
    code: 'provider-id',
    severity: 'hint',
    text: CLEAN.replaceAll('"llama-swap"', '"zai"').replace('llama-swap/', 'zai/'),
    at: 'provider.zai',
    left: ['provider-id'],
    says: 'OpenCode takes a provider whose id begins so for another one: it changes the messages.',
  },
  {
    code: 'provider-disabled',
    severity: 'error',
    set: [[['disabled_providers'], ['llama-swap', 'x']]],
  },
  { code: 'provider-disabled', severity: 'error', set: [[['enabled_providers'], ['anthropic']]] },
  {
    code: 'provider-in-v2-form',
    severity: 'warning',
    set: [[['providers', 'llama-swap'], {}]],
    left: ['provider-in-v2-form'],
  },
  {
    code: 'provider-without-models',
    severity: 'error',
    set: [[[...PROVIDER, 'models'], {}]],
    at: 'provider.llama-swap',
    with: ['choice-missing', 'model-missing', 'model-missing'],
    left: ['provider-without-models', 'choice-missing', 'model-missing', 'model-missing'],
  },
  { code: 'npm-missing', severity: 'hint', set: [[NPM, undefined]], at: 'provider.llama-swap' },
  { code: 'npm-wrong', severity: 'warning', set: [[NPM, '@ai-sdk/openai']] },
  {
    code: 'proxy-in-between',
    severity: 'warning',
    machine: { variables: new Set(['LLAMA_SWAP_API_KEY', 'HTTP_PROXY']), noProxy: 'example.com' },
    at: 'provider.llama-swap.options.baseURL',
    left: ['proxy-in-between'],
    says: 'HTTP_PROXY is set, and NO_PROXY does not name localhost: OpenCode asks that proxy for the gate.',
  },
]

/** Faults of the address. */
export const ADDRESS_FAULTS: PlantedFault[] = [
  { code: 'base-url-missing', severity: 'error', set: [[BASE_URL, undefined]] },
  { code: 'base-url-invalid', severity: 'error', set: [[BASE_URL, 'localhost:3000/v1']] },
  { code: 'base-url-past-gate', severity: 'error', set: [[BASE_URL, 'http://localhost:8080/v1']] },
  { code: 'base-url-past-gate', severity: 'error', set: [[BASE_URL, 'http://gpu-box:8080']] },
  {
    code: 'base-url-past-gate',
    severity: 'error',
    set: [[BASE_URL, 'http://gpu-box:8080/v1']],
    gate: { urls: ['http://gpu-box:3000'], isNamed: true },
  },
  {
    code: 'base-url-other-host',
    severity: 'warning',
    set: [[BASE_URL, 'http://old-box:3000/v1']],
    gate: { isNamed: true },
    says: 'baseURL leads to old-box:3000, not to the gate that was asked, localhost:3000.',
  },
  { code: 'base-url-without-v1', severity: 'error', set: [[BASE_URL, 'http://127.0.0.1:3000/']] },
  {
    code: 'base-url-without-v1',
    severity: 'error',
    set: [[BASE_URL, 'https://home.example/llm']],
    gate: { urls: ['https://home.example/llm'] },
  },
  {
    code: 'base-url-rubbish',
    severity: 'error',
    set: [[BASE_URL, 'http://localhost:3000/v1/chat/completions']],
  },
  {
    code: 'base-url-rubbish',
    severity: 'error',
    set: [
      [[...PROVIDER, 'api'], 'http://localhost:3000/v1?key=1'],
      [BASE_URL, undefined],
    ],
  },
]

/** Faults of the key and of time. */
export const KEY_FAULTS: PlantedFault[] = [
  {
    code: 'key-literal',
    severity: 'warning',
    set: [[API_KEY, 'sk-very-secret']],
    says: 'The key stands in the file, where everybody who gets the file can read it.',
  },
  {
    code: 'key-literal',
    severity: 'error',
    set: [[API_KEY, 'sk-very-secret']],
    machine: { isShared: true },
    says: 'The key stands in the file, and git does not ignore the file: the key ends up in the repository.',
  },
  {
    code: 'key-literal',
    severity: 'warning',
    set: [[[...OPTIONS, 'headers', 'Authorization'], 'Bearer sk-very-secret']],
  },
  {
    code: 'key-literal',
    severity: 'warning',
    set: [[[...MODEL, 'headers', 'x-api-key'], 'sk-very-secret']],
  },
  { code: 'key-empty', severity: 'error', set: [[API_KEY, '']] },
  {
    code: 'key-env-unset',
    severity: 'error',
    set: [
      [API_KEY, '{env:BOX_KEY}'],
      [ENV, undefined],
    ],
    left: ['key-variable-unset'],
    says: 'BOX_KEY is not set here, and OpenCode sends no key at all then, not even a stored one.',
  },
  { code: 'key-env-trap', severity: 'hint', set: [[API_KEY, '{env:LLAMA_SWAP_API_KEY}']] },
  { code: 'key-variable-missing', severity: 'warning', set: [[ENV, undefined]] },
  {
    code: 'key-variable-unset',
    severity: 'warning',
    ...NOTHING_SET,
    at: 'provider.llama-swap.env',
    left: ['key-variable-unset'],
  },
  {
    code: 'timeout-too-short',
    severity: 'warning',
    set: [[[...OPTIONS, 'headerTimeout'], 20_000]],
    says: 'OpenCode gives up after 20 s, before the first heartbeat of the gate can arrive.',
  },
  { code: 'timeout-too-short', severity: 'warning', set: [[[...OPTIONS, 'chunkTimeout'], 15_000]] },
  {
    code: 'timeout-too-short',
    severity: 'warning',
    set: [[[...OPTIONS, 'timeout'], 300_000]],
    says: 'OpenCode gives up after 300 s, the whole answer and the loading of the model included.',
  },
  {
    code: 'timeout-too-short',
    severity: 'warning',
    set: [[[...OPTIONS, 'headerTimeout'], undefined]],
    gate: { heartbeat: { afterMs: 0, everyMs: 15_000 } },
    says: 'OpenCode gives up after 300 s (its default), and the gate sends no heartbeats while a model loads.',
  },
]
