import type { FaultKind } from '../../llama-swap/model-config.ts'
import { placeOf } from '../jsonc.ts'
import { checkBaseUrl } from './check-base-url.ts'
import { checkChoices } from './check-choices.ts'
import { checkCompaction } from './check-compaction.ts'
import type { CheckInput } from './check-input.ts'
import { checkKey } from './check-key.ts'
import { checkMissing, checkModel } from './check-models.ts'
import { checkNetwork } from './check-network.ts'
import { checkProvider, checkTimeouts } from './check-provider.ts'
import { checkSchema } from './check-schema.ts'
import { checkSubstitution } from './check-substitution.ts'
import type { Finding, Found, Severity } from './finding.ts'
import { isWithin } from './is-within.ts'
import { modelRow, type ModelRow } from './model-row.ts'
import { providersOfGate } from './providers-of-gate.ts'
import { readProviders, type WrittenProvider } from './read-written.ts'

/** What the check of one file has found. */
export type CheckReport = { rows: readonly ModelRow[]; findings: readonly Finding[] }

const RANKS: readonly Severity[] = ['error', 'warning', 'hint']

/** Looks at OpenCode's configuration for everything that is known to go wrong with it; errors first. */
export function checkConfig(input: CheckInput): CheckReport {
  const providers = providersOfGate(input, readProviders(input))
  const models = providers.flatMap((provider) => provider.models)
  const found = [
    ...checkSubstitution(input),
    ...(providers.length === 0 ? [noProvider(input)] : []),
    ...providers.flatMap((provider) => checkOne(input, provider)),
    ...checkCompaction(input, models),
  ]
  // A limit that is not whole is told once, with its fix.
  const told = found.filter(({ code }) => code === 'limit-incomplete').map(({ path }) => path)
  const invalid = checkSchema(input).filter(
    ({ path }) => !told.some((known) => isWithin(path, known)),
  )
  const own = [...invalid, ...found].map((one) => located(input, one))
  const findings = [...own, ...boxFaults(input)].toSorted(
    (a, b) => RANKS.indexOf(a.severity) - RANKS.indexOf(b.severity),
  )
  return { rows: models.map((model) => modelRow(input, model, findings)), findings }
}

function checkOne(input: CheckInput, provider: WrittenProvider): Found[] {
  return [
    ...checkProvider(input, provider),
    ...checkBaseUrl(input, provider),
    ...checkNetwork(input, provider),
    ...checkKey(input, provider),
    ...checkTimeouts(input, provider),
    ...provider.models.flatMap((model) => checkModel(input, model)),
    ...checkMissing(input, provider.models, provider.path),
    ...checkChoices(input, provider),
  ]
}

function noProvider({ gate }: CheckInput): Found {
  return {
    code: 'provider-missing',
    severity: 'error',
    path: ['provider'],
    message: `No provider leads to the gate at ${gate.urls[0]}.`,
    fix: '"swapgate opencode --write" adds it.',
    changes: [],
  }
}

function located({ document, fileName }: CheckInput, found: Found): Finding {
  return { ...found, where: `${fileName}:${placeOf(document, found.path).line}` }
}

const SEVERITIES: Record<FaultKind, Severity> = {
  'refused-flag': 'error',
  'cut-number': 'error',
  'flag-twice': 'warning',
  'divided-context': 'hint',
  'contradicted-context': 'warning',
  'shared-context': 'warning',
  'tools-without-jinja': 'warning',
  'context-shift': 'warning',
}

/** What llama-swap's configuration itself does wrong. */
function boxFaults({ box }: CheckInput): Finding[] {
  return [...(box?.faults ?? [])].flatMap(([model, faults]) =>
    faults.map(({ kind, message, fix }): Finding => ({
      code: `config-${kind}`,
      severity: SEVERITIES[kind],
      where: `${box?.fileName}, models.${model}`,
      path: [],
      message,
      fix,
      changes: [],
    })),
  )
}
