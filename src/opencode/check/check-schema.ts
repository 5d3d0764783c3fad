import { explainIssues } from '../../config/explain-issues.ts'
import { opencodeSchema } from '../opencode-schema.ts'
import type { CheckInput } from './check-input.ts'
import type { Found } from './finding.ts'

/** Values that OpenCode does not take: it does not start then. */
export function checkSchema({ document }: CheckInput): Found[] {
  const result = opencodeSchema.safeParse(document.value)
  if (result.success) return []
  return explainIssues(result.error.issues, document.value).map(({ path, message }) => ({
    code: 'invalid-field',
    severity: 'error',
    path: path.map(String),
    message: `OpenCode does not start with this: ${path.at(-1)} ${message}.`,
    fix: 'Correct it, or remove it.',
    changes: [],
  }))
}
