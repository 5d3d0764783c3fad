import type { CheckReport } from '../opencode/check/check-config.ts'
import { escapedJson, showJsonPath } from '../opencode/show-path.ts'

/** What `swapgate check --json` prints: the same for every end, also where there was nothing to look at. */
export function checkJson(
  { rows, findings }: CheckReport,
  files: readonly string[],
  exitCode: number,
): string {
  const report = {
    version: 1,
    files,
    models: rows,
    findings: findings.map(({ changes, path, ...finding }) => ({
      ...finding,
      path: showJsonPath(path),
      isMendable: changes.length > 0,
    })),
    exitCode,
  }
  return `${escapedJson(JSON.stringify(report, null, 2))}\n`
}
