import { expect, test } from 'vitest'
import type { GateFacts } from '../../../../../src/opencode/check/check-input.ts'
import { checkConfig } from '../../../../../src/opencode/check/check-config.ts'
import { aCheck, mend, OPTIONS, type Planted } from '../check-samples.ts'

const BASE_URL = [...OPTIONS, 'baseURL']

function told(baseURL: string, gate: Partial<GateFacts> = {}): string[][] {
  const { findings } = checkConfig(aCheck({ set: [[BASE_URL, baseURL]], gate }))
  return findings.map(({ code, severity, fix }) => [code, severity, fix])
}

const NAMED = { isNamed: true, urls: ['http://127.0.0.1:3000'] } satisfies Partial<GateFacts>
const BEHIND_TLS = {
  urls: ['https://home.example', 'http://127.0.0.1:3000'],
} satisfies Partial<GateFacts>

test.each<[string, Partial<GateFacts>]>([
  ['http://localhost:3000/v1', NAMED],
  ['http://localhost:3000/v1', { isNamed: true, urls: ['http://[::1]:3000'] }],
  ['http://[::1]:3000/v1', { isNamed: true, urls: ['http://[::1]:3000'] }],
  ['http://[::1]:3000/v1', { isNamed: true }],
  ['https://home.example:443/v1', BEHIND_TLS],
  ['http://localhost:3000/v1', BEHIND_TLS],
])('%s is right for a gate with %j', (baseURL, gate) => {
  expect(told(baseURL, gate)).toEqual([])
})

test.each<[string, Partial<GateFacts>, string[]]>([
  [
    'https://127.0.0.1:3000/v1',
    NAMED,
    ['base-url-scheme', 'error', 'Write "http://127.0.0.1:3000/v1".'],
  ],
  [
    'http://home.example/v1',
    BEHIND_TLS,
    ['base-url-scheme', 'error', 'Write "https://home.example/v1".'],
  ],
  [
    'https://localhost:3000/v1',
    BEHIND_TLS,
    ['base-url-scheme', 'error', 'Write "http://127.0.0.1:3000/v1".'],
  ],
  [
    'http://[::1]:3000/v1',
    NAMED,
    ['base-url-other-host', 'warning', 'Write "http://127.0.0.1:3000/v1".'],
  ],
  [
    'http://127.0.0.1:3000/v1',
    { isNamed: true, urls: ['http://[::1]:3000'] },
    ['base-url-other-host', 'warning', 'Write "http://[::1]:3000/v1".'],
  ],
  [
    'https://box/v1',
    { isNamed: true, urls: ['http://box'] },
    ['base-url-other-host', 'warning', 'Write "http://box/v1".'],
  ],
])('%s is wrong for a gate with %j', (baseURL, gate, expected) => {
  expect(told(baseURL, gate)).toEqual([expected])
})

test.each<[string, Partial<GateFacts>]>([
  ['http://me:sk-only-copy@localhost:3000/v1', {}],
  ['http://sk-only-copy@localhost:3000/v1', {}],
  ['http://localhost:3000/v1?api_key=sk-only-copy', {}],
  ['http://localhost:3000/v1/models?a=sk-very-secret&b=sk-only-copy', {}],
  ['http://localhost:3000/v1#sk-only-copy', {}],
  ['http://me:sk-only-copy@localhost:8080/v1', {}],
  ['https://me:sk-only-copy@localhost:3000/v1', {}],
  ['http://me:sk-only-copy@127.0.0.1:3000/v1', { isNamed: true, urls: ['http://[::1]:3000'] }],
  ['me:sk-only-copy@localhost:3000/v1', {}],
])('--fix leaves %s while no variable holds the key in it', (baseURL, gate) => {
  const { text, report } = mend(aCheck({ set: [[BASE_URL, baseURL]], gate }))
  expect(text).toContain(baseURL)
  expect(report.findings[0]?.fix).toMatch(
    /^If there is a key in it, first export LLAMA_SWAP_API_KEY=<the key>\. Write "http:\/\//,
  )
  expect(JSON.stringify(report)).not.toContain('sk-')
})

test('a key in an address goes where a variable holds it, however it is written there', () => {
  const check = aCheck({ set: [[BASE_URL, 'http://me:sk%2Dvery%2Dsecret@localhost:3000/v1']] })
  expect(mend(check).text).toContain('"baseURL": "http://localhost:3000/v1"')
})

test.each<[string, Planted['set']]>([
  ['options.baseurl', [[[...OPTIONS, 'baseurl'], 'http://work-box:3000/v1?key=sk-only-copy']]],
  ['options.base_url', [[[...OPTIONS, 'base_url'], 'http://work-box:3000/v1']]],
  ['baseURL', [[['provider', 'llama-swap', 'baseURL'], 'http://work-box:3000']]],
])('%s of another gate is told, and not led to this one', (name, set = []) => {
  const check = aCheck({ set: [...set, [BASE_URL, undefined]] })
  expect(
    checkConfig(check).findings.map(({ code, message, fix, changes }) => [
      code,
      message,
      fix,
      changes,
    ]),
  ).toEqual([
    [
      'base-url-missing',
      `${name} is not read: without options.baseURL, OpenCode asks OpenAI.`,
      'Write "http://work-box:3000/v1".',
      [],
    ],
  ])
})

const PREFIX = 'https://example.org/llm'

test.each<[string, Partial<GateFacts>, string[]]>([
  [
    'https://example.org/other/v1',
    { urls: [PREFIX] },
    ['base-url-elsewhere', 'hint', 'Ask that gate: --url https://example.org/other'],
  ],
  [
    'https://example.org/llm-2/v1',
    { urls: [PREFIX] },
    ['base-url-elsewhere', 'hint', 'Ask that gate: --url https://example.org/llm-2'],
  ],
  [
    'http://example.org/other/v1',
    { urls: [PREFIX] },
    ['base-url-elsewhere', 'hint', 'Ask that gate: --url http://example.org/other'],
  ],
  [
    'https://example.org/other/v1',
    { urls: [PREFIX], isNamed: true },
    ['base-url-other-host', 'warning', `Write "${PREFIX}/v1".`],
  ],
])(
  '%s leads beside the path behind which the gate with %j stands, and is not changed',
  (baseURL, gate, expected) => {
    const check = aCheck({ set: [[BASE_URL, baseURL]], gate })
    expect(told(baseURL, gate)).toEqual([expected])
    expect(mend(check).text).toBe(check.files[0]?.text)
  },
)

test('what stands behind the path of the gate and /v1 is taken away', () => {
  const check = aCheck({ set: [[BASE_URL, `${PREFIX}/v1/models`]], gate: { urls: [PREFIX] } })
  expect(mend(check).text).toContain(`"${PREFIX}/v1"`)
})

test.each<[string, Partial<GateFacts>, string]>([
  ['http://gpu-box:8080/v1', {}, 'http://gpu-box:3000'],
  ['http://gpu-box:8080', { urls: ['https://home.example'] }, 'https://home.example'],
  ['http://a:9292/v1', { upstreamUrl: 'http://127.0.0.1:9292' }, 'http://a:3000'],
])('%s may be past the gate with %j, or another box, so that one is asked: %s', (...all) => {
  const [baseURL, gate, url] = all
  expect(told(baseURL, gate)).toEqual([
    ['base-url-past-gate', 'warning', `If it is, ask with --url ${url}`],
  ])
})
