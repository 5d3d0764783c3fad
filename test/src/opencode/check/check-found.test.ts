import { expect, test } from 'vitest'
import { checkConfig } from '../../../../src/opencode/check/check-config.ts'
import { showJsonPath } from '../../../../src/opencode/show-path.ts'
import { aModel } from '../catalogue-samples.ts'
import { aCheck, CLEAN, mend, type Planted } from './check-samples.ts'

const NAMED = {
  isNamed: true,
  isUpstreamKnown: false,
  urls: ['http://127.0.0.1:3471'],
  urlToAsk: 'http://127.0.0.1:3471',
} as const
const WRITE = '"swapgate opencode --write opencode.json --url http://127.0.0.1:3471"'

/** The gate's own file with another provider at another address. */
function withProvider(id: string, baseURL: string): string {
  return CLEAN.replaceAll('llama-swap', id).replace('http://localhost:3000/v1', baseURL)
}

function told(planted: Planted): string[][] {
  const { findings } = checkConfig(aCheck(planted))
  return findings.map(({ code, severity, fix }) => [code, severity, fix])
}

test.each([
  ['http://127.0.0.1:8080/v1', 'base-url-past-gate'],
  ['http://localhost:8080', 'base-url-past-gate'],
  ['http://127.0.0.1:3471/openai/v1', 'base-url-rubbish'],
])(
  "a provider at %s with the gate's models is compared, and told as %s, and never changed",
  (baseURL, code) => {
    const check = aCheck({ text: withProvider('llama.cpp', baseURL), gate: NAMED })
    const { rows, findings } = checkConfig(check)
    expect(rows.map(({ model, verdict }) => [model, verdict])).toEqual([
      ['coder-1', 'ok'],
      ['talker', 'ok'],
    ])
    expect(findings.map((one) => [one.code, one.severity, one.fix, one.changes])).toEqual([
      [code, 'error', 'Write "http://127.0.0.1:3471/v1".', []],
    ])
    expect(mend(check).text).toBe(check.files[0]?.text)
  },
)

test.each([
  ['http://127.0.0.1:8080/v1', 'base-url-past-gate'],
  ['http://127.0.0.1:3471/openai/v1', 'base-url-rubbish'],
])('a provider at %s with other models is named beside what is missing', (baseURL, code) => {
  const provider = { 'llama.cpp': { options: { baseURL }, models: { phi: {} } } }
  expect(told({ text: JSON.stringify({ provider }), gate: NAMED })).toEqual([
    ['provider-missing', 'error', `${WRITE} adds it.`],
    [code, 'warning', 'Write "http://127.0.0.1:3471/v1", if llama.cpp is meant for the gate.'],
  ])
})

test('without a gate to ask, a provider at the usual port of llama-swap is named', () => {
  const text = withProvider('llama.cpp', 'http://127.0.0.1:8080/v1')
  const gate = { isSure: false, isUpstreamKnown: false, urlToAsk: 'http://localhost:3000' }
  expect(told({ text, gate, models: undefined })).toEqual([
    ['nothing-to-compare', 'warning', 'Ask a gate that runs: --url http://<box>:3000'],
    [
      'provider-missing',
      'warning',
      '"swapgate opencode --write opencode.json --url http://localhost:3000" adds it. If the gate is elsewhere, name it with --url.',
    ],
    [
      'base-url-past-gate',
      'warning',
      'If the gate is there: write "http://localhost:3000/v1", if llama.cpp is meant for the gate.',
    ],
  ])
})

test.each([
  [
    'http://localhost:11434/v1',
    ` ollama has models of the gate, but leads to localhost:11434; if it is meant for the gate, its baseURL is "http://127.0.0.1:3471/v1".`,
  ],
  ['https://api.groq.com/openai/v1', ''],
])('a provider with the same models at %s is named where it may be a gate', (baseURL, more) => {
  expect(told({ text: withProvider('ollama', baseURL), gate: NAMED })).toEqual([
    ['provider-missing', 'error', `${WRITE} adds it.${more}`],
  ])
})

test('an address in a field that OpenCode does not read is the one that is meant, and is mended', () => {
  const text = CLEAN.replaceAll('llama-swap', 'box').replace('baseURL', 'baseUrl')
  const { fixed, report } = mend(aCheck({ text }))
  expect(fixed.map(({ code, path }) => [code, showJsonPath(path)])).toEqual([
    ['base-url-missing', 'provider.box.options.baseURL'],
  ])
  expect(report.rows.map(({ verdict }) => verdict)).toEqual(['ok', 'ok'])
  expect(report.findings).toEqual([])
})

test.each<[Planted, string]>([
  [
    { gate: NAMED, machine: { keyVariable: 'BOX_KEY' } },
    `${WRITE.slice(0, -1)} --key-env BOX_KEY"`,
  ],
  [{}, '"swapgate opencode --write opencode.json"'],
])('the next step is a command that works as it is written', (planted, command) => {
  const text = JSON.stringify({ provider: { 'llama-swap': {} } })
  const { findings } = checkConfig(aCheck({ ...planted, text }))
  const fixes = findings.map(({ code, fix }) => [code, fix])
  expect(fixes).toContainEqual(['provider-without-models', `${command} adds them.`])
  expect(fixes).toContainEqual(['model-missing', `${command} adds what is missing.`])
})

test('a list of models is told as what OpenCode refuses, and not by the numbers in it', () => {
  const set = [[['provider', 'llama-swap', 'models'], ['coder-1']]] as const
  const { rows, findings } = checkConfig(aCheck({ set: [...set, [['model'], undefined]] }))
  expect(rows).toEqual([])
  expect(findings.map(({ code, message }) => [code, message])).toEqual([
    [
      'invalid-field',
      'OpenCode does not start with this: models must be an object: { … }, but is a list.',
    ],
  ])
})

test("the gate's port of a machine that may be this one is asked about, and no error", () => {
  const text = withProvider('home', 'http://vm.local:3000/v1')
  expect(told({ text })).toEqual([
    [
      'provider-missing',
      'warning',
      'If home is for this gate, check with --url http://vm.local:3000. If not, "swapgate opencode --write opencode.json" adds it.',
    ],
  ])
})

test.each<[string, Planted, string[]]>([
  [
    'another gate has the usual name',
    {
      text: JSON.stringify({
        provider: {
          'llama-swap': {
            npm: '@ai-sdk/openai-compatible',
            options: { baseURL: 'http://vm:3471/v1', apiKey: '{env:VM_KEY}' },
          },
        },
      }),
      gate: NAMED,
    },
    ['provider-without-models', 'model-missing'],
  ],
  [
    'another gate has the usual name in the form of OpenCode 2',
    {
      text: JSON.stringify({
        providers: { 'llama-swap': { settings: { baseURL: 'http://vm:3471/v1' } } },
      }),
      gate: NAMED,
    },
    ['provider-missing'],
  ],
  [
    'both forms have the usual name',
    {
      set: [[['providers', 'llama-swap'], {}]],
      models: [aModel('coder-1'), aModel('talker'), aModel('new')],
      gate: { ...NAMED, urls: ['http://localhost:3000'] },
    },
    ['model-missing'],
  ],
])('where %s, the command takes another name', (_, planted, codes) => {
  const named = `${WRITE.replace(' --url', ' --provider home --url')} adds`
  const fixes = told(planted).filter(([, , fix]) => fix?.startsWith(named))
  expect(fixes.map(([code]) => code)).toEqual(codes)
})

test('the name that the command takes is a free one', () => {
  const taken = { settings: { baseURL: 'http://vm:3471/v1' } }
  const text = JSON.stringify({ providers: { 'llama-swap': taken, home: taken } })
  expect(told({ text, gate: NAMED })[0]?.[2]).toContain('--provider home-2 ')
})
