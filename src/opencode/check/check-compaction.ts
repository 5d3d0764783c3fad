import { limitsFor } from '../limits.ts'
import { showCount } from '../show-count.ts'
import type { CheckInput } from './check-input.ts'
import { readCompaction, readLimit } from './check-limits.ts'
import type { Found } from './finding.ts'
import type { WrittenModel } from './read-written.ts'

/** The settings of compaction that all models share. */
export function checkCompaction(input: CheckInput, models: readonly WrittenModel[]): Found[] {
  const { auto, reserved } = readCompaction(input.document.value)
  const off: Found = {
    code: 'compaction-off',
    severity: 'warning',
    path: ['compaction', 'auto'],
    message: 'OpenCode never compacts by itself: a session ends when its context is full.',
    fix: 'Write "auto": true.',
    changes: [{ path: ['compaction', 'auto'], value: true }],
  }
  const aboutReserve = reserved === undefined ? [] : checkReserved(reserved, models)
  return [...(auto === false ? [off] : []), ...aboutReserve]
}

const RESERVED = ['compaction', 'reserved']

function checkReserved(reserved: number, models: readonly WrittenModel[]): Found[] {
  const limits = models.flatMap((model) => {
    const limit = readLimit(model)
    // A context of 0 is told already, and nothing else holds for it.
    return limit && limit.context > 0 ? [{ model, limit }] : []
  })
  const hasInput = ({ limit }: (typeof limits)[number]): boolean => (limit.input ?? 0) > 0
  const without = limits.filter((one) => !hasInput(one))
  const tooMuch = limits.filter((one) => hasInput(one) && reserved > one.limit.input! / 2)
  const isHopeless = tooMuch.some(({ limit }) => reserved >= limit.input!)
  const names = (some: typeof limits): string => some.map(({ model }) => model.key).join(', ')
  const ineffective: Found = {
    code: 'reserved-without-input',
    severity: 'warning',
    path: RESERVED,
    message: `compaction.reserved has no effect on ${names(without)}: it counts beside limit.input only.`,
    fix: 'Give every model a limit.input, or remove compaction.reserved.',
    changes: without.map(({ model, limit }) => {
      const window = model.real?.context.tokens ?? limit.context
      return { path: [...model.path, 'limit', 'input'], value: limitsFor(window).input }
    }),
  }
  const excessive: Found = {
    code: 'reserved-too-large',
    severity: isHopeless ? 'error' : 'warning',
    path: RESERVED,
    message: `${showCount(reserved)} reserved tokens ${isHopeless ? 'leave nothing: OpenCode compacts after every answer' : 'are more than half of the input'} of ${names(tooMuch)}.`,
    fix: 'Remove compaction.reserved: the output is reserved anyway.',
    changes: [{ path: RESERVED, value: undefined }],
  }
  return [...(without.length > 0 ? [ineffective] : []), ...(tooMuch.length > 0 ? [excessive] : [])]
}
