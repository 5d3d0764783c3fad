import { filesToChange, mergedValue, type ConfigFile, type FileChange } from '../config-files.ts'
import { changeJsonc, type JsoncChange } from '../edit-jsonc.ts'
import { readJsonc } from '../jsonc.ts'
import { checkConfig, type CheckReport } from './check-config.ts'
import type { CheckInput } from './check-input.ts'
import type { Finding } from './finding.ts'

/** What the files are after all has been mended that can be, and what is still to be told. */
export type FixedConfig = {
  files: readonly ConfigFile[]
  fixed: readonly Finding[]
  report: CheckReport
}

/** A mended fault can uncover another one: a reserve, for example, counts from the day that `limit.input` is there. */
const MOST_ROUNDS = 5

/** Mends what it can, and checks again. */
export function fixConfig(input: CheckInput): FixedConfig {
  let { files } = input
  const fixed: Finding[] = []
  let report = checkConfig(input)
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = files
    const mended = report.findings.filter(({ changes }) => {
      const next = changes.length > 0 ? changed(files, changes) : undefined
      if (next) files = next
      return next !== undefined
    })
    if (files.every(({ text }, i) => text === before[i]?.text)) break
    fixed.push(...mended)
    report = checkConfig({ ...input, files, document: { value: mergedValue(files) } })
  }
  return { files, fixed, report }
}

/** Undefined where a file has something else in place of an object; that is told as a fault of its own. */
function changed(
  files: readonly ConfigFile[],
  changes: readonly FileChange[],
): readonly ConfigFile[] | undefined {
  return changes.reduce<readonly ConfigFile[] | undefined>((all, change) => {
    const targets = all && filesToChange(all, change)
    const next = all?.map((file) => (targets?.includes(file) ? changedFile(file, change) : file))
    return next?.every((file) => file !== undefined) ? next : undefined
  }, files)
}

function changedFile(file: ConfigFile, change: JsoncChange): ConfigFile | undefined {
  try {
    const text = changeJsonc(file.text, [change])
    const document = readJsonc(text)
    return document.ok ? { ...file, text, document } : undefined
  } catch {
    return undefined
  }
}
