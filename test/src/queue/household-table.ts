import { fairQueue, firstInFirstOut, loadedFirst, type Policy } from './policies.ts'
import { HOUSEHOLD, percentile, simulate, type Result } from './simulation.ts'

const fair = (modelWait: number, residency: number) => (): Policy =>
  fairQueue({ maxModelWaitMs: modelWait * 1000, minResidencyMs: residency * 1000 })

const POLICIES: Record<string, () => Policy> = {
  "llama-swap's rule": loadedFirst,
  'first in, first out': firstInFirstOut,
  'this queue, 30 / 20 s': fair(30, 20),
  'this queue, 60 / 45 s': fair(60, 45),
  'this queue, 120 / 60 s': fair(120, 60),
}

const COLUMNS = [
  '`maxModelWaitMs` / `minResidencyMs`',
  'tokens/s',
  'swaps/h',
  'chat waits p50 / p95 s',
  'other model served',
  'its p95 s',
  "agents' p95 s",
]

/** What each order of service does to a small household on one GPU, as lines of a Markdown table. */
export function householdTable({ seeds, hours }: { seeds: number; hours: number }): string[] {
  const rows = Object.entries(POLICIES).map(([name, create]) => {
    const results = Array.from({ length: seeds }, (_, seed) =>
      simulate(create(), HOUSEHOLD, { seed, ms: hours * 3_600_000 }),
    )
    return [name, ...cellsOf(results, seeds * hours)]
  })
  return [COLUMNS, COLUMNS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}

function cellsOf(results: readonly Result[], hours: number): string[] {
  const total = (count: (result: Result) => number): number =>
    results.reduce((sum, result) => sum + count(result), 0)
  const seconds = (group: string, share: number): string => {
    const waits = results.flatMap((result) => result.groups.get(group)?.waits ?? [])
    return waits.length === 0 ? '-' : (percentile(waits, share) / 1000).toFixed(1)
  }
  const served = total((result) => result.groups.get('b')?.served ?? 0)
  const sent = total((result) => result.groups.get('b')?.sent ?? 0)
  return [
    (total((result) => result.outputTokens) / (hours * 3600)).toFixed(1),
    (total((result) => result.swaps) / hours).toFixed(1),
    `${seconds('chat', 0.5)} / ${seconds('chat', 0.95)}`,
    `${served} of ${sent}`,
    seconds('b', 0.95),
    seconds('heavy', 0.95),
  ]
}
