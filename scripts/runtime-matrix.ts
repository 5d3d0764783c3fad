import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import * as z from 'zod'
import { capabilityOf } from './capability-of.ts'

// usage: node scripts/runtime-matrix.ts RESULTS.json
// Shows a JSON report of vitest as a matrix, conformance test × runtime, and which rows not all runtimes have. Exit code 1
// where a test did not pass, or where a runtime lacks a row although its harness does not say that it cannot do that.

const report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(
        z.object({
          ancestorTitles: z.array(z.string()),
          title: z.string(),
          status: z.string(),
        }),
      ),
    }),
  ),
})

const adapter = z.object({
  harness: z.object({ name: z.string(), cannot: z.record(z.string(), z.string()) }),
})

const byText = (a: string, b: string): number => (a < b ? -1 : 1)
const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => byText(a, b)

/** Of one runtime in one file: how many tests passed, and how many did not. */
type Cell = { passed: number; other: number }

/** Tests of one title, and how many of them each runtime has. */
type Row = { file: string; text: string; counts: Map<string, number> }

const RUNTIME = /^(.* )?on (\w+)\b(.*)$/

/** What each runtime cannot do, with the reasons: one folder below adapters/ per runtime. */
const cannots = new Map<string, Record<string, string>>()
const adapters = join(import.meta.dirname, '../adapters')
for (const file of globSync(join(adapters, '*/harness.ts'))) {
  const { harness } = adapter.parse(await import(file))
  cannots.set(harness.name, harness.cannot)
}

const [, , path = ''] = process.argv
const { testResults } = report.parse(JSON.parse(readFileSync(path, 'utf8')))
const conformance = testResults.filter(({ name }) => name.includes('/test/conformance/'))

const files = new Map<string, Map<string, Cell>>()
const rows = new Map<string, Row>()
const names = [...cannots.keys()].toSorted(byText)

for (const { name, assertionResults } of conformance)
  for (const { ancestorTitles, title, status } of assertionResults) {
    const [first = '', ...others] = ancestorTitles
    const [, before = '', runtime, after = ''] = RUNTIME.exec(first) ?? []
    if (runtime === undefined) continue
    const file = basename(name)
    count(file, runtime, status)
    const text = [`${before}${after}`.trim(), ...others, title].filter(Boolean).join(' › ')
    addTo(file, withoutReasons(text), runtime)
  }

function count(file: string, runtime: string, status: string): void {
  const cells = files.get(file) ?? new Map<string, Cell>()
  const cell = cells.get(runtime) ?? { passed: 0, other: 0 }
  if (status === 'passed') cell.passed++
  else cell.other++
  files.set(file, cells.set(runtime, cell))
}

function addTo(file: string, text: string, runtime: string): void {
  const row = rows.get(`${file} › ${text}`) ?? { file, text, counts: new Map() }
  row.counts.set(runtime, (row.counts.get(runtime) ?? 0) + 1)
  rows.set(`${file} › ${text}`, row)
}

/** Runtimes that cannot do the same thing, each for a reason of its own, have the same row. */
function withoutReasons(text: string): string {
  const reasons = [...cannots.values()].flatMap((cannot) => Object.values(cannot))
  return reasons.reduce((rest, reason) => rest.replace(reason, '…'), text)
}

/** The runtimes that should have a row, and as often as any has it, but have not. */
function lacking({ file, text, counts }: Row): string[] {
  const capability = capabilityOf(file, text)
  const isUnable = (name: string): boolean =>
    capability !== undefined && cannots.get(name)?.[capability] !== undefined
  // What only those have that cannot do it is the proof that they cannot.
  const isProof = [...counts.keys()].every(isUnable)
  const most = Math.max(...counts.values())
  return names.filter((name) => isUnable(name) === isProof && (counts.get(name) ?? 0) < most)
}

function shownCell(cell: Cell | undefined): string {
  if (!cell) return 'none'
  return cell.other === 0 ? String(cell.passed) : `${cell.passed}, ${cell.other} not passed`
}

console.log(`| conformance tests | ${names.join(' | ')} |`)
console.log(`|---|${names.map(() => '---:').join('|')}|`)
for (const [file, cells] of [...files].toSorted(byName)) {
  const shown = names.map((runtime) => shownCell(cells.get(runtime)))
  console.log(`| ${file} | ${shown.join(' | ')} |`)
}

console.log(
  '\nRows that not all runtimes have; what a runtime cannot do is proven by a row of its own, its reason (…) is in its harness:',
)
const sorted = [...rows].toSorted(byName)
for (const [name, { counts }] of sorted)
  if (counts.size < names.length)
    console.log(`- ${name} [${names.filter((runtime) => counts.has(runtime)).join(', ')}]`)

const missing = sorted.map(([name, row]) => ({ name, on: lacking(row) }))
const faults = missing.filter(({ on }) => on.length > 0)
if (faults.length > 0)
  console.log('\nRows that are missing, and no `cannot` of a harness says why:')
for (const { name, on } of faults) console.log(`- ${name} [not on ${on.join(', ')}]`)

const isPassed = [...files.values()].every((cells) =>
  [...cells.values()].every(({ other }) => other === 0),
)
process.exitCode = files.size > 0 && isPassed && faults.length === 0 ? 0 : 1
