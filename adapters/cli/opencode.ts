import { formatJson } from '../../src/opencode/format-json.ts'
import { readJsonc } from '../../src/opencode/jsonc.ts'
import {
  mergeOpencode,
  type KnownForMerge,
  type MergedConfig,
} from '../../src/opencode/merge-config.ts'
import { AnotherGate } from '../../src/opencode/provider-to-write.ts'
import {
  opencodeNotes,
  renderOpencode,
  type OpencodeFile,
} from '../../src/opencode/render-config.ts'
import { showJsonPath } from '../../src/opencode/show-path.ts'
import { withoutSubstitutions } from '../../src/opencode/substitution.ts'
import { writeCommand } from '../../src/opencode/write-command.ts'
import { knownModels } from './known-models.ts'
import { machineFacts } from './machine-facts.ts'
import { globalFile, localFile, readConfigText, writeConfigText } from './opencode-files.ts'
import { failed, misused, tell, type Failure, type Outcome } from './outcome.ts'

/** What `swapgate opencode` is asked for. */
export type OpencodeOptions = {
  write: boolean
  /** The file to write; the usual one where it is not given. */
  file: string | undefined
  global: boolean
  url: string | undefined
  keyVariable: string
  /** What OpenCode is to call the provider. */
  provider: string
}

/** Prints OpenCode's configuration, or puts it into a file. Why it could not is given back. */
export async function opencode(
  options: OpencodeOptions,
  env: NodeJS.ProcessEnv,
): Promise<Failure | undefined> {
  const known = await knownModels(options, env)
  if (!known.ok) return known
  const { baseUrl, gateUrls, upstreamUrl } = known
  const { keyVariable, provider } = options
  const models = withoutSubstitutions(known.models)
  const file = renderOpencode({ baseUrl, models, keyVariable, providerId: provider })
  for (const note of [...known.notes, ...opencodeNotes(models)]) tell(note)
  if (options.write) {
    const { variables, replaced } = machineFacts([], { keyVariable }, env)
    const about = { models, gateUrls, upstreamUrl, variables, replaced }
    return writeInto(pathFor(options, env), { file, known: about, options })
  }
  process.stdout.write(`${formatJson(file)}\n`)
  return undefined
}

function pathFor({ file, global }: OpencodeOptions, env: NodeJS.ProcessEnv): string {
  return file ?? (global ? globalFile(env) : localFile())
}

/** The gate's own file, what else is known, and what was asked for. */
type FromGate = { file: OpencodeFile; known: KnownForMerge; options: OpencodeOptions }

function writeInto(path: string, ours: FromGate): Failure | undefined {
  const read = readConfigText(path)
  if (!read.ok) return read
  const isNew = read.text === undefined || read.text.trim() === ''
  const merged: Outcome<MergedConfig> = isNew
    ? { ok: true, text: `${formatJson(ours.file)}\n`, added: [], replaced: [], left: [], notes: [] }
    : merge(path, read.text ?? '', ours)
  if (!merged.ok) return merged
  if (merged.text === read.text) {
    process.stdout.write(`${path} is as it should be; nothing was changed.\n`)
  } else {
    const failure = writeConfigText(path, merged.text, read.text ?? '')
    if (failure) return failure
    const told = isNew ? `${path} was written.` : whatChanged(path, merged)
    process.stdout.write(`${told}\n`)
  }
  for (const note of merged.notes) tell(note)
  for (const name of merged.left)
    tell(`${name} stays in ${path}, but the gate has no such model for this key.`)
  return undefined
}

function merge(
  path: string,
  text: string,
  { file, known, options }: FromGate,
): Outcome<MergedConfig> {
  const document = readJsonc(text)
  if (!document.ok)
    return misused(
      `${path}:${document.line}:${document.column}: ${document.message}. Correct it first; nothing was written.`,
    )
  try {
    return { ok: true, ...mergeOpencode(document, file, known) }
  } catch (error) {
    if (error instanceof AnotherGate) {
      const command = writeCommand({ ...options, provider: error.freeName })
      return failed(`${path}: ${error.message} Write under another name: ${command}`)
    }
    return misused(
      `${path}: ${error instanceof Error ? error.message : String(error)}. Correct it first; nothing was written.`,
    )
  }
}

const MOST_NEW = 8

/** What stood there and is gone is named whole; of what is new, so much as fits on a screen. */
function whatChanged(path: string, { added, replaced }: MergedConfig): string {
  const shown = added.slice(0, MOST_NEW)
  const rest = added.length - shown.length
  return [
    `${path} was changed:`,
    ...replaced.map((field) => `  replaced  ${showJsonPath(field)}`),
    ...shown.map((field) => `  new       ${showJsonPath(field)}`),
    ...(rest > 0 ? [`  and ${rest} more that are new`] : []),
  ].join('\n')
}
