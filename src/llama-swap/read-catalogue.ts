import type { CatalogueModel, Modality, ModelUse } from './catalogue.ts'
import { CONTEXT_SOURCES, type ContextSize } from './context-size.ts'
import type { ListedModel } from './read-listing.ts'
import { field, texts } from '../json/read-unknown.ts'
import { soundsThinking } from './command/thinking-families.ts'

/**
 * What a listing says of its models: the gate's own, with all that the gate knows of them, or llama-swap's, with what its
 * owner wrote there. What is missing or malformed is taken as not said.
 */
export function readCatalogue(records: readonly ListedModel[]): CatalogueModel[] {
  const namesOf = new Map<string, string[]>()
  for (const record of records) {
    const { id, aliases } = ownNames(record)
    namesOf.set(id, [...new Set([...(namesOf.get(id) ?? [id]), ...aliases])])
  }
  return records.map((record) => {
    const names = namesOf.get(ownNames(record).id) ?? []
    return modelIn(
      record,
      names.filter((name) => name !== record.id),
    )
  })
}

/** The id of the model that a record is of, and the other names that it tells. */
function ownNames(record: ListedModel): { id: string; aliases: readonly string[] } {
  const about = aboutOf(record)
  const target = field(about, 'modelID')
  if (field(about, 'type') === 'alias' && typeof target === 'string')
    return { id: target, aliases: [record.id] }
  return { id: record.id, aliases: texts(field(about, 'aliases')) }
}

function modelIn(record: ListedModel, aliases: readonly string[]): CatalogueModel {
  const said = field(field(record, 'meta'), 'swapgate')
  const architecture = field(record, 'architecture')
  const output = modalities(field(architecture, 'output_modalities'))
  return {
    id: record.id,
    name: textIn(record, 'name'),
    description: textIn(record, 'description'),
    kind: kindOf(record),
    aliases,
    use: oneOf(USES, field(said, 'use')) ?? useOf(record, output),
    input: modalities(field(architecture, 'input_modalities')),
    output,
    tools: toolsIn(record),
    reasoning: reasoningIn(record),
    outputLimit: countIn(record, 'max_output_tokens'),
    slots: countIn(said, 'slots'),
    context: contextIn(record),
    isLoaded: field(field(record, 'status'), 'value') === 'loaded',
  }
}

const KINDS = ['model', 'alias', 'peer', 'selector', 'profile'] as const

function kindOf(record: ListedModel): CatalogueModel['kind'] {
  return oneOf(KINDS, field(aboutOf(record), 'type')) ?? 'model'
}

const USES = ['chat', 'embeddings', 'rerank', 'other'] as const

function useOf(record: ListedModel, output: readonly Modality[]): ModelUse {
  if (field(field(record, 'capabilities'), 'reranker') === true) return 'rerank'
  return output.includes('text') ? 'chat' : 'other'
}

const MODALITIES = ['text', 'image', 'audio', 'video'] as const
const TEXT_ONLY: readonly Modality[] = ['text']

/** Text is what nearly all models take and give; llama-swap says nothing unless its owner does. */
function modalities(value: unknown): readonly Modality[] {
  const written = texts(value)
  const known = MODALITIES.filter((modality) => written.includes(modality))
  return known.length > 0 ? known : TEXT_ONLY
}

function toolsIn(record: ListedModel): boolean | undefined {
  const said = field(field(record, 'capabilities'), 'function_calling')
  if (typeof said === 'boolean') return said
  return texts(field(record, 'supported_parameters')).includes('tools') ? true : undefined
}

/** The gate's word, else the owner's in llama-swap's "metadata", else what the name sounds like. */
function reasoningIn(record: ListedModel): boolean {
  const said = field(field(field(record, 'meta'), 'swapgate'), 'reasoning')
  const written = said ?? field(aboutOf(record), 'reasoning')
  return typeof written === 'boolean' ? written : soundsThinking(record.id, textIn(record, 'name'))
}

const CERTAINTIES = ['exact', 'estimate'] as const

function contextIn(record: ListedModel): ContextSize {
  const meta = field(record, 'meta')
  const said = field(meta, 'swapgate')
  const tokens = countIn(record, 'context_length') ?? countIn(meta, 'n_ctx')
  const source = oneOf(CONTEXT_SOURCES, field(said, 'context_source'))
  const why = textIn(said, 'context_why')
  if (tokens === undefined) return { tokens, source: 'unknown', why: why ?? NOBODY_SAID }
  if (source === undefined || source === 'unknown')
    return { tokens, source: 'listing', certainty: 'estimate', why: BY_HAND }
  const certainty = oneOf(CERTAINTIES, field(said, 'context_certainty')) ?? 'estimate'
  return { tokens, source, certainty, why: why ?? '' }
}

const NOBODY_SAID = "llama-swap's list does not say it"
const BY_HAND = "llama-swap's list says so, where it was written by hand"

function aboutOf(record: ListedModel): unknown {
  return field(field(record, 'meta'), 'llamaswap')
}

function textIn(value: unknown, name: string): string | undefined {
  const text = field(value, name)
  return typeof text === 'string' && text !== '' ? text : undefined
}

/** A whole number of at least one. */
function countIn(value: unknown, name: string): number | undefined {
  const count = field(value, name)
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : undefined
}

function oneOf<T extends string>(known: readonly T[], value: unknown): T | undefined {
  return known.find((one) => one === value)
}
