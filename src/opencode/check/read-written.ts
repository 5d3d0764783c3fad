import type { CatalogueModel } from '../../llama-swap/catalogue.ts'
import { entries, field, texts } from '../../llama-swap/read-unknown.ts'
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
  baseUrl: { path: JsonPath; text: string | undefined; address: string | undefined }
  models: readonly WrittenModel[]
}

/** All providers of the file. */
export function readProviders(input: CheckInput): WrittenProvider[] {
  return entries(field(input.document.value, 'provider')).map(([id, value]) => {
    const path = ['provider', id]
    return {
      path,
      id,
      value,
      baseUrl: readBaseUrl(input, value, path),
      models: readModels(input, path, value),
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
  }
}

function readModels(input: CheckInput, path: JsonPath, provider: unknown): WrittenModel[] {
  return entries(field(provider, 'models')).map(([key, value]) => {
    const wireName = text(field(value, 'id')) ?? key
    const real = input.models?.find(({ id }) => id === wireName) ?? byAlias(input, wireName)
    return { path: [...path, 'models', key], key, wireName, value, real }
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

/** A number of a value of unknown shape. */
export function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

/** What a model is told to take: `input` or `output` of its `modalities`. */
export function modalities(model: unknown, side: 'input' | 'output'): string[] {
  return texts(field(field(model, 'modalities'), side))
}
