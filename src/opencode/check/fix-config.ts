import { mergedValue, type ConfigFile } from '../config-files.ts'
import { checkConfig, type CheckReport } from './check-config.ts'
import type { JsonPath } from '../jsonc.ts'
import type { CheckInput } from './check-input.ts'
import type { FindingCode } from './finding.ts'
import { isWithin } from './is-within.ts'
import { planChanges, type FilePlace } from './plan-changes.ts'

/** A field that was changed, and why. */
export type Fixed = FilePlace & { code: FindingCode }

/** What the files are after all has been mended that can be, and what is still to be told. */
export type FixedConfig = {
  files: readonly ConfigFile[]
  fixed: readonly Fixed[]
  report: CheckReport
}

/** A mended fault can uncover another one: a reserve, for example, counts from the day that `limit.input` is there. */
const MOST_ROUNDS = 10

/** Mends what it can, and checks again. */
export function fixConfig(input: CheckInput): FixedConfig {
  let { files } = input
  const fixed: Fixed[] = []
  let report = checkConfig(input)
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const known = fixed.length
    const touched: JsonPath[] = []
    for (const { code, changes } of report.findings) {
      // What was found before another change of the same field may no longer be so: the next round tells.
      const isOutdated = changes.some(({ path }) =>
        touched.some((each) => isWithin(path, each) || isWithin(each, path)),
      )
      if (isOutdated) continue
      // Planned anew: another finding may have changed the same file in between.
      const plan = planChanges(files, changes)
      if (!plan.ok) continue
      files = plan.files
      fixed.push(...plan.places.map((place) => ({ ...place, code })))
      touched.push(...plan.places.map(({ path }) => path))
    }
    if (fixed.length === known) break
    report = checkConfig({ ...input, files, document: { value: mergedValue(files) } })
  }
  return { files, fixed, report }
}
