import {
  limitsFor,
  OPENCODE_OUTPUT_MAX,
  withOwnOutput,
  type Compaction,
  type WrittenLimit,
} from '../../limits.ts'
import type { CheckInput } from '../check-input.ts'
import type { FindingCode, Found, Severity } from '../finding.ts'
import type { WrittenModel } from '../read-written.ts'
import { readCompaction, suits, whyReserveStays } from './shared-compaction.ts'
import { limitText, readLimit, setLimit } from './written-limit.ts'

/** What all rules about one model's limits look at. */
export type LimitCase = {
  model: WrittenModel
  /** Tokens that one request may really hold, where that is known. */
  window: number | undefined
  limit: WrittenLimit
  compaction: Compaction
  /** Why `compaction.reserved` stays as it is, so that the limit has to fit it; undefined where it may go. */
  keptReserve: string | undefined
  /** Most tokens of an answer that OpenCode asks for. */
  outputMax: number
}

/** Undefined where OpenCode would not take the limit. */
export function limitCase(input: CheckInput, model: WrittenModel): LimitCase | undefined {
  const limit = readLimit(model)
  return (
    limit && {
      model,
      window: model.real?.context.tokens,
      limit,
      ...reserveOf(input),
      outputMax: input.machine.outputTokenMax ?? OPENCODE_OUTPUT_MAX,
    }
  )
}

/** What stands in `compaction`, and whether it has to stay. */
export function reserveOf(input: CheckInput): Pick<LimitCase, 'compaction' | 'keptReserve'> {
  const compaction = readCompaction(input)
  const keptReserve = compaction.reserved === undefined ? undefined : whyReserveStays(input)
  return { compaction, keptReserve }
}

/** Whether `limit.input` does good: a reserve counts beside it only, and one that cannot be changed may be a bad one. */
export function takesInput({
  window,
  limit,
  compaction,
  keptReserve,
}: Omit<LimitCase, 'model' | 'outputMax'>): boolean {
  return keptReserve === undefined || suits(compaction.reserved, window ?? limit.context)
}

/** What is to be written, with the person's own output where that is a sensible one. */
export function rightLimit(about: LimitCase): WrittenLimit {
  const { window, limit, model, outputMax } = about
  const outputLimit = model.real?.outputLimit
  const right = limitsFor(window ?? limit.context, outputLimit)
  const own = withOwnOutput(right, limit.output, Math.min(outputMax, outputLimit ?? Infinity))
  return { ...own, input: takesInput(about) ? own.input : undefined }
}

/** The changes that make a limit the right one; none where it is. */
export function mend(about: LimitCase): Found['changes'] {
  const { limit, model } = about
  const { context, input, output } = rightLimit(about)
  // A window of a token or two has no right limits.
  const isSame = context === limit.context && input === limit.input && output === limit.output
  return isSame ? [] : setLimit(model.path, { context, input, output })
}

/** Its code, and the part of the limit that it is about. */
type Kind = [code: FindingCode, severity: Severity, field: keyof WrittenLimit | undefined]

/** A fault of a limit that is mended by writing the right one. */
export function faultOf(about: LimitCase, [code, severity, name]: Kind, message: string): Found {
  const path = [...about.model.path, 'limit', ...(name === undefined ? [] : [name])]
  return { code, severity, path, message, fix: limitText(rightLimit(about)), changes: mend(about) }
}
