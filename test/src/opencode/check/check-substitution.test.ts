import { expect, test } from 'vitest'
import { checkConfig } from '../../../../src/opencode/check/check-config.ts'
import { showJsonPath } from '../../../../src/opencode/show-path.ts'
import { aCheck, OPTIONS, PROVIDER } from './check-samples.ts'

const HEX = 'c0ffee'.repeat(5)
const API_KEY = [...OPTIONS, 'apiKey']
const HEADER = [...OPTIONS, 'headers', 'x-team']

test.each([
  [API_KEY, '{file:sk-the-key-itself}', 'file-missing', 'sk-the-key-itself'],
  [API_KEY, `{file:${HEX}}`, 'file-missing', HEX],
  [API_KEY, `{env:${HEX}}`, 'key-as-name', HEX],
  [HEADER, `{env:${HEX}}`, 'key-as-name', HEX],
  [[...PROVIDER, 'env'], [HEX], 'key-as-name', HEX],
])('at %j, %j is told as %s, and not repeated', (path, value, ...[code, secret]) => {
  const report = checkConfig(aCheck({ set: [[path, value]], machine: { variables: new Set() } }))
  expect(
    report.findings.map((finding) => [finding.code, showJsonPath(finding.path)]),
  ).toContainEqual([code, showJsonPath(path)])
  const told = report.findings.map(({ message, fix, where }) => [message, fix, where])
  expect(JSON.stringify(told)).not.toContain(secret)
})

test('a file that may be the key itself is told without its name', () => {
  const { findings } = checkConfig(aCheck({ set: [[API_KEY, '{file:my-key}']] }))
  expect(findings.map(({ message }) => message)).toEqual([
    'The file that is named here cannot be read, so OpenCode does not start.',
  ])
})

test('a variable that an address names, and that is not set, is named', () => {
  const set = [[[...OPTIONS, 'baseURL'], 'http://${BOX}:3000/v1']] as const
  const machine = { replaced: () => 'http://:3000/v1' }
  const { findings } = checkConfig(aCheck({ set, machine }))
  expect(findings.map(({ code, where, message }) => [code, where, message])).toContainEqual([
    'env-unset',
    'opencode.json:10',
    'BOX is not set here, so OpenCode puts nothing in its place.',
  ])
})

test('what may be a key in the place of a name in an address is not repeated', () => {
  const set = [[[...OPTIONS, 'baseURL'], `http://\${${HEX}}@box:3000/v1`]] as const
  const { findings } = checkConfig(aCheck({ set }))
  expect(findings.map(({ code }) => code)).toContain('key-as-name')
  expect(JSON.stringify(findings)).not.toContain(HEX)
})
