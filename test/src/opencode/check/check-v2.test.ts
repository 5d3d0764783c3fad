import { expect, test } from 'vitest'
import { checkConfig } from '../../../../src/opencode/check/check-config.ts'
import { showJsonPath } from '../../../../src/opencode/show-path.ts'
import { aContext, aModel } from '../catalogue-samples.ts'
import { aCheck, CLEAN, mend, type Planted } from './check-samples.ts'

type Parts = { baseURL?: string; models?: object; beside?: object }

function told({ baseURL = 'http://localhost:3000/v1', models, beside }: Parts): string[][] {
  const box = { package: 'aisdk:@ai-sdk/openai-compatible', settings: { baseURL }, models }
  const check = aCheck({
    text: JSON.stringify({ ...beside, providers: { box } }),
    models: [aModel('coder-1', { context: aContext(98_304) }), aModel('talker')],
  })
  expect(mend(check).text).toBe(check.files[0]?.text)
  return checkConfig(check).findings.map(({ code, severity, path }) => [
    code,
    severity,
    showJsonPath(path),
  ])
}

const NOT_CHECKED = ['v2-not-checked', 'warning', 'providers.box']

test.each<[string, object, string[][]]>([
  [
    'larger contexts than there are',
    { 'coder-1': { limit: { context: 400_000, output: 16_384 } } },
    [['context-too-large', 'error', 'providers.box.models.coder-1.limit.context']],
  ],
  [
    'larger inputs than there are',
    { big: { modelID: 'coder-1', limit: { context: 98_304, input: 98_305 } } },
    [['context-too-large', 'error', 'providers.box.models.big.limit.input']],
  ],
  [
    'models without a limit, which OpenCode 2 takes for larger than they are',
    { 'coder-1': {} },
    [['limit-missing', 'warning', 'providers.box.models.coder-1']],
  ],
  [
    'models that the gate does not have',
    { nobody: {} },
    [['model-unknown', 'error', 'providers.box.models.nobody']],
  ],
  ['nothing where the contexts fit', { 'coder-1': { limit: { context: 98_304 } } }, []],
])('of the form of OpenCode 2 it tells %s', (_, models, expected) => {
  expect(new Set(told({ models }))).toEqual(new Set([...expected, NOT_CHECKED]))
})

test.each([
  ['http://localhost:3000', 'base-url-without-v1'],
  ['https://localhost:3000/v1', 'base-url-scheme'],
  ['http://localhost:8080/v1', 'base-url-past-gate'],
])('of the form of OpenCode 2 it tells that %s is wrong as %s', (baseURL, code) => {
  expect(told({ baseURL })).toEqual([
    [code, 'error', 'providers.box.settings.baseURL'],
    NOT_CHECKED,
  ])
})

test('it looks at the form of OpenCode 2 beside a provider that is right', () => {
  const models = { 'coder-1': { limit: { context: 400_000 } } }
  const check: Planted = {
    set: [[['providers', 'box'], { settings: { baseURL: 'http://localhost:3000/v1' }, models }]],
  }
  expect(checkConfig(aCheck(check)).findings.map(({ code }) => code)).toEqual([
    'context-too-large',
    'v2-not-checked',
  ])
})

test.each([
  ['http://work-box:3000/v1', 'llama-swap'],
  ['https://api.groq.com/openai/v1', 'groq'],
])("a provider of the form of OpenCode 2 at %s is none of the gate's", (baseURL, id) => {
  const other = { settings: { baseURL }, models: { 'coder-1': { limit: { context: 1e6 } } } }
  expect(
    checkConfig(aCheck({ set: [[['providers', id], other]] })).findings.map(({ code }) => code),
  ).toEqual(id === 'llama-swap' ? ['provider-in-v2-form'] : [])
})

test.each([
  [CLEAN.replace('"provider"', '"providers"'), 'Write "provider" in place of "providers".'],
  [CLEAN.replace('"provider": {', '"provider": {}, "providers": {'), 'Move it into "provider".'],
])('a provider of OpenCode 1 below "providers" is to be moved', (text, fix) => {
  expect(checkConfig(aCheck({ text })).findings.map((one) => [one.code, one.fix])).toEqual([
    ['provider-misplaced', fix],
  ])
})

test.each([
  ['box', 'swapgate opencode --write opencode.json'],
  ['llama-swap', 'swapgate opencode --write opencode.json --provider home'],
])('the form that both read is written beside %s with a command that works', (id, command) => {
  const provider = { settings: { baseURL: 'http://localhost:3000/v1' } }
  const { findings } = checkConfig(
    aCheck({ text: JSON.stringify({ providers: { [id]: provider } }) }),
  )
  expect(findings.map(({ code, fix }) => [code, fix])).toEqual([
    ['v2-not-checked', `The form that both read, beside it: "${command}".`],
  ])
})
