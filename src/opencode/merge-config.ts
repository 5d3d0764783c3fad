import type { CatalogueModel } from '../llama-swap/catalogue.ts'
import { entries, field, texts } from '../llama-swap/read-unknown.ts'
import { isSameHost, parseUrl } from './check/providers-of-gate.ts'
import { isVariableName } from './check/secrets.ts'
import { changeJsonc, type JsoncChange } from './edit-jsonc.ts'
import type { JsoncDocument, JsonPath } from './jsonc.ts'
import { limitsFor, withOwnOutput, type ModelLimit } from './limits.ts'
import { providerToWrite } from './provider-to-write.ts'
import {
  opencodeModels,
  type OpencodeFile,
  type OpencodeModel,
  type OpencodeProvider,
} from './render-config.ts'

/** A file of the user's with the gate's settings in it. */
export type MergedConfig = {
  text: string
  /** The fields that are new. */
  added: readonly JsonPath[]
  /** The fields in which something else stood. */
  replaced: readonly JsonPath[]
  /** The file's models that the gate does not have; they stay. */
  left: readonly string[]
  /** What a person should know of the rest of the file: what hides the provider, what was not written. */
  notes: readonly string[]
}

/** What is known beside the settings themselves. */
export type KnownForMerge = {
  /** What they were made from: a model may stand in the file under another of its names. */
  models?: readonly CatalogueModel[]
  /** Other addresses of the same gate, without `/v1`. */
  gateUrls?: readonly string[]
  /** The environment variables that are set. */
  variables?: ReadonlySet<string>
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
  { models = [], gateUrls = [], variables = new Set() }: KnownForMerge = {},
): MergedConfig {
  const [ourId = '', provider] = Object.entries(ours.provider)[0] ?? []
  if (!provider) return { text: document.text, added: [], replaced: [], left: [], notes: [] }
  const baseUrl = provider.options.baseURL.replace(/\/v1$/, '')
  const id = providerToWrite(document.value, { id: ourId, gateUrls: [baseUrl, ...gateUrls] })
  refuseSecondForm(document.value, id)
  const theirs = field(field(document.value, 'provider'), id)
  const written = writtenModels(theirs, models)
  const fields = [
    { path: ['$schema'], value: ours.$schema, isOurs: false },
    ...providerFields(['provider', id], provider, { theirs, written }),
  ]
  const changes = fields.filter((one) => isNeeded(document.value, one))
  const isThere = ({ path }: Setting): boolean => path.reduce(field, document.value) !== undefined
  const known = new Set(Object.keys(provider.models))
  return {
    text: changeJsonc(document.text, changes),
    added: changes.filter((one) => !isThere(one)).map(({ path }) => path),
    replaced: changes.filter(isThere).map(({ path }) => path),
    left: written.filter((one) => !known.has(one.id)).map(({ key }) => key),
    notes: [
      ...hiding(document.value, id),
      ...keysAsNames(theirs, { id, variables }),
      ...choice(document.value, ours.model?.replace(`${ourId}/`, `${id}/`)),
    ],
  }
}

function refuseSecondForm(document: unknown, id: string): void {
  if (field(field(document, 'providers'), id) === undefined) return
  throw new Error(
    `${id} stands in "providers", the form of OpenCode 2, which would hide what is written here. Rename it or take it out`,
  )
}

/** What turns the provider off, however right it is. */
function hiding(document: unknown, id: string): string[] {
  const enabled = field(document, 'enabled_providers')
  const isLeftOut = Array.isArray(enabled) && !enabled.includes(id)
  const isOff = texts(field(document, 'disabled_providers')).includes(id)
  return [
    ...(isLeftOut
      ? [`OpenCode will not show ${id}: "enabled_providers" does not name it. Add it there.`]
      : []),
    ...(isOff
      ? [`OpenCode will not show ${id}: "disabled_providers" names it. Take it out there.`]
      : []),
  ]
}

function keysAsNames(
  provider: unknown,
  { id, variables }: { id: string; variables: ReadonlySet<string> },
): string[] {
  if (texts(field(provider, 'env')).every((name) => isVariableName(name, variables))) return []
  return [
    `What stands in "env" of ${id} is no name of a variable, but may be the key itself: "swapgate check --fix" takes it out.`,
  ]
}

function choice(document: unknown, model: string | undefined): string[] {
  if (model === undefined || field(document, 'model') !== undefined) return []
  return [
    `This file chooses no model to begin with. To choose one: "model": ${JSON.stringify(model)}.`,
  ]
}

/** A field to write; `isOurs`: also where the user has something else. */
type Setting = JsoncChange & { isOurs: boolean }

function isNeeded(document: unknown, { path, value, isOurs }: Setting): boolean {
  if (value === undefined) return false
  const there = path.reduce(field, document)
  if (there === undefined) return true
  return isOurs && JSON.stringify(there) !== JSON.stringify(value)
}

type Theirs = { theirs: unknown; written: readonly TheirModel[] }

function providerFields(
  path: JsonPath,
  ours: OpencodeProvider,
  { theirs, written }: Theirs,
): Setting[] {
  if (theirs === undefined) return [{ path, value: ours, isOurs: true }]
  const { npm, name, options, models } = ours
  const { baseURL, ...patience } = options
  const theirOptions = field(theirs, 'options')
  return [
    { path: [...path, 'npm'], value: npm, isOurs: false },
    { path: [...path, 'name'], value: name, isOurs: false },
    { path: [...path, 'env'], value: withTheirs(ours.env, theirs), isOurs: true },
    {
      path: [...path, 'options', 'baseURL'],
      value: baseURL,
      isOurs: !isSamePlace(field(theirOptions, 'baseURL'), baseURL),
    },
    ...Object.entries(patience).map(([option, value]) => ({
      path: [...path, 'options', option],
      value,
      isOurs: isLess(field(theirOptions, option), value),
    })),
    ...Object.entries(models).flatMap(([model, value]) => {
      const there = written.filter((one) => one.id === model)
      if (there.length === 0) return [{ path: [...path, 'models', model], value, isOurs: true }]
      return there.flatMap((one) => modelFields([...path, 'models', one.key], value, one.value))
    }),
  ]
}

/** OpenCode takes the first variable that is set, so others may stay. A key from elsewhere needs none. */
function withTheirs(ours: readonly string[], theirs: unknown): readonly string[] | undefined {
  const named = texts(field(theirs, 'env'))
  const options = field(theirs, 'options')
  const isInHeader = entries(field(options, 'headers')).some(([name]) =>
    /^(?:authorization|x-api-key)$/i.test(name),
  )
  if (named.length === 0 && (isInHeader || field(options, 'apiKey') !== undefined)) return undefined
  return [...named, ...ours.filter((name) => !named.includes(name))]
}

/** `localhost` and `127.0.0.1` are one place; where what only OpenCode replaces leads to, it alone knows. */
function isSamePlace(written: unknown, right: string): boolean {
  if (typeof written !== 'string') return false
  if (/\{(?:env|file):/.test(written)) return true
  const url = parseUrl(written)
  return url !== undefined && isSameHost(url, right) && wayOf(url) === wayOf(new URL(right))
}

function wayOf({ protocol, pathname, search, hash }: URL): string {
  return protocol + pathname.replace(/\/+$/, '') + search + hash
}

/** Whether OpenCode would give up earlier; `false` is for ever. */
function isLess(written: unknown, patience: number): boolean {
  return written !== false && !(typeof written === 'number' && written >= patience)
}

function modelFields(path: JsonPath, model: OpencodeModel, theirs: unknown): Setting[] {
  const { name, reasoning, attachment, tool_call, modalities, limit } = model
  return [
    { path: [...path, 'name'], value: name, isOurs: false },
    { path: [...path, 'reasoning'], value: reasoning, isOurs: false },
    { path: [...path, 'attachment'], value: attachment, isOurs: true },
    { path: [...path, 'tool_call'], value: tool_call, isOurs: false },
    { path: [...path, 'modalities', 'input'], value: modalities.input, isOurs: true },
    { path: [...path, 'modalities', 'output'], value: modalities.output, isOurs: true },
    ...Object.entries(limit ? limitWith(limit, theirs) : {}).map(([side, value]) => ({
      path: [...path, 'limit', side],
      value,
      isOurs: true,
    })),
  ]
}

/** An answer that is shorter than usual in this window is as long as the server lets it be. */
function limitWith(right: ModelLimit, theirs: unknown): ModelLimit {
  const output = field(field(theirs, 'limit'), 'output')
  const isCut = right.output < limitsFor(right.context).output
  const written = typeof output === 'number' ? output : undefined
  return withOwnOutput(right, written, isCut ? right.output : undefined)
}

/** `id`: the model's own name, whatever the file calls it. */
type TheirModel = { key: string; id: string; value: unknown }

function writtenModels(provider: unknown, models: readonly CatalogueModel[]): TheirModel[] {
  const shown = opencodeModels(models)
  return entries(field(provider, 'models')).map(([key, value]) => {
    const own = field(value, 'id')
    const name = typeof own === 'string' ? own : key
    const known =
      shown.find(({ id }) => id === name) ?? shown.find(({ aliases }) => aliases.includes(name))
    return { key, id: known?.id ?? name, value }
  })
}
