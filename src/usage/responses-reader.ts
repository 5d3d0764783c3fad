import { objectOf } from './frames.ts'
import type { FrameReader, MeterOptions } from './meter.ts'
import { objectIn, readProgress, readTimings, readUsage, type Progress } from './read-counts.ts'
import type { TokenCounts } from './record.ts'
import { unseenTokens } from './unseen-tokens.ts'

const TELLS = /"type" ?: ?"response\.(?:completed|incomplete|failed)"|"(?:timings|prompt_progress)"/
const CARRIES_TOKEN = /"type" ?: ?"response\.[a-z_.]+\.delta"/
const HAS_BEGUN = /^:|"type" ?: ?"response\./

/** Reads streams of `/v1/responses`: the last event tells everything; before it only llama.cpp tells, where asked. */
export class ResponsesReader implements FrameReader {
  readonly #options: Pick<MeterOptions, 'promptEstimate' | 'isLlamaCpp'>
  #final: TokenCounts | undefined
  #timings: TokenCounts | undefined
  #progress: Progress | undefined
  #pieces = 0
  #hasBegun = false

  constructor(options: Pick<MeterOptions, 'promptEstimate' | 'isLlamaCpp'>) {
    this.#options = options
  }

  read(frame: string): boolean {
    if (CARRIES_TOKEN.test(frame)) this.#pieces++
    else this.#hasBegun ||= HAS_BEGUN.test(frame)
    if (TELLS.test(frame)) this.#told(frame)
    return false
  }

  isLlamaCpp(): boolean {
    return this.#timings !== undefined || this.#progress !== undefined
  }

  counts(): TokenCounts | undefined {
    if (this.#final) return this.#final
    if (!this.#hasBegun && this.#pieces === 0) return undefined
    const { prompt, cached } = this.#prompt()
    const sent = Math.max(this.#pieces, this.#timings?.completion ?? 0)
    const unseen = unseenTokens(sent, 1, this.isLlamaCpp() || this.#options.isLlamaCpp)
    return { prompt, cached, completion: sent + unseen, exact: false }
  }

  #prompt(): { prompt: number; cached: number } {
    const [progress, timings] = [this.#progress, this.#timings]
    if (progress && this.#pieces === 0)
      return { prompt: progress.processed, cached: progress.cache }
    if (progress) return { prompt: progress.total, cached: progress.cache }
    return timings ?? { prompt: this.#options.promptEstimate, cached: 0 }
  }

  #told(frame: string): void {
    const data = objectOf(frame)
    if (!data) return
    this.#timings = readTimings(data['timings']) ?? this.#timings
    this.#progress = readProgress(data['prompt_progress']) ?? this.#progress
    if (!/^response\.(?:completed|incomplete|failed)$/.test(String(data['type']))) return
    this.#final = readUsage(objectIn(data, 'response')?.['usage'])
  }
}
