import { entries, field, texts } from '../../../json/read-unknown.ts'
import { limitsFor, type Compaction } from '../../limits.ts'
import type { JsonPath } from '../../jsonc.ts'
import type { CheckInput } from '../check-input.ts'
import { readChoices } from '../models/choices.ts'
import { isMendable, providersOfGate } from '../providers-of-gate.ts'
import { KEY_VARIABLE } from '../../render-config.ts'
import { number, readProviders, type WrittenProvider } from '../read-written.ts'

export const RESERVED: JsonPath = ['compaction', 'reserved']

/** What the gate itself is told on the box. */
const UPSTREAM_VARIABLE = 'UPSTREAM_API_KEY'

/** The part of `compaction` that counts, whatever else stands there. */
export function readCompaction({
  document,
  machine,
}: Pick<CheckInput, 'document' | 'machine'>): Compaction {
  const compaction = field(document.value, 'compaction')
  const auto = field(compaction, 'auto')
  const reserved = number(field(compaction, 'reserved'))
  const written = typeof auto === 'boolean' ? auto : undefined
  return {
    auto: machine.isCompactionOff ? false : written,
    // A negative one is told as a value that OpenCode does not take.
    reserved: reserved !== undefined && reserved >= 0 ? reserved : undefined,
  }
}

/** Why `compaction.reserved` is not to be changed, for a person; undefined where it may be. */
export function whyReserveStays(input: CheckInput): string | undefined {
  const ours = providersOfGate(input, readProviders(input)).filter((provider) =>
    isMendable(input, provider),
  )
  if (!isGateAlone(input, ours)) return 'it counts for other providers, too'
  const variable = keyOfAnother(input, ours)
  if (variable !== undefined) return `it counts for the provider of ${variable}, too`
  const holders = input.files.filter(
    ({ document }) => RESERVED.reduce(field, document.value) !== undefined,
  )
  if (holders.some(({ untouched }) => untouched !== undefined))
    return 'its file is not to be changed'
  const isForAll = holders.some(({ name }) => input.machine.filesForAll.has(name))
  return isForAll ? 'its file counts for all projects' : undefined
}

/**
 * Whether none but the gate's provider is named anywhere: `compaction` counts for all alike. What one file names counts also
 * where another one has something else in its place, as other projects have other files.
 */
function isGateAlone(
  { files, machine }: CheckInput,
  providers: readonly WrittenProvider[],
): boolean {
  const ours = new Set(providers.map(({ id }) => id))
  const named = [...files.flatMap(({ document }) => namedIn(document.value)), ...machine.storedKeys]
  return named.every((id) => ours.has(id))
}

function namedIn(value: unknown): string[] {
  return [
    ...['provider', 'providers'].flatMap((section) =>
      entries(field(value, section)).map(([id]) => id),
    ),
    ...texts(field(value, 'enabled_providers')),
    ...readChoices(value).map(({ provider }) => provider),
  ]
}

/** OpenCode turns on each provider whose variable is set, though no file names it. */
function keyOfAnother(
  { machine }: CheckInput,
  ours: readonly WrittenProvider[],
): string | undefined {
  const words = ours.flatMap(({ value }) => JSON.stringify(value).split(/\W+/))
  const known = new Set([machine.keyVariable, KEY_VARIABLE, UPSTREAM_VARIABLE, ...words])
  return [...machine.variables].find((name) => name.endsWith('_API_KEY') && !known.has(name))
}

/** Whether a reserve leaves a model room for what comes next, and most of its window for what was said. */
export function suits(reserved: number | undefined, window: number): boolean {
  if (reserved === undefined) return true
  const { input, output } = limitsFor(window)
  return reserved >= output && reserved <= input / 2
}
