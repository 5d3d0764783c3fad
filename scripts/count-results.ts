import { existsSync, readFileSync } from 'node:fs'
import * as z from 'zod'

// usage: node scripts/count-results.ts RESULTS.json…
// Adds up vitest's JSON reports and prints "N passed, N failed". A report that is missing, or a file of tests that did
// not even load, counts as a failure. Exit code 1 when anything failed.

const report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numFailedTestSuites: z.int(),
  numPendingTests: z.int(),
})

let passed = 0
let failed = 0
let skipped = 0
for (const file of process.argv.slice(2)) {
  if (!existsSync(file)) {
    console.log(`${file}: no report, its tests did not run`)
    failed += 1
    continue
  }
  const counts = report.parse(JSON.parse(readFileSync(file, 'utf8')))
  passed += counts.numPassedTests
  skipped += counts.numPendingTests
  // A suite whose set-up failed reports its tests as pending: the suite itself is then the failure.
  failed += Math.max(counts.numFailedTests, counts.numFailedTestSuites > 0 ? 1 : 0)
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed > 0 ? 1 : 0
