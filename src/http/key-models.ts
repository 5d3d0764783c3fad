import type { Deps } from '../deps.ts'
import type { GateError } from '../errors/gate-error.ts'
import { ask, errorOfAsked, type Asked, type AskingFor } from '../llama-swap/ask.ts'
import type { CatalogueModel } from '../llama-swap/catalogue.ts'
import type { ContextWatch } from '../llama-swap/context-watch.ts'
import { enrichRecord, isEnriched } from '../llama-swap/enrich-listing.ts'
import type { ModelDirectory } from '../llama-swap/model-directory.ts'
import { allowsModel } from '../llama-swap/model-names.ts'
import { readCatalogue } from '../llama-swap/read-catalogue.ts'
import { namesInListing, readListing, type ListedModel } from '../llama-swap/read-listing.ts'
import { configuredSizes, resolveModel } from '../llama-swap/resolve-model.ts'
import { withholdNames } from '../llama-swap/withhold-names.ts'
import { isOverWithin, onePerWay, shareQuestion } from '../llama-swap/shared-question.ts'
import type { GateContext } from './gate-env.ts'

/** The models that the key of a request may use, and their records in the list; or why they cannot be told. */
export type KeyModels = (
  c: GateContext,
) => Promise<
  { ok: true; models: CatalogueModel[]; records: ListedModel[] } | { ok: false; error: GateError }
>

/** Some clients wait for the list when they start, and a server may be busy: the next list has what comes later. */
const WORTH_WAITING_MS = 250

/** Where lists come from; `watch` is missing where another gate knows the contexts. */
export type ModelSources = {
  asking: AskingFor
  directory: ModelDirectory
  watch: ContextWatch | undefined
}

/** Asks llama-swap for its list, fresh each time, and adds to it what is known of the models. */
export function createKeyModels(
  { config, clock }: Pick<Deps, 'config' | 'clock'>,
  { asking, directory, watch }: ModelSources,
): KeyModels {
  const listing = createListing(clock, asking)
  return async (c) => {
    const via = c.get('via')
    const looked = watch?.look(via)
    looked?.catch(() => undefined)
    const asked = await listing(via)
    const listed = recordsIn(asked)
    if (!listed) return { ok: false, error: errorOfAsked(asked) }
    const names = await directory.learn(namesInListing(listed))
    if (looked) await isOverWithin(clock, WORTH_WAITING_MS, looked)
    const { models } = c.get('principal')
    const mayUse = (name: string): boolean => allowsModel(models, name, names)
    const visible = models.includes('*')
      ? listed
      : listed.filter(({ id }) => mayUse(id)).map((record) => withholdNames(record, mayUse))
    const records = enrich(visible, { config, directory, watch })
    return { ok: true, models: readCatalogue(records), records }
  }
}

/** The answer to one question, shared by all that ask at the same time. */
function createListing(
  clock: Deps['clock'],
  asking: AskingFor,
): (via: string | undefined) => Promise<Asked> {
  const wayOf = onePerWay((via) => {
    const latest: { asked: Asked } = { asked: 'unreachable' }
    const shared = shareQuestion(clock, async () => {
      latest.asked = await ask(asking(via), '/v1/models')
    })
    return { latest, shared }
  })
  return async (via) => {
    const { latest, shared } = wayOf(via)
    await shared()
    return latest.asked
  }
}

function recordsIn(asked: Asked): ListedModel[] | undefined {
  return typeof asked === 'object' && asked.status === 200 ? readListing(asked.text) : undefined
}

type Known = Pick<ModelSources, 'directory' | 'watch'> & Pick<Deps, 'config'>

function enrich(
  records: readonly ListedModel[],
  { config, directory, watch }: Known,
): ListedModel[] {
  const { models: facts } = directory.config()
  const idOf = (name: string): string => directory.knownAs(name)
  const sizeOf = configuredSizes(config.contexts, idOf)
  return readCatalogue(records).map((listed, at) => {
    const record = records[at]!
    const configured = sizeOf(listed.id)
    // The gate at home knows better; only the owner of this one can say otherwise.
    if (!watch && isEnriched(record) && configured === undefined) return record
    const id = idOf(listed.id)
    return enrichRecord(
      record,
      resolveModel(listed, { configured, learned: watch?.of(id), facts: facts.get(id) }),
    )
  })
}
