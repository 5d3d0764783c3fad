import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import * as z from 'zod'

// usage: node scripts/runtime-matrix.ts RESULTS.json
// Shows a JSON report of vitest as a matrix, conformance test × runtime, and where a runtime lacks a row that others
// have. Exit code 1 where a test was skipped, or where a runtime lacks a whole file of tests.

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

/** Of one runtime in one file: how many tests passed, and how many did not. */
type Cell = { passed: number; other: number }

const RUNTIME = /^(?:.* )?on (\w+)\b(.*)$/

const [, , file = ''] = process.argv
const { testResults } = report.parse(JSON.parse(readFileSync(file, 'utf8')))
const conformance = testResults.filter(({ name }) => name.includes('/test/conformance/'))

const runtimes = new Set<string>()
const files = new Map<string, Map<string, Cell>>()
/** The runtimes that have a test of this title. */
const rows = new Map<string, Set<string>>()

for (const { name, assertionResults } of conformance)
  for (const { ancestorTitles, title, status } of assertionResults) {
    const found = ancestorTitles.map((text) => RUNTIME.exec(text)).find((match) => match !== null)
    if (!found) continue
    const [, runtime = '', rest = ''] = found
    runtimes.add(runtime)
    const cells = files.get(basename(name)) ?? new Map<string, Cell>()
    const cell = cells.get(runtime) ?? { passed: 0, other: 0 }
    if (status === 'passed') cell.passed++
    else cell.other++
    files.set(basename(name), cells.set(runtime, cell))
    const row = [basename(name), rest, ...ancestorTitles.slice(1), title]
      .filter(Boolean)
      .join(' › ')
    rows.set(row, (rows.get(row) ?? new Set()).add(runtime))
  }

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1)
const names = [...runtimes].toSorted()
console.log(`| conformance tests | ${names.join(' | ')} |`)
console.log(`|---|${names.map(() => '---:').join('|')}|`)
for (const [name, cells] of [...files].toSorted(byName)) {
  const shown = names.map((runtime) => shownCell(cells.get(runtime)))
  console.log(`| ${name} | ${shown.join(' | ')} |`)
}

function shownCell(cell: Cell | undefined): string {
  if (!cell) return 'none'
  return cell.other === 0 ? String(cell.passed) : `${cell.passed}, ${cell.other} not passed`
}

console.log(
  '\nRows that not all runtimes have; what a runtime cannot do is proven by a row of its own, with the reason:',
)
for (const [row, have] of [...rows].toSorted(byName))
  if (have.size < names.length)
    console.log(`- ${row} [${names.filter((name) => have.has(name)).join(', ')}]`)

const isWhole = [...files.values()].every((cells) =>
  names.every((runtime) => cells.get(runtime)?.other === 0),
)
process.exitCode = isWhole && files.size > 0 ? 0 : 1
