/** What OpenCode is told of a model's window, in tokens. */
export type ModelLimit = { context: number; input: number; output: number }

/** The part of a model's `limit` that OpenCode reads; without `input` it works differently. */
export type WrittenLimit = { context: number; input?: number | undefined; output: number }

/** The part of OpenCode's `compaction` that decides when it starts. */
export type Compaction = { auto?: boolean | undefined; reserved?: number | undefined }

/** OpenCode's own prompt and tools take about 7,500 tokens: below this it compacts after nearly every answer. */
export const LEAST_WINDOW = 12_288
/** Below this there is little room for anything else. */
export const GOOD_WINDOW = 16_384

const STEP = 1024
const LEAST_OUTPUT = 4096
const MOST_OUTPUT = 16_384
/** OpenCode 1.18 cuts every answer to this many tokens, whatever `limit.output` says. */
export const OPENCODE_OUTPUT_MAX = 32_000
/** What OpenCode 1.18 reserves at most where nobody says `compaction.reserved`, and OpenCode 2 its `buffer`. */
const USUAL_RESERVE = 20_000

/**
 * The limits for a model whose requests may hold `context` tokens, prompt and answer together. The whole window may be
 * input; a quarter of it is kept for the answer, which is also the room in which OpenCode notices that it is full.
 *
 * @param outputLimit most tokens of one answer, where the server has such a limit
 */
export function limitsFor(context: number, outputLimit?: number): ModelLimit {
  const quarter = Math.floor(context / 4 / STEP) * STEP
  const wanted = Math.min(Math.max(quarter, LEAST_OUTPUT), MOST_OUTPUT)
  const output = Math.min(wanted, Math.floor(context / 2), outputLimit ?? Infinity)
  // Never 0: OpenCode takes that for 32,000.
  return { context, input: context, output: Math.max(1, output) }
}

/**
 * The right limits with the person's own output, where that is a sensible one: models that think long need more.
 *
 * @param most tokens of one answer that the server gives, or that OpenCode asks for on this machine
 */
export function withOwnOutput(
  right: ModelLimit,
  written: number | undefined,
  most = OPENCODE_OUTPUT_MAX,
): ModelLimit {
  const largest = Math.min(most, OPENCODE_OUTPUT_MAX, right.context / 2)
  const isSensible = written !== undefined && written >= right.output && written <= largest
  return isSensible ? { ...right, output: written } : right
}

/** What OpenCode is told, and what it sends as `max_tokens`. */
export type CompactionCase = {
  limit: WrittenLimit | undefined
  compaction?: Compaction | undefined
  /** `OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX`. */
  outputTokenMax?: number | undefined
}

/** Tokens of an answer as OpenCode 1.18 asks for them: its `max_tokens`. */
export function answerTokens(output: number, outputTokenMax = OPENCODE_OUTPUT_MAX): number {
  return Math.min(output, outputTokenMax) || outputTokenMax
}

/**
 * How many used tokens make OpenCode 1.18 compact; undefined when it never does by itself. `compaction.reserved` counts
 * only beside `limit.input`. 0 means after every answer.
 */
export function compactsAt({
  limit,
  compaction,
  outputTokenMax,
}: CompactionCase): number | undefined {
  if (!limit || limit.context === 0 || compaction?.auto === false) return undefined
  const answer = answerTokens(limit.output, outputTokenMax)
  if (!limit.input) return Math.max(0, limit.context - answer)
  const reserve = compaction?.reserved ?? Math.min(USUAL_RESERVE, answer)
  return Math.max(0, limit.input - reserve)
}
