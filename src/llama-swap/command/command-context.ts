import type { ContextSize } from '../context-size.ts'
import type { LlamaFlags, LlamaSetting } from './llama-flags.ts'
import type { BatchLimit } from '../model-config.ts'

/** How llama-server gives its context to requests. */
export type SlotPlan = {
  /** Requests that it works on side by side. */
  slots: number
  /** All slots take from one context; each may fill it alone. */
  isShared: boolean
}

/** llama-server rounds contexts up to a multiple of it. */
const STEP = 256
/** Slots where nobody said how many; they share the context then. */
const AUTOMATIC_SLOTS = 4
const USUAL_BATCH = 2048
const USUAL_PHYSICAL_BATCH = 512
const MOST = 2 ** 31 - 1

/**
 * A number as llama-server reads it: the digits in front, whatever follows (`4k` is 4); undefined for what it refuses.
 * Source: std::stoi, which common/arg.cpp calls.
 */
export function leadingNumber(text: string): number | undefined {
  const digits = /^\s*([+-]?\d+)/.exec(text)?.[1]
  const number = digits === undefined ? undefined : Number(digits)
  return number === undefined || number > MOST || number < -MOST - 1 ? undefined : number
}

/** A value that a shell or llama-swap fills in later. */
export function isOpen(value: string): boolean {
  return /[$`]/.test(value)
}

/** The slots; undefined where they are not to be known from the command. */
export function slotPlan(flags: LlamaFlags): SlotPlan | undefined {
  const written = flags.values.get('parallel')
  if (written === undefined && flags.preset !== undefined) return undefined
  const parallel = written === undefined ? -1 : leadingNumber(written)
  if (parallel === undefined || parallel === 0) return undefined
  // Source: `-no-kvu` does not count where the number of slots is left to llama-server.
  if (parallel < 0) return { slots: AUTOMATIC_SLOTS, isShared: true }
  return { slots: parallel, isShared: parallel > 1 && isOn(flags, 'unified') }
}

/** Whether a setting that is on or off is on. */
export function isOn(flags: LlamaFlags, name: LlamaSetting): boolean {
  return flags.values.get(name) === 'on'
}

/**
 * The tokens of one request to a llama-server that was started with these flags, as measured with the real one. What a
 * model was trained for and what its memory holds are not in a command, so it is an estimate.
 */
export function llamaContext(flags: LlamaFlags): ContextSize {
  const stop = notStarted(flags) ?? leftOpen(flags)
  if (stop !== undefined) return { tokens: undefined, source: 'unknown', why: stop }
  const plan = slotPlan(flags)
  if (isEmbedding(flags)) return withinBatch(flags, plan)
  return (plan && slotContext(flags, plan)) ?? unknown(flags)
}

/** Whether it answers with vectors or ranks, for which a text must fit into one batch. */
export function isEmbedding(flags: LlamaFlags): boolean {
  return isOn(flags, 'embeddings') || isOn(flags, 'rerank')
}

const NUMBERS: readonly LlamaSetting[] = [
  'context',
  'parallel',
  'perSlot',
  'physicalBatch',
  'batch',
]

function notStarted(flags: LlamaFlags): string | undefined {
  const [glued] = flags.refused
  if (glued) return `llama-server does not start with ${glued.flag} and its value in one word`
  for (const name of NUMBERS) {
    const value = flags.values.get(name)
    const number = value === undefined || isOpen(value) ? 0 : leadingNumber(value)
    const isRefused = number === undefined || (name === 'context' && number < 0)
    if (isRefused) return notANumber(flags, name)
  }
  return flags.values.get('parallel') === '0' ? notANumber(flags, 'parallel') : undefined
}

function notANumber(flags: LlamaFlags, name: LlamaSetting): string {
  return `llama-server does not start with ${flags.written.get(name)}`
}

function leftOpen(flags: LlamaFlags): string | undefined {
  if (flags.values.has('router') && !flags.values.has('model'))
    return 'this llama-server runs several models, each with a size of its own'
  const open = NUMBERS.find((name) => isOpen(flags.values.get(name) ?? ''))
  return open && `${flags.written.get(open)}: the value is not known here`
}

function unknown(flags: LlamaFlags): ContextSize {
  const { preset } = flags
  const why =
    preset === undefined
      ? "no -c: the model's own size, known once it runs"
      : `${preset} brings a size of its own, known once it runs`
  return { tokens: undefined, source: 'unknown', why }
}

function withinBatch(flags: LlamaFlags, plan: SlotPlan | undefined): ContextSize {
  const { tokens, why } = usualBatch(flags)
  const context = plan && slotContext(flags, plan)
  if (context?.tokens !== undefined && context.tokens < tokens) return context
  return estimate(tokens, why)
}

/**
 * The longest text that such a server takes; undefined where it is not known, or where there is no such limit. Source:
 * it refuses a text that is longer than the physical batch, whatever its context.
 */
export function batchLimit(flags: LlamaFlags): BatchLimit | undefined {
  const stop = notStarted(flags) ?? leftOpen(flags)
  return isEmbedding(flags) && stop === undefined ? usualBatch(flags) : undefined
}

function usualBatch(flags: LlamaFlags): BatchLimit {
  const physical = numberOf(flags, 'physicalBatch') ?? USUAL_PHYSICAL_BATCH
  const logical = numberOf(flags, 'batch') ?? USUAL_BATCH
  const said =
    logical < physical
      ? flags.written.get('batch')
      : (flags.written.get('physicalBatch') ?? `-ub ${USUAL_PHYSICAL_BATCH}, as nobody said more`)
  return {
    tokens: Math.min(physical, logical),
    why: `${said}: a text must fit into one batch`,
  }
}

function slotContext(flags: LlamaFlags, plan: SlotPlan): ContextSize | undefined {
  const context = numberOf(flags, 'context') ?? 0
  const perSlot = numberOf(flags, 'perSlot') ?? 0
  if (context === 0) return perSlot > 0 ? limitedBySlot(flags, perSlot) : undefined
  const { slots, isShared } = plan
  const share = isShared || slots === 1 ? pad(context) : pad(Math.floor(pad(context) / slots))
  const trained = trainedContext(flags)
  const tokens = Math.min(share, trained ?? share)
  if (perSlot > 0 && perSlot < tokens) return limitedBySlot(flags, perSlot)
  const why = [
    sharing(flags, plan),
    ...rounding({ context, share, plan }),
    ...training(flags, tokens < share),
  ]
  return estimate(tokens, why.join('; '))
}

function limitedBySlot(flags: LlamaFlags, perSlot: number): ContextSize {
  return estimate(perSlot, `${flags.written.get('perSlot')} for each slot`)
}

function sharing(flags: LlamaFlags, { slots, isShared }: SlotPlan): string {
  const size = flags.written.get('context') ?? ''
  if (isShared)
    return `${size}, shared by ${slots} slots: long requests that run side by side end each other`
  return slots > 1 ? `${size} divided among ${flags.written.get('parallel') ?? slots}` : size
}

function rounding({
  context,
  share,
  plan,
}: {
  context: number
  share: number
  plan: SlotPlan
}): string[] {
  const exact = plan.isShared ? context : context / plan.slots
  return share === exact ? [] : [`rounded up to a multiple of ${STEP}`]
}

function training(flags: LlamaFlags, isCapped: boolean): string[] {
  if (isCapped) return [`--override-kv says that the model was trained for less`]
  return flags.values.get('ropeScaling') === 'yarn'
    ? ['yarn stretches what the model was trained for']
    : []
}

/** Only where the command itself says what the model was trained for. Of the two ways to stretch it, yarn alone counts. */
function trainedContext(flags: LlamaFlags): number | undefined {
  const override = flags.values.get('override') ?? ''
  const said = [...override.matchAll(/(?:^|,)[\w-]+\.context_length=int:(\d+)/g)].at(-1)
  const isYarn = flags.values.get('ropeScaling') === 'yarn'
  const scale = isYarn ? Number(flags.values.get('ropeScale') ?? 1) : 1
  return said && Number(said[1]) * (scale > 0 ? scale : 1)
}

function numberOf(flags: LlamaFlags, name: LlamaSetting): number | undefined {
  const value = flags.values.get(name)
  return value === undefined ? undefined : leadingNumber(value)
}

function pad(tokens: number): number {
  return Math.ceil(tokens / STEP) * STEP
}

function estimate(tokens: number, why: string): ContextSize {
  return { tokens, source: 'command', certainty: 'estimate', why }
}
