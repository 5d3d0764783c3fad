import { field } from '../../json/read-unknown.ts'
import { filesToChange, mergedValue, type ConfigFile, type FileChange } from '../config-files.ts'
import { changeJsonc, type JsoncChange } from '../edit-jsonc.ts'
import { depthOf, readJsonc, type JsonPath } from '../jsonc.ts'
import { opencodeSchema } from '../opencode-schema.ts'
import { isWithin } from './is-within.ts'

/** A field of one file. */
export type FilePlace = { file: string; path: JsonPath }

/** What the files are after a change, and where they are not as they were. */
type Changed = { files: readonly ConfigFile[]; places: readonly FilePlace[] }

/** `blocker`: a file that would have to be changed, and may not be. */
export type Plan = ({ ok: true } & Changed) | { ok: false; blocker: ConfigFile | undefined }

const IMPOSSIBLE: Plan = { ok: false, blocker: undefined }

/**
 * Makes the changes of one finding, all of them or none: none where OpenCode would not see them, or would refuse the file.
 */
export function planChanges(files: readonly ConfigFile[], changes: readonly FileChange[]): Plan {
  let made: Changed = { files, places: [] }
  for (const change of changes) {
    const plan = changeOne(made, inOneFile(made.files, change))
    if (!plan.ok) return plan
    made = plan
  }
  if (!changes.every((change) => hasTaken(made.files, change)))
    return { ok: false, blocker: blockerOf(made.files, changes) }
  return isAccepted(files, made) ? { ok: true, ...made } : IMPOSSIBLE
}

function changeOne({ files, places }: Changed, change: FileChange): Plan {
  const targets = filesToChange(files, change)
  const blocker = targets.find(({ untouched }) => untouched !== undefined)
  if (blocker) return { ok: false, blocker }
  const next = files.map((file) => (targets.includes(file) ? changedFile(file, change) : file))
  if (!next.every((file) => file !== undefined)) return IMPOSSIBLE
  const fresh = next.filter(({ text }, i) => text !== files[i]?.text)
  return {
    ok: true,
    files: next,
    places: [...places, ...fresh.map(({ name }) => ({ file: name, path: change.path }))],
  }
}

/** Undefined where a file has something else in place of an object; that is told as a fault of its own. */
function changedFile(file: ConfigFile, change: JsoncChange): ConfigFile | undefined {
  try {
    const text = changeJsonc(file.text, [change])
    const document = readJsonc(text)
    return document.ok ? { ...file, text, document } : undefined
  } catch {
    return undefined
  }
}

/**
 * The values of a limit stay together, in the file whose limit counts: OpenCode looks at each file for itself. What goes has to
 * go from all files, or OpenCode still sees it.
 */
function inOneFile(files: readonly ConfigFile[], change: FileChange): FileChange {
  const limit = limitAround(change.path)
  if (!limit || change.file !== undefined || change.value === undefined) return change
  const holder = files.findLast(
    ({ untouched, document }) =>
      untouched === undefined && depthOf(document, limit) === limit.length,
  )
  return holder ? { ...change, file: holder.name } : change
}

/** The limit that a path leads to or into. */
export function limitAround(path: JsonPath): JsonPath | undefined {
  return path[2] === 'models' && path[4] === 'limit' ? path.slice(0, 5) : undefined
}

/** Whether OpenCode sees a change: another file may count more. */
function hasTaken(files: readonly ConfigFile[], { path, value, file }: FileChange): boolean {
  const own = files.find(({ name }) => name === file)?.document.value
  const seen = path.reduce(field, file === undefined ? mergedValue(files) : own)
  return JSON.stringify(seen) === JSON.stringify(value)
}

function blockerOf(
  files: readonly ConfigFile[],
  changes: readonly FileChange[],
): ConfigFile | undefined {
  return files.findLast(
    ({ untouched, document }) =>
      untouched !== undefined &&
      changes.some(({ path }) => depthOf(document, path) === path.length),
  )
}

/** Whether OpenCode takes what was changed, and as much of each file as before. */
function isAccepted(before: readonly ConfigFile[], { files, places }: Changed): boolean {
  return files.every((file, i) => {
    const known = refusedIn(before[i]).map((path) => path.join('\n'))
    const changed = places.filter((place) => place.file === file.name)
    return (
      changed.length === 0 ||
      refusedIn(file).every(
        (path) =>
          known.includes(path.join('\n')) && !changed.some((place) => isWithin(path, place.path)),
      )
    )
  })
}

/** Where OpenCode refuses a value. */
function refusedIn(file: ConfigFile | undefined): JsonPath[] {
  const { error } = opencodeSchema.safeParse(file?.document.value)
  return (error?.issues ?? []).map(({ path }) => path.map(String))
}
