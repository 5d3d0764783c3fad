import { expect, test } from 'vitest'
import { checkText, COLOURED, PLAIN } from '../../../src/cli/check-text.ts'
import { checkJson } from '../../../src/cli/check-json.ts'
import { checkConfig } from '../../../src/opencode/check/check-config.ts'
import { checkGateOnly } from '../../../src/opencode/check/check-gate-only.ts'
import { aContext, aModel, NO_CONTEXT } from '../opencode/catalogue-samples.ts'
import { aCheck, LIMIT, PROVIDER } from '../opencode/check/check-samples.ts'

test('a file in which nothing is wrong has its table and one line', () => {
  expect(checkText(checkConfig(aCheck()), PLAIN)).toBe(
    `model    context    input  output  real context  compacts at  verdict
coder-1  131,072  131,072  16,384       131,072      114,688  ok
talker   131,072  131,072  16,384       131,072      114,688  ok

Nothing to find fault with.
`,
  )
})

test('each finding has its place, its reason and its fix, and the end has the sum', () => {
  const check = aCheck({
    set: [
      [[...LIMIT, 'input'], undefined],
      [[...PROVIDER, 'models', 'talker', 'limit'], undefined],
    ],
    models: [
      aModel('coder-1', { context: aContext(98_304) }),
      aModel('talker', { context: NO_CONTEXT }),
    ],
  })
  expect(checkText(checkConfig(check), PLAIN)).toBe(
    `model    context  input  output  real context  compacts at  verdict
coder-1  131,072      -  16,384        98,304      114,688  context-too-large
talker         -      -       -       unknown        never  not compared

error: opencode.json:19  provider.llama-swap.models.coder-1.limit.context  [context-too-large]
  131,072 tokens are written, but one request may hold 98,304 (exact; --ctx-size, one slot): OpenCode compacts too late, and requests fail.
  Fix: Write "limit": { "context": 98304, "input": 98304, "output": 16384 }. (--fix does it)

warning: opencode.json:19  provider.llama-swap.models.coder-1.limit  [input-missing]
  Without limit.input OpenCode compacts at 114,688 tokens of 98,304, whatever compaction.reserved says; with it at 81,920 tokens.
  Fix: Write "limit": { "context": 98304, "input": 98304, "output": 16384 }. (--fix does it)

hint: opencode.json:21  provider.llama-swap.models.talker  [limit-missing]
  There is no "limit": OpenCode takes the context for 0, shows 0 % and never compacts by itself.
  Fix: Write all three values; what the context is, nobody knows here.

1 error, 1 warning, 1 hint. --fix mends 2 of 3.
`,
  )
})

test('a terminal with colours has the severity in colour', () => {
  const report = checkConfig(aCheck({ set: [[[...PROVIDER, 'npm'], undefined]] }))
  expect(checkText(report, COLOURED)).toContain('\u001B[36mhint\u001B[0m: opencode.json:5')
  expect(checkText({ rows: [], findings: [] }, COLOURED)).toBe(
    '\u001B[32mNothing to find fault with.\u001B[0m\n',
  )
})

test('what nobody could compare is not called "ok"', () => {
  const check = aCheck({ models: undefined })
  expect(checkText(checkConfig(check), PLAIN)).toBe(
    `model    context    input  output  real context  compacts at  verdict
coder-1  131,072  131,072  16,384             -      114,688  not compared
talker   131,072  131,072  16,384             -      114,688  not compared

warning: config.yaml  [nothing-to-compare]
  This file is not there, so the limits were compared with nothing.
  Fix: Ask a gate that runs: --url http://localhost:3000

1 warning.
`,
  )
})

test('without a file there is what the gate has, and how to get a file', () => {
  const models = [
    aModel('coder-1'),
    aModel('talker', {
      context: { tokens: 98_304, source: 'listing', certainty: 'estimate', why: 'by hand' },
    }),
    aModel('hearer', { use: 'other' }),
  ]
  const check = aCheck({ models, gate: { urls: ['http://box:3000'], isNamed: true } })
  expect(checkText(checkGateOnly(check), PLAIN)).toBe(
    `model    real context
coder-1       131,072
talker        ~98,304

hint: http://box:3000  [no-file]
  Only the way to the gate was checked: there is no configuration of OpenCode here.
  Fix: swapgate opencode --write --url http://box:3000

1 hint.
`,
  )
})

test('a proxy on the way to the gate is told without a file, too', () => {
  const variables = new Set(['HTTPS_PROXY'])
  const check = aCheck({ gate: { urls: ['https://box.example'] }, machine: { variables } })
  expect(checkGateOnly(check).findings.map(({ code, where }) => [code, where])).toEqual([
    ['proxy-in-between', 'https://box.example'],
    ['no-file', 'https://box.example'],
  ])
})

test('several files are named, and nothing in a name reaches the terminal as a command', () => {
  const models = { 'a\u001B[31m\u202Eb': {} }
  const check = aCheck({ set: [[[...PROVIDER, 'models'], models]] })
  const text = checkText(checkConfig(check), PLAIN, ['/etc/\u0007a.json', 'opencode.json'])
  expect(text.split('\n').slice(0, 3)).toEqual([
    'OpenCode puts together: /etc/\uFFFDa.json, opencode.json',
    '',
    'model     context  input  output  real context  compacts at  verdict',
  ])
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  const json = checkJson(checkConfig(check), ['\u009B\u{E0001}'], 0)
  expect(json.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  expect(JSON.parse(json)).toMatchObject({
    files: ['\u009B\u{E0001}'],
    models: [{ model: 'a\u001B[31m\u202Eb' }],
  })
})

test('a program gets one object, whatever was found', () => {
  const { findings } = checkConfig(aCheck({ models: undefined }))
  expect(JSON.parse(checkJson({ rows: [], findings }, ['opencode.json'], 0))).toEqual({
    version: 1,
    files: ['opencode.json'],
    models: [],
    findings: [
      {
        code: 'nothing-to-compare',
        severity: 'warning',
        where: 'config.yaml',
        path: '',
        message: 'This file is not there, so the limits were compared with nothing.',
        fix: 'Ask a gate that runs: --url http://localhost:3000',
        isMendable: false,
      },
    ],
    exitCode: 0,
  })
})
