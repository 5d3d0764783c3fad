import type { CheckReport } from '../opencode/check/check-config.ts'
import type { Finding, Severity } from '../opencode/check/finding.ts'
import type { ModelRow } from '../opencode/check/model-row.ts'
import { showCount } from '../opencode/show-count.ts'
import { showJsonPath } from '../opencode/show-path.ts'

/** Colours a word where the terminal has colours. */
export type Paint = (severity: Severity | 'ok', text: string) => string

export const PLAIN: Paint = (_, text) => text

const COLOURS = { error: '31', warning: '33', hint: '36', ok: '32' }

/** Colours for a terminal (ECMA-48 SGR). */
export const COLOURED: Paint = (severity, text) => `\u001B[${COLOURS[severity]}m${text}\u001B[0m`

const COLUMNS = ['model', 'context', 'input', 'output', 'real context', 'compacts at', 'verdict']
const NONE = '-'

/** What `swapgate check` tells: the files if there are several, a line for each model, what was found, the sum. */
export function checkText(
  { rows, findings }: CheckReport,
  paint: Paint,
  files: readonly string[] = [],
): string {
  const parts = [
    ...(files.length > 1 ? [printable(`OpenCode puts together: ${files.join(', ')}`)] : []),
    ...(rows.length > 0 ? [table([COLUMNS, ...rows.map(cells)])] : []),
    ...findings.map((finding) => findingText(finding, paint)),
    sumText(findings, paint),
  ]
  return `${parts.join('\n\n')}\n`
}

function cells({ model, written, real, compactsAt, verdict }: ModelRow): string[] {
  const { context, input, output } = written
  return [
    printable(model),
    numberText(context),
    numberText(input),
    numberText(output),
    realText(real),
    verdict === 'no-file' ? NONE : compactsAt === undefined ? 'never' : showCount(compactsAt),
    verdict === 'no-file' ? NONE : verdict.replace('not-compared', 'not compared'),
  ]
}

function numberText(value: number | undefined): string {
  return value === undefined ? NONE : showCount(value)
}

function realText(real: ModelRow['real']): string {
  if (!real) return NONE
  if (real.tokens === undefined) return 'unknown'
  return `${real.certainty === 'exact' ? '' : '~'}${showCount(real.tokens)}`
}

/** Columns with figures stand to the right. */
const TO_THE_RIGHT = new Set([1, 2, 3, 4, 5])

/** Where no file was read, what would stand in it has no column. */
function table(lines: readonly string[][]): string {
  const hasFile = lines.slice(1).some((line) => line.at(-1) !== NONE)
  const columns = COLUMNS.map((_, column) => column).filter(
    (column) => hasFile || lines.slice(1).some((line) => line[column] !== NONE),
  )
  const widthOf = (column: number): number =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0))
  return lines
    .map((line) =>
      columns
        .map((column) => {
          const cell = line[column] ?? ''
          const width = widthOf(column)
          return TO_THE_RIGHT.has(column) ? cell.padStart(width) : cell.padEnd(width)
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Without what a terminal would act on: names come from files and from a server. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD')
}

function findingText(
  { severity, where, path, code, message, fix, changes }: Finding,
  paint: Paint,
): string {
  const place = [where, showJsonPath(path)].filter(Boolean).join('  ')
  const byUs = changes.length > 0 ? ' (--fix does it)' : ''
  return [
    `${paint(severity, severity)}: ${printable(place)}  [${code}]`,
    `  ${printable(message)}`,
    `  Fix: ${printable(fix)}${byUs}`,
  ].join('\n')
}

function sumText(findings: readonly Finding[], paint: Paint): string {
  if (findings.length === 0) return paint('ok', 'Nothing to find fault with.')
  const sums = (['error', 'warning', 'hint'] as const).map((severity) => {
    const number = findings.filter((finding) => finding.severity === severity).length
    return number === 0 ? undefined : `${number} ${severity}${number === 1 ? '' : 's'}`
  })
  const mendable = findings.filter(({ changes }) => changes.length > 0).length
  const offer =
    mendable === 0
      ? ''
      : ` --fix mends ${mendable === findings.length ? 'all of it' : `${mendable} of ${findings.length}`}.`
  return `${sums.filter((sum) => sum !== undefined).join(', ')}.${offer}`
}
