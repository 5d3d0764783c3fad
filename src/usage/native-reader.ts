import { objectOf } from './frames.ts'
import type { FrameReader } from './meter.ts'
import { readNative, readProgress, sumCounts } from './read-counts.ts'
import type { TokenCounts } from './record.ts'
import { unseenTokens } from './unseen-tokens.ts'

const TELLS = /^data: ?\{"index" ?: ?(\d+)/

/**
 * Reads streams of llama.cpp's own `/completion` and `/infill`. Each frame tells what was used up to there, so that only
 * the last one of each prompt has to be parsed.
 */
export class NativeReader implements FrameReader {
  readonly #last = new Map<string, string>()

  read(frame: string): boolean {
    const index = TELLS.exec(frame)?.[1]
    if (index !== undefined) this.#last.set(index, frame)
    return false
  }

  isLlamaCpp(): boolean {
    return this.counts() !== undefined
  }

  counts(): TokenCounts | undefined {
    return sumCounts([...this.#last.values()].flatMap((frame) => countsOf(frame) ?? []))
  }
}

function countsOf(frame: string): TokenCounts | undefined {
  const data = objectOf(frame)
  const told = data && readNative(data)
  if (!data || !told) return undefined
  if (data['stop'] === true) return told
  const progress = readProgress(data['prompt_progress'])
  const completion = told.completion + unseenTokens(told.completion, 1, true)
  // A stream that is cut within the prompt has not used the rest of it.
  const prompt = progress?.processed ?? told.prompt
  return { prompt, cached: progress?.cache ?? told.cached, completion, exact: false }
}
