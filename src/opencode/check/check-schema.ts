import { explainIssues } from '../../config/explain-issues.ts'
import type { ConfigFile } from '../config-files.ts'
import { placeOf } from '../jsonc.ts'
import { opencodeSchema } from '../opencode-schema.ts'
import type { CheckInput } from './check-input.ts'
import type { Finding } from './finding.ts'

/** Values that OpenCode does not take: it does not start then. It looks at each file for itself. */
export function checkSchema({ files }: CheckInput): Finding[] {
  return files.flatMap(checkOne)
}

function checkOne({ name, document }: ConfigFile): Finding[] {
  const result = opencodeSchema.safeParse(document.value)
  if (result.success) return []
  return explainIssues(result.error.issues, document.value).map(({ path, message }) => ({
    code: 'invalid-field',
    severity: 'error',
    where: `${name}:${placeOf(document, path.map(String)).line}`,
    path: path.map(String),
    message: `OpenCode does not start with this: ${path.at(-1)} ${message}.`,
    fix: 'Correct it, or remove it.',
    changes: [],
  }))
}
