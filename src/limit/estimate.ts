import { LatestMap } from '../collections/latest-map.ts'

/** Guesses what a request will cost, before anything is known, and learns from what it did cost. */
export type Estimator = {
  /** Tokens that a request will take; `name` is the same for those that are alike: a key and its model. */
  estimate(name: string, request: RequestSize): Estimate
  /** Takes what an answer has told. */
  learn(name: string, learned: Learned): void
}

/** `maxOutput` is what the request allows itself, over all its answers; undefined: no limit. */
export type RequestSize = { bodyBytes: number; maxOutput: number | undefined }

/** In tokens, whole and not negative; `tokens` is the sum of both. */
export type Estimate = { prompt: number; output: number; tokens: number }

export type Learned = {
  /** As `textBytes` counts them. */
  bodyBytes: number
  /** Those of the prompt that did not come from the cache. */
  computedTokensOfPrompt: number
  completion: number
  /** What the request allowed its answer; undefined: no limit. */
  maxOutput: number | undefined
}

/** English, code and JSON in the tokenizers of current models. */
const BYTES_PER_TOKEN = 3.6

/** Share of the newest request in the learned factor. */
const LEARNING_RATE = 0.1

/** Far below 1 where most of a prompt comes from the cache, above it for scripts other than Latin. */
const FACTOR = { least: 0.05, most: 4 }

/** The share of answers that are at most as long as estimated. */
const OUTPUT_QUANTILE = 0.9

/** How far one answer moves the estimate of the output. */
const OUTPUT_STEP = 0.2

const OUTPUT = { first: 1024, least: 16, most: 131_072 }

const MAX_HABITS = 1024

/** `factor` is what prompts cost, relative to the plain estimate; `output` is the learned length of an answer. */
type Habit = { factor: number; output: number }

/** Knows at most 1024 habits; the one that it learned of longest ago is forgotten first. */
export function createEstimator(): Estimator {
  const habits = new LatestMap<Habit>(MAX_HABITS)
  const habitOf = (name: string): Habit => habits.get(name) ?? { factor: 1, output: OUTPUT.first }
  return {
    estimate(name, { bodyBytes, maxOutput }) {
      const habit = habitOf(name)
      const prompt = Math.round((bodyBytes / BYTES_PER_TOKEN) * habit.factor)
      const output = Math.ceil(Math.min(maxOutput ?? Infinity, habit.output))
      return { prompt, output, tokens: prompt + output }
    },
    learn(name, learned) {
      const { factor, output } = habitOf(name)
      habits.set(name, {
        factor: learned.bodyBytes > 0 ? nextFactor(factor, learned) : factor,
        output: tellsLength(learned) ? nextOutput(output, learned.completion) : output,
      })
    },
  }
}

/** A moving average: llama-server's cache makes the same prompt cheap or dear from one request to the next. */
function nextFactor(factor: number, { bodyBytes, computedTokensOfPrompt }: Learned): number {
  const seen = (computedTokensOfPrompt * BYTES_PER_TOKEN) / bodyBytes
  return within(FACTOR, factor + (within(FACTOR, seen) - factor) * LEARNING_RATE)
}

/** An answer that ended at its own limit says nothing of how long others will be. */
function tellsLength({ completion, maxOutput = Infinity }: Learned): boolean {
  return completion > 0 && completion < maxOutput
}

/** A quantile without a memory: nine steps down are worth one step up, and nine of ten answers lie below it. */
function nextOutput(output: number, completion: number): number {
  const step = completion > output ? OUTPUT_QUANTILE : OUTPUT_QUANTILE - 1
  return within(OUTPUT, output * Math.exp(OUTPUT_STEP * step))
}

function within({ least, most }: { least: number; most: number }, value: number): number {
  return Math.min(most, Math.max(least, value))
}

/** Smaller bodies hold no picture worth looking for. */
const LOOK_INTO_BYTES = 8192

/** A picture or sound costs about this, however many bytes it has. */
const TOKENS_PER_RUN = 1000

/** Base64 that is shorter counts as text; it is more than a run counts, so that a body never counts as more than it is. */
const MIN_RUN = 4096

/** Letters, digits and signs of both alphabets (RFC 4648 §4 and §5), and the backslash of `\/` in JSON. */
const SIGNS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=\\'
const BASE64 = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(SIGNS.includes(String.fromCharCode(byte))),
)

/** Bytes of a body, with each long run of base64 (a picture, a sound) counted as what it costs in text. */
export function textBytes(body: Uint8Array): number {
  if (body.length <= LOOK_INTO_BYTES) return body.length
  let total = body.length
  // From the last byte that a run beginning at `start` must have, backwards: prose breaks off after a few. Only bytes of a
  // run that is found are looked at a second time.
  let start = 0
  while (start + MIN_RUN <= body.length) {
    const end = start + MIN_RUN
    let at = end - 1
    while (at >= start && BASE64[body[at] ?? 0] === 1) at--
    if (at >= start) {
      start = at + 1
      continue
    }
    let after = end
    while (after < body.length && BASE64[body[after] ?? 0] === 1) after++
    total -= after - start - TOKENS_PER_RUN * BYTES_PER_TOKEN
    start = after
  }
  return Math.round(total)
}
