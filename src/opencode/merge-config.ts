import type { CatalogueModel } from '../llama-swap/catalogue.ts'
import { field } from '../json/read-unknown.ts'
import { number } from './check/read-written.ts'
import { changeJsonc } from './edit-jsonc.ts'
import type { JsoncDocument, JsonPath } from './jsonc.ts'
import { rightEnv } from './key-variable.ts'
import { mayStay, type KnownGate } from './known-gate.ts'
import { fitting, modelFields, type Setting } from './merge-models.ts'
import { mergeNotes } from './merge-notes.ts'
import { providerToWrite } from './provider-to-write.ts'
import type { OpencodeFile, OpencodeProvider } from './render-config.ts'
import { theirModels, type TheirModel } from './their-models.ts'

/** A file of the user's with the gate's settings in it. */
export type MergedConfig = {
  text: string
  /** The fields that are new. */
  added: readonly JsonPath[]
  /** The fields in which something else stood. */
  replaced: readonly JsonPath[]
  /** The file's models that the gate does not have; they stay. */
  left: readonly string[]
  /** What a person should know of the rest of the file: what hides the provider, what leads to the same box. */
  notes: readonly string[]
}

/** What is known beside the settings themselves. */
export type KnownForMerge = {
  /** What they were made from: a model may stand in the file under another of its names. */
  models?: readonly CatalogueModel[]
  /** Other addresses of the same gate, without `/v1`. */
  gateUrls?: readonly string[]
  /** Where llama-swap listens behind it. */
  upstreamUrl?: string | undefined
  /** The environment variables that are set. */
  variables?: ReadonlySet<string>
  /** What OpenCode makes of a text in which `{env:NAME}` stands. */
  replaced?: ((text: string) => string) | undefined
}

/**
 * Puts what the gate knows into a file that somebody may have written by hand. Where the gate is, and what its models
 * hold and see, is set; time-outs are raised. A name, a package, a variable, a longer answer or `tool_call` that
 * stands there stays, and so does all else. Which model to begin with is the user's own choice in a file of theirs.
 *
 * @throws AnotherGate when the provider leads to another gate, and Error when a field that must hold others is none that can, or when the provider is there in the form of
 *   OpenCode 2, which would then be the one that counts
 */
export function mergeOpencode(
  document: JsoncDocument,
  ours: OpencodeFile,
  known: KnownForMerge = {},
): MergedConfig {
  const { models = [], gateUrls = [], upstreamUrl, variables = new Set(), replaced } = known
  const [ourId = '', provider] = Object.entries(ours.provider)[0] ?? []
  if (!provider) return { text: document.text, added: [], replaced: [], left: [], notes: [] }
  const baseUrl = provider.options.baseURL.replace(/\/v1$/, '')
  const gate: KnownGate = { gateUrls: [baseUrl, ...gateUrls], upstreamUrl, replaced }
  const id = providerToWrite(document.value, { ...gate, id: ourId })
  refuseSecondForm(document.value, id)
  const theirs = field(field(document.value, 'provider'), id)
  const written = theirModels(theirs, models)
  const reserved = number(field(field(document.value, 'compaction'), 'reserved'))
  const fields = [
    { path: ['$schema'], value: ours.$schema, isOurs: false },
    ...providerFields(['provider', id], provider, { theirs, written, reserved, gate, variables }),
  ]
  const changes = fields.filter((one) => isNeeded(document.value, one))
  const isThere = ({ path }: Setting): boolean => path.reduce(field, document.value) !== undefined
  const ids = new Set(Object.keys(provider.models))
  return {
    text: changeJsonc(document.text, changes),
    added: changes.filter((one) => !isThere(one)).map(({ path }) => path),
    replaced: changes.filter(isThere).map(({ path }) => path),
    left: written.filter((one) => !ids.has(one.id)).map(({ key }) => key),
    notes: mergeNotes({
      document: document.value,
      id,
      ours: provider,
      theirs,
      written,
      reserved,
      gate,
      variables,
    }),
  }
}

function refuseSecondForm(document: unknown, id: string): void {
  if (field(field(document, 'providers'), id) === undefined) return
  throw new Error(
    `${id} stands in "providers", the form of OpenCode 2, which would hide what is written here. Rename it or take it out`,
  )
}

function isNeeded(document: unknown, { path, value, isOurs }: Setting): boolean {
  const there = path.reduce(field, document)
  if (there === undefined) return value !== undefined
  return isOurs && JSON.stringify(there) !== JSON.stringify(value)
}

type Theirs = {
  theirs: unknown
  written: readonly TheirModel[]
  /** `compaction.reserved` of the file, which counts for other providers, too, and stays. */
  reserved: number | undefined
  gate: KnownGate
  variables: ReadonlySet<string>
}

function providerFields(path: JsonPath, ours: OpencodeProvider, known: Theirs): Setting[] {
  const { theirs, reserved, gate, variables } = known
  const { npm, name, options, models } = ours
  if (theirs === undefined) {
    const fit = Object.entries(models).map(([id, model]) => [id, fitting(model, reserved)])
    return [{ path, value: { ...ours, models: Object.fromEntries(fit) }, isOurs: true }]
  }
  const { baseURL, ...patience } = options
  const theirOptions = field(theirs, 'options')
  const env = rightEnv(theirs, { ours: ours.env, variables })
  return [
    { path: [...path, 'npm'], value: npm, isOurs: false },
    { path: [...path, 'name'], value: name, isOurs: false },
    { path: [...path, 'env'], value: env, isOurs: env !== undefined },
    {
      path: [...path, 'options', 'baseURL'],
      value: baseURL,
      isOurs: !mayStay(field(theirOptions, 'baseURL'), gate),
    },
    ...Object.entries(patience).map(([option, value]) => ({
      path: [...path, 'options', option],
      value,
      isOurs: isLess(field(theirOptions, option), value),
    })),
    ...modelsFields([...path, 'models'], ours, known),
  ]
}

/** An entry that stands under the name of a model, but is for another, stays: the note says so. */
function modelsFields(
  path: JsonPath,
  { models }: OpencodeProvider,
  { theirs, written, reserved }: Theirs,
): Setting[] {
  return Object.entries(models).flatMap(([id, model]) => {
    const there = written.filter((one) => one.id === id)
    if (there.length === 0) {
      if (field(field(theirs, 'models'), id) !== undefined) return []
      return [{ path: [...path, id], value: fitting(model, reserved), isOurs: true }]
    }
    return there.flatMap(({ key, value }) =>
      modelFields([...path, key], model, { theirs: value, reserved }),
    )
  })
}

/** Whether OpenCode would give up earlier; `false` is for ever. */
function isLess(written: unknown, patience: number): boolean {
  return written !== false && !(typeof written === 'number' && written >= patience)
}
