import { objectOf } from './frames.ts'
import type { FrameReader, MeterOptions } from './meter.ts'
import {
  countIn,
  isJsonObject,
  objectIn,
  readProgress,
  readTimings,
  readUsage,
  sumCounts,
  type JsonObject,
  type Progress,
} from './read-counts.ts'
import type { TokenCounts } from './record.ts'
import { unseenTokens } from './unseen-tokens.ts'

/** Frames that must be parsed; all others carry one token. The last is llama-swap's own text about loading. */
const TELLS =
  /"(?:usage|timings|prompt_progress|error)" ?: ?\{|"role" ?: ?"a|"finish_reason" ?: ?"|^data: ?\{"choices":\[\{"delta"/
const CARRIES_JSON = /^data: *\{/m
const IS_COMMENT = /^:/

/** What one choice has told so far. llama.cpp counts each choice, and each of several prompts, by itself. */
type Choice = {
  progress: Progress | undefined
  /** The last timings on its way; on each frame where the client asked for `timings_per_token`. */
  timings: TokenCounts | undefined
  isFinished: boolean
  final: TokenCounts | undefined
}

type Options = Pick<MeterOptions, 'takeOut' | 'prompts' | 'promptEstimate' | 'isLlamaCpp'>

/** Reads streams of `/v1/chat/completions` and `/v1/completions`. */
export class ChatReader implements FrameReader {
  readonly #options: Options
  readonly #choices = new Map<number, Choice>()
  /** What servers other than llama.cpp tell: one `usage` for all choices. */
  #total: TokenCounts | undefined
  #pieces = 0
  #hasBegun = false
  #isLlamaCpp = false
  /** llama.cpp sends a choice's usage right behind its finish reason, in a chunk that names no choice. */
  #lastFinished = 0

  constructor(options: Options) {
    this.#options = options
  }

  read(frame: string): boolean {
    if (TELLS.test(frame)) return this.#told(objectOf(frame))
    if (CARRIES_JSON.test(frame)) this.#pieces++
    // llama-server pings only while it works on the prompt.
    else if (IS_COMMENT.test(frame)) this.#hasBegun = true
    return false
  }

  isLlamaCpp(): boolean {
    return this.#isLlamaCpp
  }

  counts(): TokenCounts | undefined {
    if (this.#total) return this.#total
    const choices = [...this.#choices.values()]
    const finals = choices.flatMap(({ final }) => final ?? [])
    if (finals.length > 0 && finals.length === choices.length) return this.#sharingPrompts(finals)
    const hasBegun = this.#hasBegun || choices.length > 0 || this.#pieces > 0
    return hasBegun ? this.#cut(choices) : undefined
  }

  #told(data: JsonObject | undefined): boolean {
    if (!data || objectIn(data, 'error')) return false
    const choices = Array.isArray(data['choices']) ? data['choices'] : []
    const first: unknown = choices[0]
    const carries = hasContent(first)
    // llama-swap's text about loading has no id: nothing was computed for it.
    if (carries && data['id'] !== undefined) this.#pieces++
    const isFinished = isJsonObject(first) && typeof first['finish_reason'] === 'string'
    this.#count(data, { first, isFinished })
    const { usage, progress } = this.#options.takeOut
    if (choices.length === 0) return usage && objectIn(data, 'usage') !== undefined
    return progress && !carries && !isFinished && objectIn(data, 'prompt_progress') !== undefined
  }

  #count(data: JsonObject, at: { first: unknown; isFinished: boolean }): void {
    const timings = readTimings(data['timings'])
    const progress = readProgress(data['prompt_progress'])
    const usage = readUsage(data['usage'])
    const isEnd = at.isFinished || at.first === undefined
    const isLlamaCpp = timings !== undefined || progress !== undefined
    if (isLlamaCpp) this.#isLlamaCpp = true
    // Some servers tell on each chunk what was used up to there.
    else if (usage) this.#total = { ...usage, exact: isEnd }
    if (data['id'] === undefined || (at.first === undefined && !isLlamaCpp)) return
    const final = timings && isEnd ? (usage ?? timings) : undefined
    this.#note(this.#choiceOf(at.first), { timings, progress, final, isFinished: at.isFinished })
  }

  #note(choice: Choice, { progress, timings, final, isFinished }: Choice): void {
    choice.progress = progress ?? choice.progress
    choice.timings = timings ?? choice.timings
    choice.final = final ?? choice.final
    choice.isFinished ||= isFinished
  }

  #choiceOf(first: unknown): Choice {
    const index = isJsonObject(first) ? (countIn(first, 'index') ?? 0) : this.#lastFinished
    if (isJsonObject(first) && typeof first['finish_reason'] === 'string')
      this.#lastFinished = index
    const fresh = { progress: undefined, timings: undefined, isFinished: false, final: undefined }
    const choice = this.#choices.get(index) ?? fresh
    this.#choices.set(index, choice)
    return choice
  }

  #cut(choices: Choice[]): TokenCounts {
    const known = choices.flatMap((choice) => this.#soFar(choice) ?? [])
    const { prompt, cached, completion } = this.#sharingPrompts(known) ?? {
      prompt: this.#options.promptEstimate,
      cached: 0,
      completion: 0,
    }
    const sent = Math.max(completion, this.#pieces)
    const running = choices.filter(({ isFinished }) => !isFinished).length
    const isLlamaCpp = this.#isLlamaCpp || this.#options.isLlamaCpp
    const unseen = unseenTokens(sent, choices.length === 0 ? 1 : running, isLlamaCpp)
    return { prompt, cached, completion: sent + unseen, exact: false }
  }

  #soFar({ final, timings, progress }: Choice): TokenCounts | undefined {
    if (final) return final
    if (!progress) return timings
    // A stream that is cut within the prompt has not used the rest of it.
    const prompt = this.#pieces > 0 ? progress.total : progress.processed
    return { prompt, cached: progress.cache, completion: timings?.completion ?? 0, exact: false }
  }

  /** Choices of one prompt (`n`) each tell the whole prompt, which was computed once. */
  #sharingPrompts(told: TokenCounts[]): TokenCounts | undefined {
    const sum = sumCounts(told)
    const share = Math.min(1, this.#options.prompts / told.length)
    return (
      sum && {
        ...sum,
        prompt: Math.round(sum.prompt * share),
        cached: Math.round(sum.cached * share),
      }
    )
  }
}

/** Whether a choice of a chunk says, thinks or calls anything. */
function hasContent(choice: unknown): boolean {
  if (!isJsonObject(choice)) return false
  const delta = objectIn(choice, 'delta')
  const words = [
    delta?.['content'],
    delta?.['reasoning_content'],
    delta?.['refusal'],
    choice['text'],
  ]
  return words.some((word) => typeof word === 'string' && word !== '') || !!delta?.['tool_calls']
}
