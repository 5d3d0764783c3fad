import { existsSync } from 'node:fs'
import { checkText, COLOURED, PLAIN } from '../../src/cli/check-text.ts'
import { field } from '../../src/llama-swap/read-unknown.ts'
import { checkConfig, type CheckReport } from '../../src/opencode/check/check-config.ts'
import type { CheckInput } from '../../src/opencode/check/check-input.ts'
import { fixConfig } from '../../src/opencode/check/fix-config.ts'
import { readJsonc } from '../../src/opencode/jsonc.ts'
import { showJsonPath } from '../../src/opencode/show-path.ts'
import { gatherFacts, type OpenFile } from './gather-facts.ts'
import { globalFile, localFile, readConfigText, writeConfigText } from './opencode-files.ts'
import { EXIT, misused, tell, type Failure, type Outcome } from './outcome.ts'

/** What `swapgate check` is asked for. */
export type CheckOptions = {
  /** OpenCode's configuration; the usual one where it is not given. */
  opencodeFile: string | undefined
  /** llama-swap's configuration; the one that the gate's names where it is not given. */
  modelFile: string | undefined
  url: string | undefined
  keyVariable: string
  fix: boolean
  json: boolean
}

/** Compares OpenCode's configuration with what there is. Gives the exit code, or why it could not look at all. */
export async function check(
  options: CheckOptions,
  env: NodeJS.ProcessEnv,
): Promise<Outcome<{ exitCode: number }>> {
  const read = readDocument(options.opencodeFile ?? usualFile(env))
  if (!read.ok) return read
  const gathered = await gatherFacts(options, read, env)
  if (!gathered.ok) return gathered
  const { input, fromGate } = gathered
  const looked = options.fix
    ? mend(input, read.path)
    : { ok: true as const, report: checkConfig(input) }
  if (!looked.ok) return looked
  const report = { ...looked.report, findings: [...fromGate, ...looked.report.findings] }
  return { ok: true, exitCode: print(report, options) }
}

/** The first file with providers in it: a project's own may have no more than the choice of a model. */
function usualFile(env: NodeJS.ProcessEnv): string | undefined {
  const there = [localFile(), globalFile(env)].filter((path) => existsSync(path))
  return there.find(hasProviders) ?? there[0]
}

function hasProviders(path: string): boolean {
  const read = readDocument(path)
  return read.ok && field(read.document.value, 'provider') !== undefined
}

function readDocument(path: string | undefined): Outcome<OpenFile> {
  if (path === undefined)
    return misused(
      'there is no opencode.json here, and none for all projects. "swapgate opencode --write" makes one.',
    )
  const read = readConfigText(path)
  if (!read.ok) return read
  if (read.text === undefined) return misused(`there is no file ${path}.`)
  const document = readJsonc(read.text)
  if (document.ok) return { ok: true, path, document }
  return misused(
    `${path}:${document.line}:${document.column}: ${document.message}. OpenCode cannot read it, either.`,
  )
}

/** Writes the mended file, and tells on standard error what was done; standard output has the report. */
function mend(input: CheckInput, path: string): Failure | { ok: true; report: CheckReport } {
  const { text, fixed, report } = fixConfig(input)
  if (text === input.document.text) return { ok: true, report }
  const failure = writeConfigText(path, text)
  if (failure) return failure
  tell(`${path} was mended:`)
  for (const { code, path: place } of fixed)
    process.stderr.write(`  ${code}  ${showJsonPath(place)}\n`)
  return { ok: true, report }
}

function print(report: CheckReport, { json }: CheckOptions): number {
  const hasErrors = report.findings.some(({ severity }) => severity === 'error')
  const exitCode = hasErrors ? EXIT.failed : EXIT.stopped
  const hasColours = process.stdout.isTTY && !process.env['NO_COLOR']
  const text = json
    ? `${JSON.stringify(forPrograms(report, exitCode), null, 2)}\n`
    : checkText(report, hasColours ? COLOURED : PLAIN)
  process.stdout.write(text)
  return exitCode
}

function forPrograms({ rows, findings }: CheckReport, exitCode: number): object {
  return {
    models: rows,
    findings: findings.map(({ changes, path, ...finding }) => ({
      ...finding,
      path: showJsonPath(path),
      isMendable: changes.length > 0,
    })),
    exitCode,
  }
}
