import { checkJson } from '../../src/cli/check-json.ts'
import { checkText, COLOURED, PLAIN } from '../../src/cli/check-text.ts'
import { checkConfig, type CheckReport } from '../../src/opencode/check/check-config.ts'
import { checkGateOnly, NO_FILE, unusable } from '../../src/opencode/check/check-gate-only.ts'
import type { CheckInput } from '../../src/opencode/check/check-input.ts'
import { fixConfig } from '../../src/opencode/check/fix-config.ts'
import { showJsonPath } from '../../src/opencode/show-path.ts'
import { gatherFacts } from './gather-facts.ts'
import { writeConfigTexts } from './opencode-files.ts'
import { readOpencodeFiles } from './opencode-sources.ts'
import { EXIT, missing, tell, type Failure, type Outcome } from './outcome.ts'

/** What `swapgate check` is asked for. */
export type CheckOptions = {
  /** OpenCode's configuration; the usual files where it is not given. */
  opencodeFile: string | undefined
  /** llama-swap's configuration; the one that the gate's names where it is not given. */
  modelFile: string | undefined
  url: string | undefined
  keyVariable: string
  fix: boolean
  json: boolean
}

type Looked = { report: CheckReport; files: readonly string[] }

/** Compares OpenCode's configuration with what there is. Gives the exit code, or why it could not look at all. */
export async function check(
  options: CheckOptions,
  env: NodeJS.ProcessEnv,
): Promise<Outcome<{ exitCode: number }>> {
  const looked = await look(options, env)
  if (looked.ok) return { ok: true, exitCode: print(looked, options) }
  if (!options.json) return looked
  const { exitCode, message, isMissing } = looked
  process.stdout.write(
    checkJson({ rows: [], findings: [unusable(message, isMissing)] }, [], exitCode),
  )
  return { ok: true, exitCode }
}

async function look(options: CheckOptions, env: NodeJS.ProcessEnv): Promise<Outcome<Looked>> {
  const read = readOpencodeFiles(options.opencodeFile, env)
  if (!read.ok) return read
  const hasFiles = read.files.length > 0
  if (!hasFiles && options.url === undefined) return missing(NO_FILE)
  const gathered = await gatherFacts(options, read.files, env)
  if (!gathered.ok) return gathered
  const { input, fromGate } = gathered
  const looked = lookAt(input, options.fix && hasFiles)
  if (!looked.ok) return looked
  const { rows, findings } = looked.report
  const files = read.files.map(({ name }) => name)
  return { ok: true, files, report: { rows, findings: [...fromGate, ...findings] } }
}

function lookAt(input: CheckInput, fix: boolean): Failure | { ok: true; report: CheckReport } {
  if (input.files.length === 0) return { ok: true, report: checkGateOnly(input) }
  return fix ? mend(input) : { ok: true, report: checkConfig(input) }
}

/** Writes the mended files, and tells on standard error each field that was changed; standard output has the report. */
function mend(input: CheckInput): Failure | { ok: true; report: CheckReport } {
  const { files, fixed, report } = fixConfig(input)
  const changed = files.filter(({ text }, i) => text !== input.files[i]?.text)
  const failure = writeConfigTexts(
    changed.map(({ name, text }) => ({ path: name, text, expected: textOf(input, name) })),
  )
  if (failure) return failure
  for (const { name } of changed) {
    tell(`${name} was mended:`)
    for (const { code, file, path } of fixed)
      if (file === name) process.stderr.write(`  ${code}  ${showJsonPath(path)}\n`)
  }
  return { ok: true, report }
}

function textOf({ files }: CheckInput, name: string): string | undefined {
  return files.find((file) => file.name === name)?.text
}

function print({ report, files }: Looked, { json }: CheckOptions): number {
  const hasErrors = report.findings.some(({ severity }) => severity === 'error')
  const exitCode = hasErrors ? EXIT.failed : EXIT.stopped
  const hasColours = process.stdout.isTTY && !process.env['NO_COLOR']
  const text = json
    ? checkJson(report, files, exitCode)
    : checkText(report, hasColours ? COLOURED : PLAIN, files)
  process.stdout.write(text)
  return exitCode
}
