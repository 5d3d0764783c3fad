import { changeJsonc, type JsoncChange } from '../edit-jsonc.ts'
import { readJsonc } from '../jsonc.ts'
import { checkConfig, type CheckReport } from './check-config.ts'
import type { CheckInput } from './check-input.ts'
import type { Finding } from './finding.ts'

/** What the file is after all has been mended that can be, and what is still to be told. */
export type FixedConfig = { text: string; fixed: readonly Finding[]; report: CheckReport }

/** A mended fault can uncover another one: a reserve, for example, counts from the day that `limit.input` is there. */
const MOST_ROUNDS = 5

/** Mends what it can, and checks again. */
export function fixConfig(input: CheckInput): FixedConfig {
  let document = input.document
  const fixed: Finding[] = []
  let report = checkConfig(input)
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const { text, mended } = fixAll(document.text, report.findings)
    const next = readJsonc(text)
    if (text === document.text || !next.ok) break
    document = next
    fixed.push(...mended)
    report = checkConfig({ ...input, document })
  }
  return { text: document.text, fixed, report }
}

function fixAll(text: string, findings: readonly Finding[]): { text: string; mended: Finding[] } {
  const mended: Finding[] = []
  let changed = text
  for (const finding of findings) {
    const next = applied(changed, finding.changes)
    if (finding.changes.length === 0 || next === undefined) continue
    changed = next
    mended.push(finding)
  }
  return { text: changed, mended }
}

/** Undefined where the file has something else in place of an object; that is told as a fault of its own. */
function applied(text: string, changes: readonly JsoncChange[]): string | undefined {
  try {
    return changeJsonc(text, changes)
  } catch {
    return undefined
  }
}
