import { entries, field, texts } from '../../../json/read-unknown.ts'
import { limitsFor, type Compaction } from '../../limits.ts'
import type { JsonPath } from '../../jsonc.ts'
import type { CheckInput } from '../check-input.ts'
import { readChoices } from '../models/choices.ts'
import { isMendable, providersOfGate } from '../providers-of-gate.ts'
import { number, readProviders } from '../read-written.ts'

export const RESERVED: JsonPath = ['compaction', 'reserved']

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
  if (!isGateAlone(input)) return 'it counts for other providers, too'
  const isOpen = input.files.every(
    ({ untouched, document }) =>
      untouched === undefined || RESERVED.reduce(field, document.value) === undefined,
  )
  return isOpen ? undefined : 'its file is not to be changed'
}

/** Whether none but the gate's provider is named anywhere: `compaction` counts for all alike. */
function isGateAlone(input: CheckInput): boolean {
  const { value } = input.document
  const ours = new Set(
    providersOfGate(input, readProviders(input))
      .filter((provider) => isMendable(input, provider))
      .map(({ id }) => id),
  )
  const named = [
    ...['provider', 'providers'].flatMap((section) =>
      entries(field(value, section)).map(([id]) => id),
    ),
    ...texts(field(value, 'enabled_providers')),
    ...readChoices(value).map(({ provider }) => provider),
    ...input.machine.storedKeys,
  ]
  return named.every((id) => ours.has(id))
}

/** Whether a reserve leaves a model room for what comes next, and most of its window for what was said. */
export function suits(reserved: number | undefined, window: number): boolean {
  if (reserved === undefined) return true
  const { input, output } = limitsFor(window)
  return reserved >= output && reserved <= input / 2
}
