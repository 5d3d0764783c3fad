import { fairQueue, firstInFirstOut, loadedFirst, type Policy } from '../test/src/queue/policies.ts'
import { HOUSEHOLD, percentile, simulate, type Result } from '../test/src/queue/simulation.ts'

// usage: node bench/simulate-queue.ts [seeds, default 5] [hours, default 6]
// What the order of service does to a small household on one GPU: a simulation in virtual time, not a measurement.

const [seeds = 5, hours = 6] = process.argv.slice(2).map(Number)

const fair = (modelWait: number, residency: number) => (): Policy =>
  fairQueue({ maxModelWaitMs: modelWait * 1000, minResidencyMs: residency * 1000 })

const POLICIES: Record<string, () => Policy> = {
  "llama-swap's rule": loadedFirst,
  'strict FIFO': firstInFirstOut,
  'fair queue 30/20 s': fair(30, 20),
  'fair queue 60/45 s': fair(60, 45),
  'fair queue 120/60 s': fair(120, 60),
}

function row(create: () => Policy): Record<string, number | string> {
  const results = Array.from({ length: seeds }, (_, seed) =>
    simulate(create(), HOUSEHOLD, { seed, ms: hours * 3_600_000 }),
  )
  const total = (count: (result: Result) => number): number =>
    results.reduce((sum, result) => sum + count(result), 0)
  const waits = (group: string, share: number): string => {
    const all = results.flatMap((result) => result.groups.get(group)?.waits ?? [])
    return all.length === 0 ? '-' : (percentile(all, share) / 1000).toFixed(1)
  }
  const served = total((result) => result.groups.get('b')?.served ?? 0)
  const sent = total((result) => result.groups.get('b')?.sent ?? 0)
  return {
    'tok/s': (total((result) => result.outputTokens) / (seeds * hours * 3600)).toFixed(1),
    'swaps/h': (total((result) => result.swaps) / (seeds * hours)).toFixed(1),
    'chat p50 s': waits('chat', 0.5),
    'chat p95 s': waits('chat', 0.95),
    'b served': `${served} of ${sent}`,
    'b p95 s': waits('b', 0.95),
    'heavy p95 s': waits('heavy', 0.95),
  }
}

console.table(
  Object.fromEntries(Object.entries(POLICIES).map(([name, create]) => [name, row(create)])),
)
