import type { CatalogueModel } from './catalogue.ts'
import type { ListedModel } from './read-listing.ts'
import { entries, field, texts } from '../json/read-unknown.ts'

/**
 * A record of `GET /v1/models` with all that is known of its model: llama-swap's own with its fields, those of OpenAI's
 * and Anthropic's forms, and where the size of the context is known from.
 */
export function enrichRecord(record: ListedModel, model: CatalogueModel): ListedModel {
  const created = createdOf(record)
  const { context } = model
  return {
    ...without(record, ['context_length', 'max_model_len', 'max_output_tokens']),
    id: record.id,
    object: 'model',
    created,
    owned_by: field(record, 'owned_by') ?? 'llama-swap',
    type: 'model',
    display_name: model.name ?? model.id,
    created_at: new Date(created * 1000).toISOString(),
    ...(model.name !== undefined && { name: model.name }),
    ...(model.description !== undefined && { description: model.description }),
    ...(context.tokens !== undefined && {
      context_length: context.tokens,
      max_model_len: context.tokens,
    }),
    ...(model.outputLimit !== undefined && { max_output_tokens: model.outputLimit }),
    architecture: {
      ...own(record, 'architecture'),
      input_modalities: model.input,
      output_modalities: model.output,
      modality: `${model.input.join('+')}->${model.output.join('+')}`,
    },
    ...abilitiesOf(record, model),
    meta: metaOf(record, model),
  }
}

/** The latest time that a Date can hold, in seconds. */
const END_OF_TIME = 8_640_000_000_000

/** Seconds since the epoch; its beginning where nobody said when. */
function createdOf(record: ListedModel): number {
  const created = field(record, 'created')
  const isTime = typeof created === 'number' && created >= 0 && created <= END_OF_TIME
  return isTime ? created : 0
}

const TOOL_PARAMETERS = ['tools', 'tool_choice']

/** What is not known is left out: `false` would tell clients not to try. */
function abilitiesOf(record: ListedModel, { input, tools, use }: CatalogueModel): object {
  const said = own(record, 'capabilities')
  const hasVision = input.includes('image')
  const capabilities = {
    ...said,
    ...((hasVision || 'vision' in said) && { vision: hasVision }),
    ...(tools !== undefined && { function_calling: tools }),
    ...((use === 'rerank' || 'reranker' in said) && { reranker: use === 'rerank' }),
  }
  const others = texts(field(record, 'supported_parameters')).filter(
    (name) => !TOOL_PARAMETERS.includes(name),
  )
  const parameters = tools === true ? [...TOOL_PARAMETERS, ...others] : others
  return {
    ...(Object.keys(capabilities).length > 0 && { capabilities }),
    ...(parameters.length + Number(tools === false) > 0 && { supported_parameters: parameters }),
  }
}

function metaOf(record: ListedModel, { context, use, reasoning, slots }: CatalogueModel): object {
  return {
    ...without(own(record, 'meta'), ['n_ctx', 'swapgate']),
    ...(context.tokens !== undefined && { n_ctx: context.tokens }),
    swapgate: {
      context_source: context.source,
      ...(context.tokens !== undefined && { context_certainty: context.certainty }),
      context_why: context.why,
      use,
      reasoning,
      ...(slots !== undefined && { slots }),
    },
  }
}

function own(record: ListedModel, name: string): object {
  return Object.fromEntries(entries(field(record, name)))
}

function without(value: object, names: readonly string[]): object {
  return Object.fromEntries(entries(value).filter(([name]) => !names.includes(name)))
}

/** Whether a record was enriched already, by the gate behind this one. */
export function isEnriched(record: ListedModel): boolean {
  return typeof field(field(field(record, 'meta'), 'swapgate'), 'context_source') === 'string'
}
