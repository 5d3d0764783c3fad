import { expect, test } from 'vitest'
import type { CheckInput } from '../../../../../src/opencode/check/check-input.ts'
import { checkConfig } from '../../../../../src/opencode/check/check-config.ts'
import { fixConfig } from '../../../../../src/opencode/check/fix-config.ts'
import { mergedValue } from '../../../../../src/opencode/config-files.ts'
import { changeJsonc } from '../../../../../src/opencode/edit-jsonc.ts'
import { aCheck, CLEAN, mend, MODEL, OPTIONS, PROVIDER, type Planted } from '../check-samples.ts'

const API_KEY = [...OPTIONS, 'apiKey']
const HELD = 'sk-very-secret'
const ANOTHER = 'sk-of-another-gate'

/** A file for all projects and one of the project, each with a key of its own. */
function withKeys(below: string, above: string, planted: Planted = {}): CheckInput {
  const texts = [
    changeJsonc(CLEAN, [{ path: API_KEY, value: below }]),
    changeJsonc('{}', [{ path: API_KEY, value: above }]),
  ]
  const files = texts.flatMap((text, i) => {
    const written = text.replaceAll('\\u007b', '{')
    const name = i === 0 ? 'global.json' : 'here.json'
    return aCheck({ text: written }).files.map((file) => ({ ...file, name }))
  })
  return { ...aCheck(planted), files, document: { value: mergedValue(files) } }
}

function keysAfter(check: CheckInput): Array<string | undefined> {
  return fixConfig(check).files.map(({ text }) => /"apiKey": ?"([^"]*)"/.exec(text)?.[1])
}

test('a key stays where the variable holds another one', () => {
  const check = aCheck({ set: [[API_KEY, ANOTHER]] })
  const { text, report } = mend(check)
  expect(text).toBe(check.files[0]?.text)
  expect(report.findings.map(({ code, fix }) => [code, fix])).toEqual([
    [
      'key-literal',
      'First export LLAMA_SWAP_API_KEY=<the key>. Take it out and write "env": ["LLAMA_SWAP_API_KEY"].',
    ],
  ])
})

test.each<[string, Planted]>([
  [
    'the header of a model has another key',
    { set: [[[...MODEL, 'headers', 'x-api-key'], ANOTHER]] },
  ],
  [
    'a header hides apiKey, which would come to light',
    {
      set: [
        [[...OPTIONS, 'headers', 'Authorization'], `Bearer ${HELD}`],
        [API_KEY, ANOTHER],
      ],
    },
  ],
  [
    'a stored key would be taken in its place',
    { set: [[API_KEY, HELD]], machine: { storedKeys: new Set(['llama-swap']) } },
  ],
  [
    'another variable counts, as it is the first that is set',
    {
      set: [
        [API_KEY, HELD],
        [
          [...PROVIDER, 'env'],
          ['FIRST', 'LLAMA_SWAP_API_KEY'],
        ],
      ],
      machine: { variables: new Set(['FIRST', 'LLAMA_SWAP_API_KEY']) },
    },
  ],
])('a key stays where %s', (_, planted) => {
  const check = aCheck(planted)
  expect(mend(check).text).toBe(check.files[0]?.text)
})

test.each<[string, string, Array<string | undefined>]>([
  [ANOTHER, '{env:NO_SUCH}', [ANOTHER, undefined]],
  [ANOTHER, '', [ANOTHER, undefined]],
  [ANOTHER, '{env:LLAMA_SWAP_API_KEY}', [ANOTHER, '{env:LLAMA_SWAP_API_KEY}']],
  [ANOTHER, HELD, [ANOTHER, HELD]],
  [HELD, ANOTHER, [HELD, ANOTHER]],
  [HELD, '{env:LLAMA_SWAP_API_KEY}', [undefined, undefined]],
  [HELD, '{env:NO_SUCH}', [undefined, undefined]],
  [HELD, HELD, [undefined, undefined]],
])('of %s for all projects and %j here, %j is left', (below, above, left) => {
  expect(keysAfter(withKeys(below, above))).toEqual(left)
})

test('each file is told of its own key', () => {
  const { findings } = checkConfig(withKeys(ANOTHER, '{env:LLAMA_SWAP_API_KEY}'))
  expect(findings.map(({ code, where }) => [code, where.split(':')[0]])).toEqual([
    ['key-literal', 'global.json'],
    ['key-env-trap', 'here.json'],
  ])
})

test('the variable that apiKey has named stays the one that counts', () => {
  const check = aCheck({
    set: [
      [API_KEY, '{env:LLAMA_SWAP_API_KEY}'],
      [
        [...PROVIDER, 'env'],
        ['FIRST', 'LLAMA_SWAP_API_KEY'],
      ],
    ],
    machine: { variables: new Set(['FIRST', 'LLAMA_SWAP_API_KEY']) },
  })
  expect(mend(check).text).toContain('"env": ["LLAMA_SWAP_API_KEY", "FIRST"]')
})

test.each<[string, string, string]>([
  ['${BOX_KEY}', 'Remove apiKey and write "env": ["BOX_KEY"]; then export BOX_KEY=<your key>.', ''],
  ['$BOX_KEY', 'Remove apiKey and write "env": ["BOX_KEY"]; then export BOX_KEY=<your key>.', ''],
  ['${LLAMA_SWAP_API_KEY}', 'Remove apiKey and write "env": ["LLAMA_SWAP_API_KEY"].', ''],
])('%s in the place of a key is a variable to name', (written, fix, left) => {
  const check = aCheck({ set: [[API_KEY, written]] })
  const { findings } = checkConfig(check)
  expect(findings.map((one) => [one.code, one.fix])).toEqual([['key-placeholder', fix]])
  const name = /\w+/.exec(written)?.[0]
  const { text } = mend(check)
  expect(text).toContain(`"env": ["${name}"`)
  expect(/"apiKey": ?"([^"]*)"/.exec(text)?.[1] ?? '').toBe(left)
})

test.each(['$ecret-of-mine', '$dollar1', '${sk-very-long-key-0123}', '%5', '$', '${}'])(
  '%j is a key, as it may be the only copy, and not the name of a variable',
  (written) => {
    const check = aCheck({ set: [[API_KEY, written]] })
    expect(checkConfig(check).findings.map(({ code }) => code)).toEqual(['key-literal'])
    expect(mend(check).text).toBe(check.files[0]?.text)
  },
)

test('a key of one file comes to no harm by the placeholder of another', () => {
  expect(keysAfter(withKeys(ANOTHER, '${BOX_KEY}'))).toEqual([ANOTHER, undefined])
})

test.each<[string, Planted, string]>([
  [
    'the gate was asked with another one',
    { set: [[API_KEY, ANOTHER]] },
    ' It was not tried: the gate was asked with the one in LLAMA_SWAP_API_KEY.',
  ],
  [
    'the gate was asked with none',
    {
      set: [
        [API_KEY, ANOTHER],
        [[...PROVIDER, 'env'], undefined],
      ],
      machine: { variables: new Set() },
    },
    ' It was not tried: the gate was asked without a key.',
  ],
  ['the gate was asked with it', { set: [[API_KEY, HELD]] }, ''],
])('of a key in the file it is said whether it was tried: %s', (_, planted, more) => {
  const { findings } = checkConfig(aCheck({ ...planted, gate: { isNamed: true } }))
  expect(findings.map(({ code, message }) => [code, message])).toEqual([
    [
      'key-literal',
      `The key stands in the file, where everybody who gets the file can read it.${more}`,
    ],
  ])
})
