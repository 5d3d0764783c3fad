import { readFileSync } from 'node:fs'
import type { StreamFormat } from '../../../src/dialects/stream-format.ts'
import { createMeter } from '../../../src/usage/create-meter.ts'
import type { Meter, MeterOptions } from '../../../src/usage/meter.ts'
import type { TokenCounts } from '../../../src/usage/record.ts'

/** An answer of a real llama-server (b11669), as it stood on the wire. */
export type Recording = {
  /** Of the file in test/support/recorded-streams, which names what was asked for. */
  name: string
  format: StreamFormat | undefined
  streamed: boolean
  prompts: number
  counts: TokenCounts
  /** By how much the server's own `prompt_tokens_total` and `tokens_predicted_total` grew. */
  metrics: [computed: number, predicted: number]
  isLlamaCpp: boolean
}

type Told = [prompt: number, cached: number, completion: number]

function recording(
  name: string,
  format: StreamFormat | undefined,
  [prompt, cached, completion]: Told,
): Recording {
  return {
    name,
    format,
    streamed: /-stream/.test(name),
    prompts: 1,
    counts: { prompt, cached, completion, exact: true },
    metrics: [prompt - cached, completion],
    isLlamaCpp: true,
  }
}

/** Those whose counts must equal the server's metrics, which were written down when they were recorded. */
export const RECORDINGS: readonly Recording[] = [
  { ...recording('chat', 'chat', [24, 0, 4]), metrics: [24, 4] },
  { ...recording('chat-stream', 'chat', [24, 23, 4]), metrics: [1, 4] },
  { ...recording('chat-stream-usage', 'chat', [24, 23, 4]), metrics: [1, 4] },
  { ...recording('chat-stream-progress', 'chat', [24, 0, 4]), metrics: [24, 4] },
  { ...recording('chat-stream-progress-usage', 'chat', [24, 23, 4]), metrics: [1, 4] },
  { ...recording('chat-stream-timings', 'chat', [24, 23, 4]), metrics: [1, 4] },
  { ...recording('chat-stream-n2', 'chat', [24, 23, 8]), metrics: [1, 8] },
  { ...recording('completions', 'chat', [7, 2, 4]), metrics: [5, 4] },
  { ...recording('completions-stream', 'chat', [7, 6, 4]), metrics: [1, 4] },
  { ...recording('completions-stream-progress', 'chat', [7, 6, 4]), metrics: [1, 4] },
  { ...recording('completions-two-stream', 'chat', [18, 16, 8]), prompts: 2, metrics: [2, 8] },
  { ...recording('responses', 'responses', [24, 23, 4]), metrics: [1, 4], isLlamaCpp: false },
  { ...recording('responses-stream', 'responses', [24, 23, 4]), metrics: [1, 4] },
  { ...recording('responses-stream-progress', 'responses', [24, 23, 4]), metrics: [1, 4] },
  { ...recording('messages', 'messages', [24, 23, 4]), metrics: [1, 4], isLlamaCpp: false },
  { ...recording('messages-stream', 'messages', [24, 23, 4]), metrics: [1, 4], isLlamaCpp: false },
  { ...recording('native', 'native', [7, 6, 4]), metrics: [1, 4] },
  { ...recording('native-stream', 'native', [7, 6, 4]), metrics: [1, 4] },
  { ...recording('native-stream-progress', 'native', [7, 6, 4]), metrics: [1, 4] },
  { ...recording('native-two', 'native', [18, 11, 8]), metrics: [7, 8] },
  { ...recording('embeddings', undefined, [11, 0, 0]), metrics: [11, 0], isLlamaCpp: false },
  { ...recording('rerank', undefined, [18, 0, 0]), metrics: [18, 0], isLlamaCpp: false },
]

export const STREAMS: readonly Recording[] = RECORDINGS.filter(({ streamed }) => streamed)

export function textOf(name: string): string {
  const file = new URL(`../../support/recorded-streams/${name}.txt`, import.meta.url)
  return readFileSync(file, 'utf8')
}

/** The frames of a recorded stream, each with its blank line. */
export function framesOf(name: string): string[] {
  return textOf(name).split(/(?<=\n\n)(?=[^\n])/)
}

/** Far from every real prompt, so that an estimate shows. */
export const ESTIMATE = 1000

export function meterFor(options: Partial<MeterOptions>): Meter {
  return createMeter({
    format: 'chat',
    streamed: true,
    takeOut: { usage: false, progress: false },
    prompts: 1,
    promptEstimate: ESTIMATE,
    isLlamaCpp: false,
    ...options,
  })
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What a stream's meter lets through of whole frames. */
export function through(meter: Meter, frames: string): string {
  return decoder.decode(meter.frames(encoder.encode(frames)))
}

/** What a meter counts in frames that are all there is of a stream. */
export function countsOf(
  frames: readonly string[],
  options: Partial<MeterOptions> = {},
): TokenCounts | undefined {
  const meter = meterFor(options)
  for (const text of frames) through(meter, text)
  return meter.counts()
}

/** A frame of an event stream without a name. */
export function frame(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`
}
