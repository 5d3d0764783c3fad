import { expect, test } from 'vitest'
import type { CheckInput } from '../../../../../src/opencode/check/check-input.ts'
import { checkConfig } from '../../../../../src/opencode/check/check-config.ts'
import { fixConfig } from '../../../../../src/opencode/check/fix-config.ts'
import { field } from '../../../../../src/json/read-unknown.ts'
import { mergedValue } from '../../../../../src/opencode/config-files.ts'
import { changeJsonc } from '../../../../../src/opencode/edit-jsonc.ts'
import { aCheck, CLEAN, mend, MODEL, OPTIONS, PROVIDER, type Planted } from '../check-samples.ts'

const API_KEY = [...OPTIONS, 'apiKey']
const ENV = [...PROVIDER, 'env']
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

/** The names of the variables in a file. */
function envOf(text: string): unknown {
  return ENV.reduce<unknown>(field, JSON.parse(text))
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
    'another variable is named, and is set',
    {
      set: [
        [API_KEY, HELD],
        [ENV, ['MINE']],
      ],
      machine: { variables: new Set(['MINE', 'LLAMA_SWAP_API_KEY']) },
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
  // What is sent from now on is not in the variable that is to hold it.
  [HELD, '{env:NO_SUCH}', [HELD, undefined]],
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

test.each([[['MINE']], [['MINE', 'LLAMA_SWAP_API_KEY']], [['LLAMA_SWAP_API_KEY', 'MINE']]])(
  'the variable that apiKey has named becomes the only one of %j: OpenCode takes none of several',
  (names) => {
    const check = aCheck({
      set: [
        [API_KEY, '{env:LLAMA_SWAP_API_KEY}'],
        [ENV, names],
      ],
      machine: { variables: new Set(['MINE', 'LLAMA_SWAP_API_KEY']) },
    })
    const { text, report } = mend(check)
    expect([text.replaceAll(/\s+/g, ' '), report.findings]).toEqual([
      CLEAN.replaceAll(/\s+/g, ' '),
      [],
    ])
  },
)

test.each<[string, string[], string]>([
  ['the usual one stays where both are set', ['MINE', 'LLAMA_SWAP_API_KEY'], 'LLAMA_SWAP_API_KEY'],
  ['the other one stays where only that is set', ['MINE'], 'MINE'],
  ['the usual one stays where none is set', [], 'LLAMA_SWAP_API_KEY'],
])('of two names in "env" %s', (_, set, left) => {
  const check = aCheck({
    set: [[ENV, ['MINE', 'LLAMA_SWAP_API_KEY']]],
    machine: { variables: new Set(set) },
  })
  const { text, fixed } = mend(check)
  expect([envOf(text), fixed.map(({ code }) => code)]).toEqual([[left], ['env-several']])
})

test('two names in "env" are the usual one where neither is set nor usual', () => {
  const check = aCheck({ set: [[ENV, ['MINE', 'YOURS']]], machine: { variables: new Set() } })
  expect(envOf(mend(check).text)).toEqual(['LLAMA_SWAP_API_KEY'])
})

test.each<[string, Planted]>([
  ['apiKey names a variable', { set: [[API_KEY, '{env:LLAMA_SWAP_API_KEY}']] }],
  ['a header has the key', { set: [[[...OPTIONS, 'headers', 'x-api-key'], '{env:MINE}']] }],
  ['a key is stored', { machine: { storedKeys: new Set(['llama-swap']) } }],
])('two names in "env" are no fault where %s', (_, { set = [], ...planted }) => {
  const check = aCheck({ ...planted, set: [...set, [ENV, ['MINE', 'LLAMA_SWAP_API_KEY']]] })
  expect(checkConfig(check).findings.map(({ code }) => code)).not.toContain('env-several')
})

test.each<[string, string[], string]>([
  ['apiKey is empty', [ANOTHER], ''],
  ['apiKey names another variable', [ANOTHER], '{env:LLAMA_SWAP_API_KEY}'],
  ['apiKey names a variable that is not set', [ANOTHER], '{env:GATE_KEY}'],
  ['apiKey is the placeholder of a shell', ['LLAMA_SWAP_API_KEY', ANOTHER], '${GATE_KEY}'],
  ['it could be the name of a variable', ['hunter2'], '{env:LLAMA_SWAP_API_KEY}'],
])('what may be the only copy of a key stays in "env" where %s', (_, names, apiKey) => {
  const check = aCheck({
    set: [
      [ENV, names],
      [API_KEY, apiKey],
    ],
  })
  expect(mend(check).text).toBe(check.files[0]?.text)
})

test('what may be the only copy of a key stays beside another name in "env"', () => {
  const check = aCheck({ set: [[ENV, ['LLAMA_SWAP_API_KEY', 'hunter2']]] })
  const { text, report } = mend(check)
  expect(text).toBe(check.files[0]?.text)
  expect(report.findings.map(({ code }) => code)).toEqual(['env-several'])
})

test('a key in the place of a name does not come back with the change of another fault', () => {
  const check = aCheck({
    set: [
      [ENV, [HELD]],
      [API_KEY, '{env:GATE_KEY}'],
    ],
  })
  const { text, report } = mend(check)
  expect([envOf(text), text.includes(HELD), report.findings.map(({ code }) => code)]).toEqual([
    ['GATE_KEY'],
    false,
    ['key-variable-unset'],
  ])
})

test('apiKey stays where a stored key would count from now on, also where its variable is set', () => {
  const check = aCheck({
    set: [[API_KEY, '{env:GATE_KEY}']],
    machine: { storedKeys: new Set(['llama-swap']) },
  })
  const { text, report } = mend(check)
  expect(text).toBe(check.files[0]?.text)
  expect(report.findings.map(({ code, fix }) => [code, fix])).toEqual([
    [
      'key-env-unset',
      'First remove the stored key with "opencode auth logout", or OpenCode takes that one. Remove apiKey and write "env": ["GATE_KEY"], which has no such trap; then export GATE_KEY=<your key>.',
    ],
  ])
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
        [ENV, undefined],
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
