import { describe, expect, test } from 'vitest'
import { leadsToGate } from '../../../src/opencode/check/providers-of-gate.ts'
import type { KnownGate } from '../../../src/opencode/known-gate.ts'
import { AnotherGate, providerToWrite } from '../../../src/opencode/provider-to-write.ts'
import { aCheck } from './check/check-samples.ts'

const GATE = 'http://localhost:13000'
const KEY = 'sk-very-secret'
const LOCAL = 'http://127.0.0.1:8080/v1'

type Urls = readonly [string, ...string[]]

/** The provider that is written where these stand in the file, and the gate has these addresses. */
function chosen(provider: unknown, gateUrls: Urls = [GATE], id = 'llama-swap'): string {
  return providerToWrite({ provider }, { id, gateUrls })
}

/** The gate, where the variable GATE_URL holds this address. */
function gateWith(url: string): KnownGate {
  return {
    gateUrls: [GATE],
    upstreamUrl: 'http://127.0.0.1:8080',
    replaced: (text) => text.replaceAll(/\$?\{(?:env:)?GATE_URL\}/g, url),
  }
}

function at(baseURL: string, options: object = {}): object {
  return { options: { baseURL, ...options } }
}

const ADDRESSES = [
  'http://localhost:13000',
  'http://127.0.0.1:13000/v1/',
  'http://localhost:13000/v1/models?x=1',
  'http://localhost:13000/ollama/v1',
  'http://localhost:13001/v1',
  'https://box/llm',
  'https://box/llm/v1',
  'https://box/llmx/v1',
  'https://box/v1',
]

test.each(ADDRESSES.flatMap((address) => [GATE, 'https://box/llm'].map((gate) => [address, gate])))(
  '%s leads to %s here where it does for the check',
  (address = '', gate = '') => {
    const upstreamUrl = 'http://nowhere.example:9'
    const { gate: facts } = aCheck({ gate: { urls: [gate], isNamed: true, upstreamUrl } })
    const id = leadsToGate(new URL(address), facts) ? 'box' : 'llama-swap'
    expect(chosen({ box: at(address) }, [gate])).toBe(id)
  },
)

describe('the provider to write', () => {
  test.each<[string, Record<string, object>, string, Urls]>([
    ['of its usual name where there is none', {}, 'llama-swap', [GATE]],
    ['that leads to the gate', { box: at('http://127.0.0.1:13000/v1') }, 'box', [GATE]],
    [
      'of its usual name beside another path of the same server',
      { ollama: at(`${GATE}/ollama/v1`) },
      'llama-swap',
      [GATE],
    ],
    [
      'that leads to the path of the gate',
      {
        ollama: at('https://box/ollama/v1'),
        top: at('https://box/v1'),
        box: at('https://box/llm'),
      },
      'box',
      ['https://box/llm'],
    ],
    [
      'that leads to the gate by any of its addresses',
      { box: at('http://localhost:3000/v1') },
      'box',
      ['https://box', 'http://127.0.0.1:3000'],
    ],
    [
      'that leads to the gate, not the one of the usual name that leads to another',
      { 'llama-swap': at('http://work-box:3000/v1', { apiKey: KEY }), home: at(GATE) },
      'home',
      [GATE],
    ],
    [
      'of the usual name, where both lead to the gate',
      { home: at(GATE), 'llama-swap': at(GATE) },
      'llama-swap',
      [GATE],
    ],
  ])('is the one %s', (_, provider, ...[id, gateUrls]) => {
    expect(chosen(provider, gateUrls)).toBe(id)
  })

  test('is the one that the person names, also beside one that leads to the gate', () => {
    expect(chosen({ box: at(GATE) }, [GATE], 'home')).toBe('home')
  })

  test.each<[string, object]>([
    ['nothing in it', {}],
    ['no address', { options: { apiKey: KEY } }],
    ['an address of the gate and a key', at('http://127.0.0.1:13000/v1', { apiKey: KEY })],
    ['an address that OpenCode fills in', at('{env:BOX}/v1', { apiKey: KEY })],
    ['an address without its scheme', at('localhost:13000/v1', { apiKey: KEY })],
    ['another port of this machine', at('http://127.0.0.1:8080/v1')],
    ['another path of this machine', at(`${GATE}/upstream/v1`)],
    ['an empty key', at('http://127.0.0.1:8080/v1', { apiKey: ' ' })],
    ['a header that is no key', at('http://127.0.0.1:8080', { headers: { 'x-team': 'a' } })],
    ['what is no address', at('http://')],
  ])('is the one of the usual name with %s', (_, provider) => {
    expect(chosen({ 'llama-swap': provider })).toBe('llama-swap')
  })

  test("is the one on the gate's own machine, where no key stands", () => {
    expect(chosen({ 'llama-swap': at('http://gpu:8080/v1') }, ['http://gpu:3000'])).toBe(
      'llama-swap',
    )
  })

  test.each<[string, object, string]>([
    ['on another machine', at('http://work-box:3000/v1'), 'http://work-box:3000/v1'],
    ['with a key', at('http://work-box:3000/v1', { apiKey: KEY }), 'http://work-box:3000/v1'],
    ['named by "api"', { api: 'http://work-box:3000' }, 'http://work-box:3000/'],
    [
      'at another port, with a key',
      at('http://localhost:3000/v1', { apiKey: KEY }),
      'http://localhost:3000/v1',
    ],
    [
      'at another path, with a key in a header',
      at(`${GATE}/b/v1`, { headers: { 'X-Api-Key': KEY } }),
      `${GATE}/b/v1`,
    ],
    [
      'with a key in a header of a model',
      { ...at('http://localhost:3000'), models: { m: { headers: { authorization: KEY } } } },
      'http://localhost:3000/',
    ],
    [
      'with a key in its address',
      at('http://me:sk-very-secret@work-box/sk-0123456789abcdef0123/v1?key=sk-very-secret'),
      'http://work-box/<a key>/v1',
    ],
    [
      'at another port of this machine, with a variable of its own',
      { env: ['FIRST_GATE_KEY'], ...at('http://127.0.0.1:3000/v1') },
      'http://127.0.0.1:3000/v1',
    ],
    ['at another port of this machine', at('http://127.0.0.1:3001/v1'), 'http://127.0.0.1:3001/v1'],
    [
      'where OpenCode does not look for it',
      { options: { baseUrl: 'http://box:3000/v1', apiKey: KEY } },
      'http://box:3000/v1',
    ],
    ['with a random path', at('http://box/0123456789abcdef0123/v1'), 'http://box/<a key>/v1'],
    ['with a key and what is no address', at('http://', { apiKey: KEY }), 'elsewhere'],
  ])('is refused where it leads to another gate, %s', (_, ...[provider, where]) => {
    expect(() => chosen({ 'llama-swap': provider })).toThrow(
      new AnotherGate(`provider.llama-swap leads to ${where}: another gate.`, 'home'),
    )
  })

  test.each<[string, Urls]>([
    ['https://gate.example.org:8443/v1', ['https://gate.example.org']],
    ['https://example.org/other/v1', ['https://example.org/llm']],
  ])('is refused at %s beside the gate', (address, gateUrls) => {
    expect(() => chosen({ 'llama-swap': at(address) }, gateUrls)).toThrow(AnotherGate)
  })

  describe('with an address that OpenCode fills in', () => {
    const texts = ['{env:GATE_URL}/v1', '${GATE_URL}/v1']

    test.each(texts)('is the one that leads to the gate: %s', (text) => {
      const document = { provider: { box: at(text, { apiKey: KEY }) } }
      expect(providerToWrite(document, { ...gateWith(GATE), id: 'llama-swap' })).toBe('box')
    })

    test.each(texts)('is the one of the usual name where nobody knows: %s', (text) => {
      const document = { provider: { 'llama-swap': at(text) } }
      expect(providerToWrite(document, { ...gateWith(''), id: 'llama-swap' })).toBe('llama-swap')
    })

    test.each(['http://10.1.1.1:3000', 'http://127.0.0.1:8080'])(
      'is refused where that is %s, for the text stays',
      (url) => {
        const document = { provider: { 'llama-swap': at('{env:GATE_URL}/v1') } }
        expect(() => providerToWrite(document, { ...gateWith(url), id: 'llama-swap' })).toThrow(
          new AnotherGate(`provider.llama-swap leads to ${url}/v1: another gate.`, 'home'),
        )
      },
    )
  })

  test.each<[string, Urls, string]>([
    [GATE, [GATE], 'http://127.0.0.1:8080/v1'],
    ['http://gpu:3000', ['http://gpu:3000'], 'http://gpu:8080/v1'],
    ['https://box', ['https://box', GATE], 'http://box:8080'],
  ])(
    'of %s is the one of the usual name that leads past it to llama-swap, also with a key',
    (_, ...[gateUrls, address]) => {
      const document = { provider: { 'llama-swap': at(address, { apiKey: KEY }) } }
      const gate = { gateUrls, upstreamUrl: 'http://127.0.0.1:8080' }
      expect(providerToWrite(document, { ...gate, id: 'llama-swap' })).toBe('llama-swap')
    },
  )

  test.each<[string, string, string, Urls]>([
    ['llama-swap', 'of this machine where the gate is on another', LOCAL, ['https://box']],
    ['llama-swap', 'of another machine', 'http://other:8080/v1', ['http://box:3000']],
    ['mine', 'that the person has named', LOCAL, [GATE]],
  ])('%s is refused with a key for the llama-swap %s', (id, _, ...[address, gateUrls]) => {
    const document = { provider: { [id]: at(address, { apiKey: KEY }) } }
    const gate = { gateUrls, upstreamUrl: 'http://127.0.0.1:8080' }
    expect(() => providerToWrite(document, { ...gate, id })).toThrow(AnotherGate)
  })

  test('is refused with a name that is not taken', () => {
    const provider = { home: at('http://work-box:3000'), 'home-2': {} }
    expect(() => chosen(provider, [GATE], 'home')).toThrow(
      expect.objectContaining({
        message: 'provider.home leads to http://work-box:3000/: another gate.',
        freeName: 'home-3',
      }),
    )
  })
})
