import { formatJson } from '../../src/opencode/format-json.ts'
import { readJsonc } from '../../src/opencode/jsonc.ts'
import { mergeOpencode, type MergedConfig } from '../../src/opencode/merge-config.ts'
import {
  opencodeNotes,
  renderOpencode,
  type OpencodeFile,
} from '../../src/opencode/render-config.ts'
import { showJsonPath } from '../../src/opencode/show-path.ts'
import { knownModels } from './known-models.ts'
import { globalFile, localFile, readConfigText, writeConfigText } from './opencode-files.ts'
import { misused, tell, type Failure, type Outcome } from './outcome.ts'

/** What `swapgate opencode` is asked for. */
export type OpencodeOptions = {
  write: boolean
  /** The file to write; the usual one where it is not given. */
  file: string | undefined
  global: boolean
  url: string | undefined
  keyVariable: string
}

/** Prints OpenCode's configuration, or puts it into a file. Why it could not is given back. */
export async function opencode(
  options: OpencodeOptions,
  env: NodeJS.ProcessEnv,
): Promise<Failure | undefined> {
  const known = await knownModels(options, env)
  if (!known.ok) return known
  const { baseUrl, models } = known
  const file = renderOpencode({ baseUrl, models, keyVariable: options.keyVariable })
  for (const note of [...known.notes, ...opencodeNotes(models)]) tell(note)
  if (options.write) return writeInto(pathFor(options, env), file)
  process.stdout.write(`${formatJson(file)}\n`)
  return undefined
}

function pathFor({ file, global }: OpencodeOptions, env: NodeJS.ProcessEnv): string {
  return file ?? (global ? globalFile(env) : localFile())
}

function writeInto(path: string, ours: OpencodeFile): Failure | undefined {
  const read = readConfigText(path)
  if (!read.ok) return read
  const isNew = read.text === undefined || read.text.trim() === ''
  const merged: Outcome<MergedConfig> = isNew
    ? { ok: true, text: `${formatJson(ours)}\n`, changed: [], left: [] }
    : merge(path, read.text ?? '', ours)
  if (!merged.ok) return merged
  if (merged.text === read.text) {
    process.stdout.write(`${path} is as it should be; nothing was changed.\n`)
  } else {
    const failure = writeConfigText(path, merged.text)
    if (failure) return failure
    const told = isNew ? `${path} was written.` : whatChanged(path, merged)
    process.stdout.write(`${told}\n`)
  }
  for (const name of merged.left)
    tell(`${name} stays in ${path}, but the gate has no such model for this key.`)
  return undefined
}

function merge(path: string, text: string, ours: OpencodeFile): Outcome<MergedConfig> {
  const document = readJsonc(text)
  if (!document.ok)
    return misused(
      `${path}:${document.line}:${document.column}: ${document.message}. Correct it first; nothing was written.`,
    )
  try {
    return { ok: true, ...mergeOpencode(document, ours) }
  } catch (error) {
    return misused(
      `${path}: ${error instanceof Error ? error.message : String(error)}. Correct it first; nothing was written.`,
    )
  }
}

const MOST_LINES = 8

function whatChanged(path: string, { changed }: MergedConfig): string {
  const lines = changed.slice(0, MOST_LINES).map((field) => `  ${showJsonPath(field)}`)
  const rest = changed.length - lines.length
  const more = rest > 0 ? [`  and ${rest} more`] : []
  return [`${path} was changed:`, ...lines, ...more].join('\n')
}
