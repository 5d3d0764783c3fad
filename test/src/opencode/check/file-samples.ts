import type { CheckInput } from '../../../../src/opencode/check/check-input.ts'
import { mergedValue, type ConfigFile } from '../../../../src/opencode/config-files.ts'
import { readJsonc } from '../../../../src/opencode/jsonc.ts'
import { aCheck, type Planted } from './check-samples.ts'

/** A file as it was read; `untouched`: why it may not be changed. */
export function aFile(name: string, text: string, untouched?: string): ConfigFile {
  const document = readJsonc(text)
  if (!document.ok) throw new Error(document.message)
  return { name, text, document, untouched }
}

/** A check of several files, the first of which counts least. */
export function aCheckOf(files: readonly ConfigFile[], planted: Planted = {}): CheckInput {
  return { ...aCheck(planted), files, document: { value: mergedValue(files) } }
}
