import { field } from '../llama-swap/read-unknown.ts'
import { isSameHost, parseUrl } from './check/providers-of-gate.ts'
import { changeJsonc, type JsoncChange } from './edit-jsonc.ts'
import type { JsoncDocument, JsonPath } from './jsonc.ts'
import type { OpencodeFile, OpencodeModel, OpencodeProvider } from './render-config.ts'

/** A file of the user's with the gate's settings in it. */
export type MergedConfig = {
  text: string
  /** The fields that are new or different now. */
  changed: readonly JsonPath[]
  /** The file's models that the gate does not have; they stay. */
  left: readonly string[]
}

/**
 * Puts what the gate knows into a file that somebody may have written by hand. Where the gate is, what its models hold
 * and can do is set; names, the chosen model and compaction only where there are none. All else stays as it is.
 *
 * @throws Error when a field that must hold others is none that can
 */
export function mergeOpencode(document: JsoncDocument, ours: OpencodeFile): MergedConfig {
  const [ourId = '', provider] = Object.entries(ours.provider)[0] ?? []
  if (!provider) return { text: document.text, changed: [], left: [] }
  const id = providerIdIn(document.value, ourId, provider)
  const theirs = field(field(document.value, 'provider'), id)
  const fields = [
    { path: ['$schema'], value: ours.$schema, isOurs: false },
    { path: ['model'], value: ours.model?.replace(`${ourId}/`, `${id}/`), isOurs: false },
    ...providerFields(['provider', id], provider, theirs),
    { path: ['compaction'], value: ours.compaction, isOurs: false },
  ]
  const changes = fields.filter((one) => isNeeded(document.value, one))
  const known = new Set(Object.keys(provider.models))
  return {
    text: changeJsonc(document.text, changes),
    changed: changes.map(({ path }) => path),
    left: writtenModels(theirs)
      .filter(({ wireName }) => !known.has(wireName))
      .map(({ key }) => key),
  }
}

/** A field to write; `isOurs`: also where the user has something else. */
type Setting = JsoncChange & { isOurs: boolean }

function isNeeded(document: unknown, { path, value, isOurs }: Setting): boolean {
  if (value === undefined) return false
  const there = path.reduce(field, document)
  if (there === undefined) return true
  return isOurs && JSON.stringify(there) !== JSON.stringify(value)
}

/** The user may have given the provider another name: it is the one that leads to the same place. */
function providerIdIn(document: unknown, ourId: string, { options }: OpencodeProvider): string {
  const providers = field(document, 'provider')
  if (field(providers, ourId) !== undefined || typeof providers !== 'object' || !providers)
    return ourId
  const same = Object.entries(providers).find(([, provider]) => {
    const url = field(field(provider, 'options'), 'baseURL')
    const parsed = typeof url === 'string' ? parseUrl(url) : undefined
    return parsed && isSameHost(parsed, options.baseURL)
  })
  return same?.[0] ?? ourId
}

function providerFields(path: JsonPath, ours: OpencodeProvider, theirs: unknown): Setting[] {
  if (theirs === undefined) return [{ path, value: ours, isOurs: true }]
  const { npm, name, env, options, models } = ours
  const written = new Map(writtenModels(theirs).map(({ key, wireName }) => [wireName, key]))
  return [
    { path: [...path, 'npm'], value: npm, isOurs: true },
    { path: [...path, 'name'], value: name, isOurs: false },
    { path: [...path, 'env'], value: withTheirs(env, field(theirs, 'env')), isOurs: true },
    ...Object.entries(options).map(([option, value]) => ({
      path: [...path, 'options', option],
      value,
      isOurs: true,
    })),
    ...Object.entries(models).flatMap(([wireName, model]) => {
      const key = written.get(wireName)
      const at = [...path, 'models', key ?? wireName]
      return key === undefined ? [{ path: at, value: model, isOurs: true }] : modelFields(at, model)
    }),
  ]
}

/** OpenCode takes the first variable that is set, so others may stay. */
function withTheirs(ours: readonly string[], theirs: unknown): unknown {
  const isThere = Array.isArray(theirs) && ours.every((name) => theirs.includes(name))
  return isThere ? theirs : ours
}

function modelFields(path: JsonPath, model: OpencodeModel): Setting[] {
  const { name, reasoning, attachment, tool_call, modalities, limit } = model
  return [
    { path: [...path, 'name'], value: name, isOurs: false },
    { path: [...path, 'reasoning'], value: reasoning, isOurs: false },
    { path: [...path, 'attachment'], value: attachment, isOurs: true },
    { path: [...path, 'tool_call'], value: tool_call, isOurs: true },
    { path: [...path, 'modalities', 'input'], value: modalities.input, isOurs: true },
    { path: [...path, 'modalities', 'output'], value: modalities.output, isOurs: true },
    ...Object.entries(limit ?? {}).map(([side, value]) => ({
      path: [...path, 'limit', side],
      value,
      isOurs: true,
    })),
  ]
}

function writtenModels(provider: unknown): Array<{ key: string; wireName: string }> {
  const models = field(provider, 'models')
  if (typeof models !== 'object' || models === null) return []
  return Object.entries(models).map(([key, model]) => {
    const id = field(model, 'id')
    return { key, wireName: typeof id === 'string' ? id : key }
  })
}
