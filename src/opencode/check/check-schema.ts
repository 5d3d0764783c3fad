import { explainIssues } from '../../config/explain-issues.ts'
import { field } from '../../json/read-unknown.ts'
import type { ConfigFile } from '../config-files.ts'
import { opencodeSchema } from '../opencode-schema.ts'
import type { CheckInput } from './check-input.ts'
import type { Found } from './finding.ts'

/** Values that OpenCode does not take: it does not start then. It looks at each file for itself. */
export function checkSchema({ files }: CheckInput): Found[] {
  return files.flatMap(checkOne)
}

function checkOne({ name, document }: ConfigFile): Found[] {
  const result = opencodeSchema.safeParse(document.value)
  if (result.success) return []
  return explainIssues(result.error.issues, document.value).map((problem) => {
    const path = problem.path.map(String)
    const held = path.reduce(field, document.value)
    // JSON has no infinity, but 1e999 is read as one.
    const isHuge = typeof held === 'number' && !Number.isFinite(held)
    const message = isHuge ? 'is too large for a number' : problem.message
    return {
      code: 'invalid-field',
      severity: 'error',
      file: name,
      path,
      message: `OpenCode does not start with this: ${path.at(-1)} ${message}.`,
      fix: 'Correct it, or remove it.',
      changes: [],
    }
  })
}
