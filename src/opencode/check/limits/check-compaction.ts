import { showCount } from '../../show-count.ts'
import { field } from '../../../json/read-unknown.ts'
import { limitsFor } from '../../limits.ts'
import { withoutEffect } from './check-headroom.ts'
import type { CheckInput } from '../check-input.ts'
import type { Found } from '../finding.ts'
import { limitCase, takesInput, type LimitCase } from './limit-case.ts'
import type { WrittenModel } from '../read-written.ts'
import { readCompaction, RESERVED, suits } from './shared-compaction.ts'

/** The settings of compaction that all models share. */
export function checkCompaction(input: CheckInput, models: readonly WrittenModel[]): Found[] {
  const { reserved } = readCompaction(input)
  const cases = models.flatMap((model) => limitCase(input, model) ?? [])
  // A context of 0 is told already, and nothing else holds for it.
  const known = cases.filter(({ limit }) => limit.context > 0)
  return [
    ...checkAuto(input),
    ...(reserved === undefined
      ? []
      : [...checkIneffective(known), ...checkExcessive(known, reserved)]),
  ]
}

/** Nobody turns it off but on purpose, so that it is told and never changed. */
function checkAuto({ document, machine }: CheckInput): Found[] {
  const isOff = field(field(document.value, 'compaction'), 'auto') === false
  const base = {
    code: 'compaction-off',
    severity: 'warning',
    path: ['compaction', 'auto'],
  } as const
  const session = 'a session ends when its context is full.'
  const inFile: Found = {
    ...base,
    message: `OpenCode never compacts by itself: ${session}`,
    fix: 'Write "auto": true, unless you want to do it by hand.',
    changes: [],
  }
  const here: Found = {
    ...base,
    message: `OPENCODE_DISABLE_AUTOCOMPACT is set here, so OpenCode never compacts by itself, whatever the files say: ${session}`,
    fix: 'Unset OPENCODE_DISABLE_AUTOCOMPACT.',
    changes: [],
  }
  return [...(isOff ? [inFile] : []), ...(machine.isCompactionOff ? [here] : [])]
}

function hasInput({ limit }: LimitCase): boolean {
  return (limit.input ?? 0) > 0
}

function namesOf(cases: readonly LimitCase[]): string {
  return cases.map(({ model }) => model.key).join(', ')
}

function checkIneffective(cases: readonly LimitCase[]): Found[] {
  const without = cases.filter((one) => !hasInput(one) && takesInput(one))
  if (without.length === 0) return []
  return [
    {
      code: 'reserved-without-input',
      severity: 'warning',
      path: RESERVED,
      message: `compaction.reserved has no effect on ${namesOf(without)}: it counts beside limit.input only.`,
      fix: `Give every model a limit.input${without[0]?.keptReserve === undefined ? ', or remove compaction.reserved' : ''}.`,
      changes: without.map(({ model, window, limit }) => ({
        path: [...model.path, 'limit', 'input'],
        value: limitsFor(window ?? limit.context).input,
      })),
    },
  ]
}

function checkExcessive(cases: readonly LimitCase[], reserved: number): Found[] {
  const tooMuch = cases.filter((one) => hasInput(one) && reserved > one.limit.input! / 2)
  if (tooMuch.length === 0) return []
  const isHopeless = tooMuch.some(({ limit }) => reserved >= limit.input!)
  const kept = tooMuch[0]?.keptReserve
  // Where the input itself is too small, it is told and mended as that.
  const bare = tooMuch.filter(({ window, limit }) => !suits(reserved, window ?? limit.input!))
  return [
    {
      code: 'reserved-too-large',
      severity: isHopeless ? 'error' : 'warning',
      path: RESERVED,
      message: `${showCount(reserved)} reserved tokens ${isHopeless ? 'leave nothing: OpenCode compacts after every answer' : 'are more than half of the input'} of ${namesOf(tooMuch)}.`,
      fix:
        kept === undefined
          ? 'Remove compaction.reserved: the output is reserved anyway.'
          : `Remove limit.input of ${namesOf(tooMuch)}. ${withoutEffect(kept)}`,
      changes:
        kept === undefined
          ? [{ path: RESERVED, value: undefined }]
          : bare.map(({ model }) => ({
              path: [...model.path, 'limit', 'input'],
              value: undefined,
            })),
    },
  ]
}
