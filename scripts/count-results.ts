import { existsSync, readFileSync } from 'node:fs'
import * as z from 'zod'

// usage: node scripts/count-results.ts RESULTS.json…
// Adds up vitest's JSON reports and prints "N passed, N failed". A report that is missing, or a file of tests that did
// not even load, counts as a failure. Each test that failed is named once more, with the first lines of its error, where
// the eye rests; so is each that passed only when it was tried again. Exit code 1 when anything failed.

const assertion = z.object({
  fullName: z.string(),
  status: z.string(),
  failureMessages: z.array(z.string()).nullish(),
})
const report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string(),
      assertionResults: z.array(assertion),
    }),
  ),
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numFailedTestSuites: z.int(),
  numPendingTests: z.int(),
})

type Report = z.infer<typeof report>

const SHOWN_LINES = 12

function firstLines(text: string): string {
  return text.split('\n').slice(0, SHOWN_LINES).join('\n')
}

function tellTroubles({ testResults }: Report): void {
  for (const { name, status, message, assertionResults } of testResults) {
    const failures = assertionResults.filter((result) => result.status === 'failed')
    for (const result of assertionResults)
      if (result.status === 'passed' && (result.failureMessages?.length ?? 0) > 0)
        console.log(`ONLY ON THE SECOND TRY ${name}: ${result.fullName}`)
    for (const { fullName, failureMessages } of failures)
      console.log(`FAILED ${name}: ${fullName}\n${firstLines(failureMessages?.join('\n') ?? '')}`)
    if (status === 'failed' && failures.length === 0)
      console.log(`FAILED ${name}\n${firstLines(message)}`)
  }
}

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
  tellTroubles(counts)
  passed += counts.numPassedTests
  skipped += counts.numPendingTests
  // A suite whose set-up failed reports its tests as pending: the suite itself is then the failure.
  failed += Math.max(counts.numFailedTests, counts.numFailedTestSuites > 0 ? 1 : 0)
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed > 0 ? 1 : 0
