import { objectOf } from './frames.ts'
import type { FrameReader, MeterOptions } from './meter.ts'
import { countIn, objectIn, readUsage } from './read-counts.ts'
import type { TokenCounts } from './record.ts'
import { unseenTokens } from './unseen-tokens.ts'

const CARRIES_TOKEN = /"type" ?: ?"content_block_delta"/
const TELLS = /"type" ?: ?"message_(?:start|delta)"/
const IS_PING = /^:|"type" ?: ?"ping"/

/** Reads streams of `/v1/messages`: the prompt is told at the start, what was written in the last `message_delta`. */
export class MessagesReader implements FrameReader {
  readonly #options: Pick<MeterOptions, 'promptEstimate' | 'isLlamaCpp'>
  #start: TokenCounts | undefined
  #final: TokenCounts | undefined
  #pieces = 0
  #hasBegun = false

  constructor(options: Pick<MeterOptions, 'promptEstimate' | 'isLlamaCpp'>) {
    this.#options = options
  }

  read(frame: string): boolean {
    if (CARRIES_TOKEN.test(frame)) this.#pieces++
    else if (TELLS.test(frame)) this.#told(frame)
    else if (IS_PING.test(frame)) this.#hasBegun = true
    return false
  }

  /** Anthropic's format has no room for what only llama.cpp says. */
  isLlamaCpp(): boolean {
    return false
  }

  counts(): TokenCounts | undefined {
    if (this.#final) return this.#final
    if (!this.#start && this.#pieces === 0 && !this.#hasBegun) return undefined
    const { prompt, cached } = this.#start ?? { prompt: this.#options.promptEstimate, cached: 0 }
    const unseen = unseenTokens(this.#pieces, 1, this.#options.isLlamaCpp)
    return { prompt, cached, completion: this.#pieces + unseen, exact: false }
  }

  #told(frame: string): void {
    const data = objectOf(frame)
    if (data?.['type'] === 'message_start')
      this.#start = readUsage(objectIn(data, 'message')?.['usage'])
    if (data?.['type'] !== 'message_delta') return
    const usage = objectIn(data, 'usage')
    const completion = countIn(usage, 'output_tokens')
    if (completion === undefined) return
    // Anthropic repeats the prompt in it, llama.cpp does not.
    const { prompt, cached } = readUsage(usage) ??
      this.#start ?? { prompt: this.#options.promptEstimate, cached: 0 }
    this.#final = { prompt, cached, completion, exact: this.#start !== undefined }
  }
}
