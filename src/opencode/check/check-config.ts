import type { FaultKind } from '../../llama-swap/model-config.ts'
import { holderOf, type ConfigFile } from '../config-files.ts'
import { placeOf } from '../jsonc.ts'
import { checkBaseUrl } from './address/check-base-url.ts'
import { checkChoices } from './models/check-choices.ts'
import { checkCompaction } from './limits/check-compaction.ts'
import { checkAround, nothingToCompare } from './check-found.ts'
import type { CheckInput } from './check-input.ts'
import { checkKey } from './keys/check-key.ts'
import { checkMissing, checkModel } from './models/check-models.ts'
import { checkNetwork } from './address/check-network.ts'
import { checkProvider, checkTimeouts } from './check-provider.ts'
import { checkSchema } from './check-schema.ts'
import { checkSubstitution } from './check-substitution.ts'
import { checkWholeLimits } from './limits/check-whole-limits.ts'
import type { Finding, Found, Severity } from './finding.ts'
import { isWithin } from './is-within.ts'
import { modelRow, type ModelRow } from './model-row.ts'
import { limitAround, planChanges } from './plan-changes.ts'
import { isCompared, isMendable, providersOfGate } from './providers-of-gate.ts'
import { readProviders, type WrittenProvider } from './read-written.ts'

/** What the check of one file has found. */
export type CheckReport = { rows: readonly ModelRow[]; findings: readonly Finding[] }

const RANKS: readonly Severity[] = ['error', 'warning', 'hint']

/** Looks at OpenCode's configuration for everything that is known to go wrong with it; errors first. */
export function checkConfig(input: CheckInput): CheckReport {
  const providers = providersOfGate(input, readProviders(input)).map((provider) =>
    isCompared(input, provider) ? provider : withoutReal(provider),
  )
  const models = providers.flatMap((provider) => provider.models)
  const found = [
    ...checkAround(input, providers),
    ...providers.flatMap((provider) => checkOne(input, provider)),
    ...compactionOf(input, providers),
  ]
  // A limit that is not whole is told once, with its fix.
  const told = found.filter(({ code }) => code === 'limit-incomplete')
  const invalid = checkSchema(input).filter(
    ({ path, file }) => !told.some((known) => known.file === file && isWithin(path, known.path)),
  )
  const findings = [
    ...nothingToCompare(input, providers),
    ...invalid.map((one) => located(input, one)),
    ...checkSubstitution(input),
    ...found.map((one) => located(input, one)),
    ...boxFaults(input),
  ].toSorted((a, b) => RANKS.indexOf(a.severity) - RANKS.indexOf(b.severity))
  return { rows: models.map((model) => modelRow(input, model, findings)), findings }
}

/** Nobody knows here what another gate has. */
function withoutReal(provider: WrittenProvider): WrittenProvider {
  return { ...provider, models: provider.models.map((model) => ({ ...model, real: undefined })) }
}

function checkOne(all: CheckInput, provider: WrittenProvider): Found[] {
  const input = isCompared(all, provider) ? all : { ...all, models: undefined, box: undefined }
  const found = rulesOf(input, provider)
  return isMendable(all, provider) ? found : found.map(unchanged)
}

/** OpenCode compacts for all providers alike: where none is the gate's, that is not its business. */
function compactionOf(input: CheckInput, providers: readonly WrittenProvider[]): Found[] {
  if (providers.length === 0) return []
  const mendable = providers.filter((provider) => isMendable(input, provider))
  const isAny = mendable.length > 0
  const found = checkCompaction(
    input,
    (isAny ? mendable : providers).flatMap(({ models }) => models),
  )
  return isAny ? found : found.map(unchanged)
}

function unchanged(found: Found): Found {
  return { ...found, changes: [] }
}

function rulesOf(input: CheckInput, provider: WrittenProvider): Found[] {
  return [
    ...checkProvider(input, provider),
    ...checkBaseUrl(input, provider),
    ...checkNetwork(input, provider),
    ...checkKey(input, provider),
    ...checkTimeouts(input, provider),
    ...provider.models.flatMap((model) => [
      ...checkWholeLimits(input, model),
      ...checkModel(input, model),
    ]),
    ...checkMissing(input, provider.models, provider.path),
    ...checkChoices(input, provider),
  ]
}

/** Says where it is, and offers no change that cannot be made. */
function located({ files }: CheckInput, { file: own, ...found }: Found): Finding {
  // A limit is written whole, in the file that counts, wherever the value comes from that is wrong.
  const whole = limitAround(found.path) ?? found.path
  const file = files.find(({ name }) => name === own) ?? holderOf(files, whole)
  const where = file ? `${file.name}:${placeOf(file.document, found.path).line}` : ''
  const plan = planChanges(files, found.changes)
  if (plan.ok) return { ...found, where }
  const reason = plan.blocker && reasonOf(plan.blocker, file)
  const more = reason === undefined ? '' : ` --fix leaves it alone: ${reason}.`
  return { ...found, where, fix: found.fix + more, changes: [] }
}

function reasonOf({ name, untouched }: ConfigFile, file: ConfigFile | undefined): string {
  return name === file?.name ? `${untouched}` : `a part of it stands in ${name}, and ${untouched}`
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
