import { field } from '../json/read-unknown.ts'
import { suits } from './check/limits/shared-compaction.ts'
import type { JsoncChange } from './edit-jsonc.ts'
import type { JsonPath } from './jsonc.ts'
import { limitsFor, withOwnOutput, type ModelLimit, type WrittenLimit } from './limits.ts'
import type { OpencodeModel } from './render-config.ts'

/** A field to write; `isOurs`: also where the user has something else; without a value, to remove it. */
export type Setting = JsoncChange & { isOurs: boolean }

/** A model as it goes into a file whose `compaction.reserved` stays as it is. */
export type FittingModel = Omit<OpencodeModel, 'limit'> & { limit?: WrittenLimit }

/** Whether a model can have `limit.input` beside the reserve, which counts only there. */
export function takesInput({ limit }: OpencodeModel, reserved: number | undefined): boolean {
  // OpenCode refuses a negative one.
  if (limit === undefined || (reserved !== undefined && reserved < 0)) return true
  return suits(reserved, limit.context)
}

/** A new entry for a model. */
export function fitting(model: OpencodeModel, reserved: number | undefined): FittingModel {
  const { limit, ...rest } = model
  if (limit === undefined || takesInput(model, reserved)) return model
  return { ...rest, limit: { context: limit.context, output: limit.output } }
}

type Beside = { theirs: unknown; reserved: number | undefined }

/** What is to be set in an entry that stands there. */
export function modelFields(
  path: JsonPath,
  model: OpencodeModel,
  { theirs, reserved }: Beside,
): Setting[] {
  const { name, reasoning, attachment, tool_call, modalities, limit } = model
  return [
    { path: [...path, 'name'], value: name, isOurs: false },
    { path: [...path, 'reasoning'], value: reasoning, isOurs: false },
    { path: [...path, 'attachment'], value: attachment, isOurs: attachment !== undefined },
    { path: [...path, 'tool_call'], value: tool_call, isOurs: false },
    { path: [...path, 'modalities', 'input'], value: modalities.input, isOurs: true },
    { path: [...path, 'modalities', 'output'], value: modalities.output, isOurs: true },
    ...limitFields(limit && limitWith(limit, theirs), takesInput(model, reserved)).map(
      ([side, value]) => ({ path: [...path, 'limit', side], value, isOurs: true }),
    ),
  ]
}

function limitFields(
  limit: ModelLimit | undefined,
  hasInput: boolean,
): Array<[string, number | undefined]> {
  if (!limit) return []
  return Object.entries({ ...limit, input: hasInput ? limit.input : undefined })
}

/** An answer that is shorter than usual in this window is as long as the server lets it be. */
function limitWith(right: ModelLimit, theirs: unknown): ModelLimit {
  const output = field(field(theirs, 'limit'), 'output')
  const isCut = right.output < limitsFor(right.context).output
  const written = typeof output === 'number' ? output : undefined
  return withOwnOutput(right, written, isCut ? right.output : undefined)
}
