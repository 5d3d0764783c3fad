import type { CatalogueModel } from '../../llama-swap/catalogue.ts'
import type { ContextSize } from '../../llama-swap/context-size.ts'
import { field } from '../../json/read-unknown.ts'
import { compactsAt } from '../limits.ts'
import { isWithin } from './is-within.ts'
import type { CheckInput } from './check-input.ts'
import type { Finding, FindingCode } from './finding.ts'
import { hiddenBy } from './models/hidden-models.ts'
import { number, type WrittenModel } from './read-written.ts'
import { readCompaction } from './limits/shared-compaction.ts'
import { readLimit } from './limits/written-limit.ts'

/** One line of the table: what is written of a model, what it is, and what follows. */
export type ModelRow = {
  model: string
  written: { context: number | undefined; input: number | undefined; output: number | undefined }
  /** Undefined where the gate has no such model, or nobody could be asked. */
  real: ContextSize | undefined
  /** Used tokens at which OpenCode compacts; undefined: never. */
  compactsAt: number | undefined
  /** What is worst about this model; `not-compared` where nobody knows what it really is. */
  verdict: 'ok' | 'not-compared' | 'no-file' | FindingCode
}

/** The line of a model; `findings` have the worst first. */
export function modelRow(
  { document, machine }: CheckInput,
  model: WrittenModel,
  findings: readonly Finding[],
): ModelRow {
  const limit = field(model.value, 'limit')
  const [context, input, output] = ['context', 'input', 'output'].map((name) =>
    number(field(limit, name)),
  )
  const compaction = readCompaction({ document, machine })
  const { outputTokenMax } = machine
  const worst = findings.find(
    ({ path, severity }) => severity !== 'hint' && isWithin(path, model.path),
  )
  return {
    model: model.key,
    written: { context, input, output },
    real: model.real?.context,
    compactsAt: compactsAt({ limit: readLimit(model), compaction, outputTokenMax }),
    verdict: worst?.code ?? unseen(document.value, model) ?? 'ok',
  }
}

/** What is missing for a model about which nothing else is told. */
function unseen(document: unknown, model: WrittenModel): ModelRow['verdict'] | undefined {
  const provider = model.path.slice(0, 2).reduce(field, document)
  if (hiddenBy({ value: provider }, model) !== undefined) return 'model-hidden'
  return model.real?.context.tokens === undefined ? 'not-compared' : undefined
}

/** The line of a model that no file has: what it is. */
export function unwrittenRow({ id, context }: CatalogueModel): ModelRow {
  return {
    model: id,
    written: { context: undefined, input: undefined, output: undefined },
    real: context,
    compactsAt: undefined,
    verdict: 'no-file',
  }
}
