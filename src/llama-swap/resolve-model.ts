import type { CatalogueModel } from './catalogue.ts'
import type { Learned } from './context-book.ts'
import type { ContextSize } from './context-size.ts'
import type { BatchLimit, ModelFacts } from './model-config.ts'
import type { ServerProps } from './read-props.ts'

/** What is known of a model beside its record in llama-swap's list. */
export type Knowledge = {
  /** From `contexts` of config.json. */
  configured: number | undefined
  learned: Learned | undefined
  /** From llama-swap's configuration file. */
  facts: ModelFacts | undefined
}

/**
 * Puts together what is known of a model. A running server's word beats the configuration file, and that beats the list;
 * for the context's size the order is that of `CONTEXT_SOURCES`.
 */
export function resolveModel(listed: CatalogueModel, known: Knowledge): CatalogueModel {
  const { facts, learned } = known
  const written = facts ? withFacts(listed, facts) : listed
  const told = learned?.props ? withProps(written, learned.props) : written
  return { ...told, context: resolveContext(listed, known) }
}

function withFacts(listed: CatalogueModel, facts: ModelFacts): CatalogueModel {
  const { use, input, output, reasoning } = facts
  return {
    ...listed,
    use,
    input,
    output,
    reasoning,
    name: listed.name ?? facts.name,
    description: listed.description ?? facts.description,
    tools: facts.tools ?? listed.tools,
    outputLimit: facts.outputLimit ?? listed.outputLimit,
    slots: facts.slots ?? listed.slots,
  }
}

function withProps(model: CatalogueModel, { input, tools, slots }: ServerProps): CatalogueModel {
  return {
    ...model,
    input: input ?? model.input,
    tools: tools ?? model.tools,
    slots: slots ?? model.slots,
  }
}

function resolveContext(listed: CatalogueModel, known: Knowledge): ContextSize {
  const { configured, learned, facts } = known
  if (configured !== undefined) return configuredContext(configured)
  if (learned?.context)
    return learnedContext(learned.context, facts?.use ?? listed.use, facts?.batch)
  if (listed.context.tokens !== undefined) return listed.context
  return facts?.context ?? { tokens: undefined, source: 'unknown', why: WHY_UNKNOWN[listed.kind] }
}

/** A server that makes vectors or ranks holds more than it takes in one text, and does not say how much that is. */
function learnedContext(
  context: ContextSize,
  use: CatalogueModel['use'],
  batch: BatchLimit | undefined,
): ContextSize {
  const takesBatches = use === 'embeddings' || use === 'rerank'
  if (!takesBatches || context.source !== 'props') return context
  if (batch && batch.tokens < context.tokens)
    return { ...batch, source: 'command', certainty: 'estimate' }
  const why = batch ? context.why : WHY_BOUNDED
  return { ...context, certainty: 'estimate', why }
}

const WHY_BOUNDED = 'the running model holds as much, but a text must fit into one batch, too'

function configuredContext(tokens: number): ContextSize {
  const why = 'contexts in config.json says so'
  return { tokens, source: 'configured', certainty: 'exact', why }
}

const WHY_UNKNOWN: Record<CatalogueModel['kind'], string> = {
  model: 'nobody has said it yet; it is learned when the model runs',
  alias: 'nobody has said it yet; it is learned when the model runs',
  peer: 'the model runs on another machine',
  selector: 'llama-swap chooses among several models',
  profile: 'llama-swap chooses among several models',
}

/**
 * The sizes that `contexts` of config.json names for models: by the name that is asked for, else by its id, else by the
 * first other name of it.
 *
 * @param idOf the model that a name stands for
 */
export function configuredSizes(
  contexts: Readonly<Record<string, number>>,
  idOf: (name: string) => string,
): (name: string) => number | undefined {
  const written = new Map(Object.entries(contexts))
  const byId = new Map(
    [...written].map(([name, tokens]) => [idOf(name), tokens] as const).toReversed(),
  )
  return (name) => {
    const id = idOf(name)
    return written.get(name) ?? written.get(id) ?? byId.get(id)
  }
}
