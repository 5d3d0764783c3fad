import { field } from '../../llama-swap/read-unknown.ts'
import {
  compactsAt,
  GOOD_WINDOW,
  LEAST_WINDOW,
  limitsFor,
  OPENCODE_OUTPUT_MAX,
  withOwnOutput,
  type Compaction,
  type WrittenLimit,
} from '../limits.ts'
import { showCount } from '../show-count.ts'
import type { CheckInput } from './check-input.ts'
import type { FindingCode, Found, Severity } from './finding.ts'
import { number, type WrittenModel } from './read-written.ts'

/** What is wasted below this share of the window is not worth a word. */
const WORTH_TELLING = 0.95

/** What all rules about one model's limits look at. */
type LimitCase = {
  model: WrittenModel
  /** Tokens that one request may really hold, where that is known. */
  window: number | undefined
  limit: WrittenLimit
  compaction: Compaction
  /** Most tokens of an answer that OpenCode asks for. */
  outputMax: number
}

/** The part of `compaction` that counts, whatever else stands there. */
export function readCompaction(value: unknown): Compaction {
  const compaction = field(value, 'compaction')
  const auto = field(compaction, 'auto')
  const reserved = number(field(compaction, 'reserved'))
  return {
    auto: typeof auto === 'boolean' ? auto : undefined,
    // A negative one is told as a value that OpenCode does not take.
    reserved: reserved !== undefined && reserved >= 0 ? reserved : undefined,
  }
}

/** The limits of a model as they are written; undefined where OpenCode would not take them. */
export function readLimit({ value }: WrittenModel): WrittenLimit | undefined {
  const limit = field(value, 'limit')
  const context = number(field(limit, 'context'))
  const output = number(field(limit, 'output'))
  if (context === undefined || output === undefined) return undefined
  return { context, input: number(field(limit, 'input')), output }
}

/** Whether what OpenCode is told of a model's window is what it really is, and when it compacts then. */
export function checkLimits(input: CheckInput, model: WrittenModel): Found[] {
  const window = model.real?.context.tokens
  const small = window === undefined ? [] : tooSmallForOpencode(model, window)
  const limit = readLimit(model)
  if (!limit) return [...small, ...noLimit(model, window)]
  const outputMax = input.machine.outputTokenMax ?? OPENCODE_OUTPUT_MAX
  const about = {
    model,
    window,
    limit,
    compaction: readCompaction(input.document.value),
    outputMax,
  }
  if (limit.context <= 0) return [...small, contextZero(about)]
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

function noLimit({ path, value, real }: WrittenModel, window: number | undefined): Found[] {
  const limit = field(value, 'limit')
  if (limit === undefined)
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
  const written = number(field(limit, 'context'))
  const known = window ?? written
  const missing = ['context', 'output'].filter((name) => number(field(limit, name)) === undefined)
  return [
    {
      code: 'limit-incomplete',
      severity: 'error',
      path: [...path, 'limit'],
      message: `${missing.map((name) => `limit.${name}`).join(' and ')} must be a number; OpenCode does not start without it.`,
      fix: known === undefined ? 'Write all three values.' : fixText(known, real?.outputLimit),
      changes: known === undefined ? [] : setLimit(path, limitsFor(known, real?.outputLimit)),
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
      found(
        about,
        ['context-too-large', 'error', limit.context > window ? 'context' : 'input'],
        `${tokens(largest)} are written, but one request may hold ${showCount(window)} (${source}): OpenCode compacts too late, and requests fail.`,
      ),
    ]
  if (smallest >= window * WORTH_TELLING) return []
  return [
    found(
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

function checkOutput(about: LimitCase): Found[] {
  const { limit, outputMax } = about
  const costs =
    limit.input === undefined
      ? `, and without limit.input it takes ${showCount(outputMax)} tokens off the context`
      : ''
  if (limit.output <= 0)
    return [
      found(
        about,
        ['output-zero', 'error', 'output'],
        `An output of 0 means ${showCount(outputMax)} to OpenCode${costs}.`,
      ),
    ]
  if (limit.output >= limit.context)
    return [
      found(
        about,
        ['output-over-context', 'error', 'output'],
        `An output of ${tokens(limit.output)} leaves no room for a prompt in a context of ${showCount(limit.context)}.`,
      ),
    ]
  if (limit.output <= outputMax) return []
  return [
    found(
      about,
      ['output-too-large', 'warning', 'output'],
      `OpenCode cuts an output of ${showCount(limit.output)} to ${showCount(outputMax)}${costs}.`,
    ),
  ]
}

function checkInput(about: LimitCase): Found[] {
  const { limit, compaction, outputMax, window } = about
  if (limit.input !== undefined && limit.input > 0) return []
  const now = compactsAt({ limit, compaction, outputTokenMax: outputMax })
  const later = compactsAt({ limit: keeping(about), compaction, outputTokenMax: outputMax })
  const without =
    limit.input === undefined ? 'Without limit.input' : `With an input of ${limit.input}`
  const message =
    now === later
      ? `${without} compaction.reserved has no effect. OpenCode compacts ${whenText(now)} with it, too.`
      : `${without} OpenCode compacts ${whenText(now)}${window === undefined ? '' : ` of ${showCount(window)}`}, whatever compaction.reserved says; with it ${later === undefined ? 'never' : `at ${showCount(later)}`}.`
  const severity = now === later ? 'hint' : 'warning'
  return [found(about, ['input-missing', severity, undefined], message)]
}

function whenText(used: number | undefined): string {
  if (used === undefined) return 'never'
  return used === 0 ? 'after every answer' : `at ${tokens(used)}`
}

function checkHeadroom(about: LimitCase): Found[] {
  const { limit, compaction, outputMax, model } = about
  const at = compactsAt({ limit, compaction, outputTokenMax: outputMax })
  const window = about.window ?? limit.context
  const wanted = limitsFor(window, model.real?.outputLimit).output
  if (at === undefined || at === 0 || window - at >= wanted) return []
  const isReserve = compaction.reserved !== undefined && compaction.reserved < wanted
  const reserve = isReserve ? [{ path: ['compaction', 'reserved'], value: undefined }] : []
  const base = found(
    about,
    ['headroom-small', 'warning', isReserve ? undefined : 'output'],
    `OpenCode compacts at ${tokens(at)} of ${showCount(window)}. What comes next is not counted, and one tool result can be 12,000 to 17,000 tokens: leave ${showCount(wanted)}.`,
  )
  return [
    {
      ...base,
      fix: isReserve ? `Remove compaction.reserved. ${base.fix}` : base.fix,
      changes: [...reserve, ...base.changes],
    },
  ]
}

type Kind = [code: FindingCode, severity: Severity, field: keyof WrittenLimit | undefined]

function found(about: LimitCase, [code, severity, name]: Kind, message: string): Found {
  const path = [...about.model.path, 'limit', ...(name === undefined ? [] : [name])]
  return { code, severity, path, message, fix: limitText(keeping(about)), changes: mend(about) }
}

function keeping({ window, limit, model, outputMax }: LimitCase): WrittenLimit {
  const outputLimit = model.real?.outputLimit
  const right = limitsFor(window ?? limit.context, outputLimit)
  return withOwnOutput(right, limit.output, Math.min(outputMax, outputLimit ?? Infinity))
}

function mend(about: LimitCase): Found['changes'] {
  const { limit, model } = about
  const right = keeping(about)
  const { context, input, output } = right
  // A window of a token or two has no right limits.
  const isSame = context === limit.context && input === limit.input && output === limit.output
  return isSame ? [] : setLimit(model.path, right)
}

function setLimit(path: Found['path'], limit: WrittenLimit): Found['changes'] {
  const { context, input, output } = limit
  return Object.entries({ context, input, output }).map(([name, value]) => ({
    path: [...path, 'limit', name],
    value,
  }))
}

function fixText(window: number, outputLimit: number | undefined): string {
  return limitText(limitsFor(window, outputLimit))
}

function limitText({ context, input, output }: WrittenLimit): string {
  return `Write "limit": { "context": ${context}, "input": ${input}, "output": ${output} }.`
}

/** For a person: how sure the size of a model's context is. */
function sourceOf({ real }: WrittenModel): string {
  const context = real?.context
  return context?.tokens === undefined ? 'unknown' : `${context.certainty}; ${context.why}`
}

function tokens(value: number): string {
  return `${showCount(value)} tokens`
}
