import { field, texts } from '../../json/read-unknown.ts'
import { PATIENCE_MS, PROVIDER_PACKAGE } from '../render-config.ts'
import type { CheckInput } from './check-input.ts'
import type { Found } from './finding.ts'
import { checkHidden } from './models/hidden-models.ts'
import { commandFor } from './next-command.ts'
import { text, type WrittenProvider } from './read-written.ts'

/** Ids by which OpenCode treats a provider differently, and how. */
const TREATED: ReadonlyArray<[RegExp, string]> = [
  [/^openai/, 'repeats a 404'],
  [/^opencode/, 'sends other headers'],
  [/^(?:mistral|github-copilot|zai)/, 'changes the messages'],
]

/** The provider itself: its id, its package, whether it is used at all. */
export function checkProvider(input: CheckInput, provider: WrittenProvider): Found[] {
  return [
    ...checkId(provider),
    ...checkEnabled(input, provider),
    ...checkPackage(provider),
    ...checkSecondForm(input, provider),
    ...checkEmpty(input, provider),
    ...checkHidden(provider),
  ]
}

function checkId({ id, path }: WrittenProvider): Found[] {
  const treated = TREATED.find(([pattern]) => pattern.test(id))
  if (!treated) return []
  const message = `OpenCode takes a provider whose id begins so for another one: it ${treated[1]}.`
  return [
    {
      code: 'provider-id',
      severity: 'hint',
      path,
      message,
      fix: 'Call it "llama-swap", here and in "model".',
      changes: [],
    },
  ]
}

function checkEnabled({ document }: CheckInput, { id }: WrittenProvider): Found[] {
  const enabled = field(document.value, 'enabled_providers')
  const disabled = texts(field(document.value, 'disabled_providers'))
  const others = disabled.filter((other) => other !== id)
  const isLeftOut = Array.isArray(enabled) && !enabled.includes(id)
  return [
    ...(disabled.includes(id)
      ? [turnedOff('disabled_providers', `${id} stands here, so it is turned off.`, others)]
      : []),
    ...(isLeftOut
      ? [
          turnedOff('enabled_providers', `${id} does not stand here, so it is turned off.`, [
            ...texts(enabled),
            id,
          ]),
        ]
      : []),
  ]
}

function turnedOff(name: string, message: string, value: string[]): Found {
  return {
    code: 'provider-disabled',
    severity: 'error',
    path: [name],
    message,
    fix: `Write ${JSON.stringify(value)}.`,
    changes: [],
  }
}

/** Those that were tried through the gate: the others speak a dialect that llama-swap may not, or ask elsewhere. */
const TRIED: readonly (string | undefined)[] = [PROVIDER_PACKAGE, '@ai-sdk/anthropic']

function checkPackage({ path, value }: WrittenProvider): Found[] {
  const npm = text(field(value, 'npm'))
  if (TRIED.includes(npm)) return []
  const usual = `"npm": "${PROVIDER_PACKAGE}"`
  if (npm === undefined)
    return [
      {
        code: 'npm-missing',
        severity: 'hint',
        path,
        message: 'There is no "npm". OpenCode 1 guesses right, OpenCode 2 leaves the provider out.',
        fix: `Write ${usual}.`,
        changes: [{ path: [...path, 'npm'], value: PROVIDER_PACKAGE }],
      },
    ]
  return [
    {
      code: 'npm-untried',
      severity: 'warning',
      path: [...path, 'npm'],
      message: `${npm} speaks another dialect, or asks for other addresses, than the gate is set up for.`,
      fix: `Unless you know that it works: ${usual}.`,
      changes: [],
    },
  ]
}

function checkSecondForm({ document }: CheckInput, { id }: WrittenProvider): Found[] {
  if (field(field(document.value, 'providers'), id) === undefined) return []
  const path = ['providers', id]
  const message =
    'The same provider in the form of OpenCode 2: that takes this one and ignores "provider", OpenCode 1 does the reverse.'
  return [
    {
      code: 'provider-in-v2-form',
      severity: 'warning',
      path,
      message,
      fix: 'Keep one of them; both read "provider".',
      changes: [],
    },
  ]
}

function checkEmpty(input: CheckInput, { models, path, value }: WrittenProvider): Found[] {
  // A list is told as what OpenCode refuses.
  if (models.length > 0 || Array.isArray(field(value, 'models'))) return []
  const message = 'The provider has no models, so OpenCode leaves it out. It does not ask for them.'
  return [
    {
      code: 'provider-without-models',
      severity: 'error',
      path,
      message,
      fix: `"${commandFor(input, path)}" adds them.`,
      changes: [],
    },
  ]
}

/** How long OpenCode waits, and how long the gate is silent. */
export function checkTimeouts({ gate }: CheckInput, provider: WrittenProvider): Found[] {
  const { afterMs, everyMs } = gate.heartbeat
  const options = field(provider.value, 'options')
  const isOff = afterMs === 0
  return [
    { name: 'headerTimeout', least: isOff ? PATIENCE_MS : afterMs, usual: 300_000 },
    { name: 'chunkTimeout', least: isOff ? PATIENCE_MS : everyMs, usual: 300_000 },
    { name: 'timeout', least: PATIENCE_MS, usual: Infinity },
  ].flatMap(({ name, least, usual }): Found[] => {
    const written = field(options, name)
    const patience = typeof written === 'number' ? written : written === false ? Infinity : usual
    // The gate's first heartbeat must have arrived by then.
    if (patience > least || (patience === least && least === PATIENCE_MS)) return []
    const path = [...provider.path, 'options', name]
    // It is one for the whole answer, however long that is.
    const isWhole = usual === Infinity
    return [
      {
        code: 'timeout-too-short',
        severity: 'warning',
        path,
        message: `OpenCode gives up after ${seconds(patience)}${written === undefined ? ' (its default)' : ''}, ${reasonFor(name, isOff)}.`,
        fix: isWhole
          ? 'Remove it: there is none, unless one is written.'
          : `Write "${name}": ${PATIENCE_MS}.`,
        changes: [{ path, value: isWhole ? undefined : PATIENCE_MS }],
      },
    ]
  })
}

function reasonFor(name: string, isOff: boolean): string {
  if (name === 'timeout') return 'the whole answer and the loading of the model included'
  return isOff
    ? 'and the gate sends no heartbeats while a model loads'
    : 'before the first heartbeat of the gate can arrive'
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`
}
