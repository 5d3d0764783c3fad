import { describe, expect, test } from 'vitest'
import type { GateFacts } from '../../../../src/opencode/check/check-input.ts'
import { checkConfig } from '../../../../src/opencode/check/check-config.ts'
import { FILE_FAULTS, type Finding } from '../../../../src/opencode/check/finding.ts'
import { showJsonPath } from '../../../../src/opencode/show-path.ts'
import { aContext, aModel } from '../catalogue-samples.ts'
import {
  aCheck,
  CLEAN,
  LIMIT,
  mend,
  MODEL,
  OPTIONS,
  PROVIDER,
  type Planted,
} from './check-samples.ts'
import { LIMIT_FAULTS, MODEL_FAULTS } from './planted-models.ts'
import { ADDRESS_FAULTS, KEY_FAULTS, PROVIDER_FAULTS } from './planted-settings.ts'

const FAULTS = [
  ...PROVIDER_FAULTS,
  ...ADDRESS_FAULTS,
  ...KEY_FAULTS,
  ...MODEL_FAULTS,
  ...LIMIT_FAULTS,
]

const codes = (findings: readonly Finding[]): string[] =>
  findings.map(({ code }) => code).toSorted()

describe('the check of a configuration', () => {
  test('finds nothing wrong with what the gate itself writes', () => {
    expect(checkConfig(aCheck())).toEqual({
      rows: ['coder-1', 'talker'].map((model) => ({
        model,
        written: { context: 131_072, input: 131_072, output: 16_384 },
        real: aContext(131_072),
        compactsAt: 114_688,
        verdict: 'ok',
      })),
      findings: [],
    })
    expect(mend(aCheck()).text).toBe(CLEAN)
  })

  test.each(FAULTS)('finds $code ($severity), and nothing else: $set', (fault) => {
    const { code, severity, with: more = [], says, set = [] } = fault
    const { findings } = checkConfig(aCheck(fault))
    const found = findings.filter((one) => one.code === code)
    const at = fault.at ?? showJsonPath(set[0]?.[0] ?? [])
    expect(codes(findings)).toEqual([code, ...more].toSorted())
    expect(found.map((one) => [one.severity, showJsonPath(one.path)])).toContainEqual([
      severity,
      at,
    ])
    expect(found[0]?.message).toBe(says)
    expect(JSON.stringify(findings)).not.toContain('very-secret')
  })

  test.each(FAULTS)('mends $code, or leaves it told: $set', ({ left = [], ...fault }) => {
    const { text, report } = mend(aCheck(fault))
    expect(codes(report.findings)).toEqual(left.toSorted())
    expect(text).not.toContain('very-secret')
    expect(mend(aCheck({ ...fault, set: [], text })).text).toBe(text)
  })

  test('has a planted fault for every code', () => {
    expect(new Set(FAULTS.map(({ code }) => code))).toEqual(new Set(FILE_FAULTS))
  })

  test.each<[string, Planted]>([
    [
      'the same address by another name',
      { set: [[[...OPTIONS, 'baseURL'], 'http://127.0.0.1:3000/v1/']] },
    ],
    [
      'an address that only OpenCode knows',
      { set: [[[...OPTIONS, 'baseURL'], '{env:LLAMA_SWAP_API_KEY}/v1']] },
    ],
    ['a key in a file', { set: [[[...OPTIONS, 'apiKey'], '{file:./key}']] }],
    [
      'a key in a file, in a header',
      { set: [[[...OPTIONS, 'headers', 'x-api-key'], '{file:./key}']] },
    ],
    [
      'a key in a header, from a variable',
      {
        set: [
          [[...OPTIONS, 'headers', 'Authorization'], 'Bearer {env:LLAMA_SWAP_API_KEY}'],
          [[...PROVIDER, 'env'], undefined],
        ],
      },
    ],
    [
      'a stored key, and no variable',
      { machine: { variables: new Set(), storedKeys: new Set(['llama-swap', 'other']) } },
    ],
    [
      'a stored key, and no word about a variable',
      {
        set: [[[...PROVIDER, 'env'], undefined]],
        machine: { storedKeys: new Set(['llama-swap']) },
      },
    ],
    ["Anthropic's dialect", { set: [[[...PROVIDER, 'npm'], '@ai-sdk/anthropic']] }],
    [
      "a model of another provider, which may be one of OpenCode's own",
      { set: [[['model'], 'anthropic/claude']] },
    ],
    [
      'a provider that sounds alike, with a stored key',
      {
        set: [[['model'], 'lama-swap/big']],
        machine: { storedKeys: new Set(['lama-swap']) },
      },
    ],
    ['a model that has been tried', { set: [[[...MODEL, 'status'], 'beta']] }],
    ['an answer as long as another machine may ask for', { set: [[[...LIMIT, 'output'], 32_000]] }],
    ['no time-out at all', { set: [[[...OPTIONS, 'timeout'], false]] }],
    [
      'a proxy that leaves the gate out',
      {
        machine: {
          variables: new Set(['LLAMA_SWAP_API_KEY', 'http_proxy']),
          noProxy: '.local, localhost:3000',
        },
      },
    ],
    ['a longer answer', { set: [[[...LIMIT, 'output'], 32_000]] }],
    ['a reserve that is not too large', { set: [[['compaction', 'reserved'], 30_000]] }],
    ['a few tokens less than there are', { set: [[[...LIMIT, 'input'], 130_000]] }],
    [
      'another key and the name in "id"',
      {
        set: [
          [
            [...PROVIDER, 'models', 'talker'],
            { id: 'talker', limit: { context: 131_072, input: 131_072, output: 16_384 } },
          ],
        ],
      },
    ],
    [
      'another provider',
      {
        set: [
          [
            ['provider', 'other'],
            { npm: '@ai-sdk/openai', options: { apiKey: 'x', baseURL: 'https://other.example' } },
          ],
        ],
      },
    ],
    [
      'a title by a model that stays loaded',
      {
        set: [[['small_model'], 'llama-swap/talker']],
        box: {
          fileName: 'config.yaml',
          faults: new Map(),
          groups: [
            {
              id: 'both',
              swap: false,
              exclusive: true,
              persistent: false,
              members: ['coder-1', 'talker'],
            },
          ],
        },
      },
    ],
    [
      'a model whose context nobody knows',
      {
        models: [
          aModel('coder-1', {
            context: { tokens: undefined, source: 'unknown', why: 'no --ctx-size' },
          }),
          aModel('talker'),
        ],
      },
    ],
  ])('has nothing against %s', (_, planted) => {
    expect(checkConfig(aCheck(planted)).findings).toEqual([])
  })

  test('says where each finding is, errors first', () => {
    const { findings } = checkConfig(
      aCheck({
        set: [
          [[...PROVIDER, 'npm'], undefined],
          [[...LIMIT, 'output'], 0],
        ],
      }),
    )
    expect(findings.map(({ code, where }) => [code, where])).toEqual([
      ['output-zero', 'opencode.json:18'],
      ['npm-missing', 'opencode.json:5'],
    ])
  })

  test.each<[string, Partial<GateFacts>, string]>([
    ['http://localhost:8080/v1', {}, 'http://localhost:3000/v1'],
    [
      'http://gpu-box:8080',
      { urls: ['http://gpu-box:3000'], isNamed: true },
      'http://gpu-box:3000/v1',
    ],
  ])('leads %s, past a gate with %j, to %s', (written, gate, right) => {
    const check = aCheck({ set: [[[...OPTIONS, 'baseURL'], written]], gate })
    expect(checkConfig(check).findings.map(({ code, fix }) => [code, fix])).toEqual([
      ['base-url-past-gate', `Write "${right}".`],
    ])
  })

  test.each([
    ['refused-flag', 'error'],
    ['cut-number', 'error'],
    ['flag-twice', 'warning'],
    ['divided-context', 'hint'],
    ['contradicted-context', 'warning'],
    ['shared-context', 'warning'],
    ['tools-without-jinja', 'warning'],
    ['context-shift', 'warning'],
  ] as const)("tells %s of llama-swap's own configuration as %s", (kind, severity) => {
    const faults = new Map([['coder-1', [{ kind, message: 'm', fix: 'f' }]]])
    const { findings } = checkConfig(
      aCheck({ box: { fileName: 'config.yaml', groups: [], faults } }),
    )
    expect(findings.map((one) => [one.code, one.severity])).toEqual([[`config-${kind}`, severity]])
  })

  test("passes on what is wrong with llama-swap's own configuration", () => {
    const fault = { kind: 'refused-flag', message: 'it says so', fix: 'do this' } as const
    const box = { fileName: 'config.yaml', groups: [], faults: new Map([['coder-1', [fault]]]) }
    expect(checkConfig(aCheck({ box })).findings).toEqual([
      {
        code: 'config-refused-flag',
        severity: 'error',
        where: 'config.yaml, models.coder-1',
        path: [],
        message: 'it says so',
        fix: 'do this',
        changes: [],
      },
    ])
  })

  test('leaves a key where it is as long as no variable has it: the file may be the only copy', () => {
    const fault = aCheck({
      set: [[[...OPTIONS, 'apiKey'], 'sk-only-copy']],
      machine: { variables: new Set() },
    })
    const { text, report } = mend(fault)
    expect(text).toContain('sk-only-copy')
    expect(report.findings.map(({ code, fix }) => [code, fix])).toEqual([
      [
        'key-literal',
        'First export LLAMA_SWAP_API_KEY=<the key>. Take it out and write "env": ["LLAMA_SWAP_API_KEY"].',
      ],
    ])
  })

  test.each<[string, Planted, string]>([
    ['in env', { set: [[[...PROVIDER, 'env'], ['sk-only-copy']]] }, 'provider.llama-swap.env'],
    [
      'behind env:',
      { set: [[[...OPTIONS, 'apiKey'], '{env:sk-only-copy}']] },
      'provider.llama-swap.options.apiKey',
    ],
    [
      'behind env: in a header',
      { set: [[[...OPTIONS, 'headers', 'authorization'], 'Bearer {env:sk-only-copy}']] },
      'provider.llama-swap.options.headers.authorization',
    ],
    [
      'of another provider',
      { set: [[['provider', 'x', 'options', 'key'], '{env:sk-only-copy}']] },
      'provider.x.options.key',
    ],
  ])(
    'repeats no key that stands where a name belongs, %s, and leaves it there while no variable has it',
    (_, planted, place) => {
      const { text, fixed, report } = mend(
        aCheck({ ...planted, machine: { variables: new Set() } }),
      )
      expect(text).toContain('sk-only-copy')
      expect(fixed).toEqual([])
      expect(report.findings.map(({ code, path }) => [code, showJsonPath(path)])).toContainEqual([
        'key-as-name',
        place,
      ])
      expect(JSON.stringify(report)).not.toContain('only-copy')
    },
  )

  test('does not wait for a variable of a header that only one model sends', () => {
    const header = [...MODEL, 'headers', 'Authorization']
    const check = aCheck({
      set: [
        [header, 'Bearer {env:LLAMA_SWAP_API_KEY}'],
        [[...PROVIDER, 'env'], undefined],
      ],
    })
    expect(codes(checkConfig(check).findings)).toEqual(['key-variable-missing'])
  })

  test('mends the values that people write by hand, in one go', () => {
    const limit = { context: 131_072, output: 65_536 }
    const check = aCheck({
      set: [
        [LIMIT, limit],
        [['compaction', 'reserved'], 20_000],
        [[...OPTIONS, 'apiKey'], 'sk-very-secret'],
        [[...OPTIONS, 'baseURL'], 'http://localhost:8080'],
        [MODEL.slice(0, -1).concat('talker', 'limit'), limit],
      ],
      models: [aModel('coder-1', { context: aContext(32_768) }), aModel('talker')],
    })
    const { report } = mend(check)
    expect(report).toEqual({
      rows: [
        {
          model: 'coder-1',
          written: { context: 32_768, input: 32_768, output: 8192 },
          real: aContext(32_768),
          compactsAt: 24_576,
          verdict: 'ok',
        },
        {
          model: 'talker',
          written: { context: 131_072, input: 131_072, output: 16_384 },
          real: aContext(131_072),
          compactsAt: 114_688,
          verdict: 'ok',
        },
      ],
      findings: [],
    })
  })
})
