import { field } from '../../../json/read-unknown.ts'
import { GOOD_WINDOW, LEAST_WINDOW, limitsFor } from '../../limits.ts'
import { showCount } from '../../show-count.ts'
import { checkHeadroom, checkInput } from './check-headroom.ts'
import type { CheckInput } from '../check-input.ts'
import { checkOutput } from './check-output.ts'
import type { Found } from '../finding.ts'
import { faultOf, limitCase, mend, type LimitCase } from './limit-case.ts'
import type { WrittenModel } from '../read-written.ts'
import { limitText, setLimit, tokens } from './written-limit.ts'

/** What is wasted below this share of the window is not worth a word. */
const WORTH_TELLING = 0.95

/** Whether what OpenCode is told of a model's window is what it really is, and when it compacts then. */
export function checkLimits(input: CheckInput, model: WrittenModel): Found[] {
  const window = model.real?.context.tokens
  const small = window === undefined ? [] : tooSmallForOpencode(model, window)
  const about = limitCase(input, model)
  if (!about) return [...small, ...noLimit(model, window)]
  if (about.limit.context <= 0) return [...small, contextZero(about)]
  const faults = [...checkWindow(about), ...checkOutput(about), ...checkInput(about)]
  return [...small, ...faults, ...(faults.length === 0 ? checkHeadroom(about) : [])]
}

function tooSmallForOpencode({ path }: WrittenModel, window: number): Found[] {
  if (window >= GOOD_WINDOW) return []
  const isHopeless = window < LEAST_WINDOW
  return [
    {
      code: 'window-too-small',
      severity: isHopeless ? 'error' : 'warning',
      path,
      message: `${tokens(window)} for one request are ${isHopeless ? 'too' : 'very'} few: OpenCode's own prompt and tools take about 7,500 of them${isHopeless ? ', so it compacts again and again' : ''}.`,
      fix: `A larger --ctx-size or fewer slots (-np 1) in config.yaml, ${GOOD_WINDOW} tokens for one request at least; or leave the model out.`,
      changes: [],
    },
  ]
}

/** A limit that is not whole is told of the file that has it: each is looked at for itself. */
function noLimit({ path, value, real }: WrittenModel, window: number | undefined): Found[] {
  if (field(value, 'limit') !== undefined) return []
  return [
    {
      code: 'limit-missing',
      severity: window === undefined ? 'hint' : 'error',
      path,
      message:
        'There is no "limit": OpenCode takes the context for 0, shows 0 % and never compacts by itself.',
      fix:
        window === undefined
          ? 'Write all three values; what the context is, nobody knows here.'
          : fixText(window, real?.outputLimit),
      changes: window === undefined ? [] : setLimit(path, limitsFor(window, real?.outputLimit)),
    },
  ]
}

function contextZero(about: LimitCase): Found {
  const { model, window, limit } = about
  return {
    code: 'context-zero',
    severity: 'error',
    path: [...model.path, 'limit', 'context'],
    message:
      limit.context === 0
        ? 'A context of 0 means that nobody knows it: OpenCode never compacts by itself.'
        : `A context of ${limit.context} is none: OpenCode compacts after every answer.`,
    fix: window === undefined ? 'Write the real one.' : fixText(window, model.real?.outputLimit),
    changes: window === undefined ? [] : mend(about),
  }
}

function checkWindow(about: LimitCase): Found[] {
  const { limit, window, model } = about
  if (window === undefined) return []
  // An input of 0 is none, and told as such.
  const written = limit.input !== undefined && limit.input > 0 ? limit.input : limit.context
  const largest = Math.max(limit.context, written)
  const smallest = Math.min(limit.context, written)
  const source = sourceOf(model)
  if (largest > window)
    return [
      faultOf(
        about,
        ['context-too-large', 'error', limit.context > window ? 'context' : 'input'],
        `${tokens(largest)} are written, but one request may hold ${showCount(window)} (${source}): OpenCode compacts too late, and requests fail.`,
      ),
    ]
  if (smallest >= window * WORTH_TELLING) return []
  return [
    faultOf(
      about,
      [
        'context-too-small',
        'warning',
        limit.context < window * WORTH_TELLING ? 'context' : 'input',
      ],
      `${tokens(smallest)} are written, but one request may hold ${showCount(window)} (${source}): ${Math.round((1 - smallest / window) * 100)} % are never used.`,
    ),
  ]
}

function fixText(window: number, outputLimit: number | undefined): string {
  return limitText(limitsFor(window, outputLimit))
}

/** For a person: how sure the size of a model's context is. */
function sourceOf({ real }: WrittenModel): string {
  const context = real?.context
  return context?.tokens === undefined ? 'unknown' : `${context.certainty}; ${context.why}`
}
