import type { CatalogueModel } from '../../llama-swap/catalogue.ts'
import { entries, field, texts } from '../../json/read-unknown.ts'
import type { JsonPath } from '../jsonc.ts'
import type { CheckInput } from './check-input.ts'

/** One model in OpenCode's configuration, and what it really is. */
export type WrittenModel = {
  path: JsonPath
  key: string
  /** The name that goes over the wire. */
  wireName: string
  value: unknown
  /** Undefined where the gate has no such model, or nobody knows what it has. */
  real: CatalogueModel | undefined
}

/** One provider in OpenCode's configuration. */
export type WrittenProvider = {
  path: JsonPath
  id: string
  value: unknown
  /** `options.baseURL`, or `api` in its place: as it is written, and what OpenCode makes of it. */
  baseUrl: {
    path: JsonPath
    text: string | undefined
    address: string | undefined
    /** An address that stands where OpenCode does not look for it: `options.baseUrl`, `baseURL`. */
    misplaced: MisplacedUrl | undefined
  }
  models: readonly WrittenModel[]
}

/** The name of a field below the provider, and what OpenCode would make of it. */
export type MisplacedUrl = { name: string; address: string }

/** All providers of the file; those in `providers` in the form of OpenCode 1 where that is asked for. */
export function readProviders(
  input: CheckInput,
  section: 'provider' | 'providers' = 'provider',
): WrittenProvider[] {
  return entries(field(input.document.value, section)).map(([id, value]) => {
    const path = [section, id]
    return {
      path,
      id,
      value,
      baseUrl: readBaseUrl(input, value, path),
      models: readModels(input, { path: [...path, 'models'], value, nameField: 'id' }),
    }
  })
}

function readBaseUrl(
  { machine }: CheckInput,
  provider: unknown,
  path: JsonPath,
): WrittenProvider['baseUrl'] {
  const own = text(field(field(provider, 'options'), 'baseURL'))
  const fallback = text(field(provider, 'api'))
  const written = own ?? fallback
  const isFallback = own === undefined && fallback !== undefined
  return {
    path: isFallback ? [...path, 'api'] : [...path, 'options', 'baseURL'],
    text: written,
    address: written === undefined ? undefined : machine.replaced(written),
    misplaced: written === undefined ? misplacedUrl(machine, provider) : undefined,
  }
}

const NEARLY = /^base[_-]?ur[li]$/i

/** An address that stands where OpenCode does not look for it. */
export function misplacedUrl(
  machine: Pick<CheckInput['machine'], 'replaced'>,
  provider: unknown,
): MisplacedUrl | undefined {
  const own = entries(provider)
  const options = entries(field(provider, 'options'))
  const all = [
    ...options.map(([name, value]): [string, unknown] => [`options.${name}`, value]),
    ...own,
  ]
  return all.flatMap(([name, value]): MisplacedUrl[] => {
    const written = text(value)
    const isOne = NEARLY.test(name.replace(/^options\./, '')) && name !== 'options.baseURL'
    return isOne && written !== undefined ? [{ name, address: machine.replaced(written) }] : []
  })[0]
}

type ModelsOf = { path: JsonPath; value: unknown; nameField: 'id' | 'modelID' }

/** The models of a provider; `nameField`: what the form of the file calls the name that goes over the wire. */
export function readModels(
  input: CheckInput,
  { path, value: provider, nameField }: ModelsOf,
): WrittenModel[] {
  const models = field(provider, 'models')
  // OpenCode refuses a list; the numbers of its entries are no names.
  if (Array.isArray(models)) return []
  return entries(models).map(([key, value]) => {
    const wireName = text(field(value, nameField)) ?? key
    const real = input.models?.find(({ id }) => id === wireName) ?? byAlias(input, wireName)
    return { path: [...path, key], key, wireName, value, real }
  })
}

function byAlias({ models }: CheckInput, name: string): CatalogueModel | undefined {
  return models?.find(({ aliases, kind }) => kind !== 'profile' && aliases.includes(name))
}

/** A choice of a model: `provider/model`; the model's name may hold a slash. */
export function readChoice(value: unknown): { provider: string; model: string } | undefined {
  const written = text(value)
  const slash = written?.indexOf('/') ?? -1
  if (written === undefined || slash < 0) return undefined
  return { provider: written.slice(0, slash), model: written.slice(slash + 1) }
}

/** A text of a value of unknown shape. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A number of a value of unknown shape. 1e999 is read as Infinity, which OpenCode does not take. */
export function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** What a model is told to take: `input` or `output` of its `modalities`. */
export function modalities(model: unknown, side: 'input' | 'output'): string[] {
  return texts(field(field(model, 'modalities'), side))
}
