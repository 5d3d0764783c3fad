import type { JsoncChange } from './edit-jsonc.ts'
import { depthOf, type JsoncDocument, type JsonPath } from './jsonc.ts'

/** One of the files that OpenCode puts together. */
export type ConfigFile = {
  /** Its name, as people are told it. */
  name: string
  /** As it was read, before OpenCode replaces anything in it. */
  text: string
  document: JsoncDocument
  /** Why it is not changed; undefined where it may be. */
  untouched: string | undefined
}

/** A change that may be meant for one of the files only. */
export type FileChange = JsoncChange & { file?: string }

/** What OpenCode 1.18 makes of several files: objects are put together, of all else the last one counts. */
export function mergedValue(files: readonly ConfigFile[]): unknown {
  return files.map(({ document }) => document.value).reduce(merged, {})
}

function merged(below: unknown, above: unknown): unknown {
  if (!isObject(below) || !isObject(above)) return above
  const fields = new Map(Object.entries(below))
  for (const [name, value] of Object.entries(above))
    fields.set(name, fields.has(name) ? merged(fields.get(name), value) : value)
  return Object.fromEntries(fields)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The file that has the word on a field: the last that holds it, or the longest part of the way to it. */
export function holderOf(files: readonly ConfigFile[], path: JsonPath): ConfigFile | undefined {
  return holders(files, path).at(-1)
}

function holders(files: readonly ConfigFile[], path: JsonPath): ConfigFile[] {
  const depths = files.map(({ document }) => depthOf(document, path))
  return files.filter((_, i) => depths[i] === Math.max(...depths))
}

/**
 * The files in which a change has to be made: all that hold a field that goes, the last one that holds a field that
 * changes. A new field goes where its provider, or whatever is around it, stands.
 */
export function filesToChange(
  files: readonly ConfigFile[],
  { path, value, file }: FileChange,
): ConfigFile[] {
  if (file !== undefined) return files.filter(({ name }) => name === file)
  const all = holders(files, path)
  const last = all.at(-1)
  if (!last) return []
  const depth = depthOf(last.document, path)
  if (depth === path.length) return value === undefined ? all : [last]
  if (value === undefined) return []
  const around = depth === 0 ? holders(files, ['provider']) : all
  return [around.findLast(({ untouched }) => untouched === undefined) ?? last]
}
