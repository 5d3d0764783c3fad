import { withoutSlash } from '../config/without-slash.ts'
import type { CatalogueModel } from '../llama-swap/catalogue.ts'
import { entries, field, texts } from '../json/read-unknown.ts'
import { secretsIn } from './check/address/address-secrets.ts'
import { isSameHost, parseUrl } from './check/providers-of-gate.ts'
import { changeJsonc, type JsoncChange } from './edit-jsonc.ts'
import type { JsoncDocument, JsonPath } from './jsonc.ts'
import type { KnownGate } from './known-gate.ts'
import { limitsFor, withOwnOutput, type ModelLimit } from './limits.ts'
import { mergeNotes } from './merge-notes.ts'
import { providerToWrite } from './provider-to-write.ts'
import type { OpencodeFile, OpencodeModel, OpencodeProvider } from './render-config.ts'
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
  { models = [], gateUrls = [], upstreamUrl, variables = new Set() }: KnownForMerge = {},
): MergedConfig {
  const [ourId = '', provider] = Object.entries(ours.provider)[0] ?? []
  if (!provider) return { text: document.text, added: [], replaced: [], left: [], notes: [] }
  const baseUrl = provider.options.baseURL.replace(/\/v1$/, '')
  const gate: KnownGate = { gateUrls: [baseUrl, ...gateUrls], upstreamUrl }
  const id = providerToWrite(document.value, { ...gate, id: ourId })
  refuseSecondForm(document.value, id)
  const theirs = field(field(document.value, 'provider'), id)
  const written = theirModels(theirs, models)
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
    notes: mergeNotes({
      document: document.value,
      id,
      ours: provider,
      theirs,
      written,
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
      isOurs: !mayStay(field(theirOptions, 'baseURL'), baseURL),
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

/**
 * Whether an address leads to the right place: `localhost` and `127.0.0.1` are one, and where what only OpenCode replaces
 * leads to, it alone knows. Where it holds what may be the only copy of a key, a person has to take that out.
 */
function mayStay(written: unknown, right: string): boolean {
  if (typeof written !== 'string') return false
  if (/\{(?:env|file):/.test(written) || secretsIn(written).length > 0) return true
  const url = parseUrl(written)
  return url !== undefined && isSameHost(url, right) && wayOf(url) === wayOf(new URL(right))
}

function wayOf({ protocol, pathname, search, hash }: URL): string {
  return protocol + withoutSlash(pathname) + search + hash
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
