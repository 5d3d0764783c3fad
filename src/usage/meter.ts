import type { StreamFormat } from '../dialects/stream-format.ts'
import type { TokenCounts } from './record.ts'

/**
 * Reads the usage of one answer as it passes. It may take out frames that the gate itself asked upstream for; it never
 * changes any other byte.
 */
export type Meter = {
  /** Whole frames of an event stream on their way to the client; gives those that the client gets, maybe none. */
  frames(bytes: Uint8Array): Uint8Array
  /** The next piece of an answer that is not an event stream. */
  piece(bytes: Uint8Array): void
  /** What was used, as far as it is known now; undefined where nothing was computed or the route has no tokens. */
  counts(): TokenCounts | undefined
  /** Whether this answer shows that llama.cpp wrote it, which is worth remembering for the model's next request. */
  isLlamaCpp(): boolean
}

/** Frames that the client did not ask for and must not see. */
export type TakeOut = {
  /** The chunk without choices that `stream_options.include_usage` brings. */
  usage: boolean
  /** The chunks that llama.cpp's `return_progress` brings. */
  progress: boolean
}

/** What the meter has to know of the request. */
export type MeterOptions = {
  /** How the route's event streams are framed; undefined where none is known. */
  format: StreamFormat | undefined
  /** Whether the client asked for an event stream. */
  streamed: boolean
  takeOut: TakeOut
  /** Prompts in the one request; only `/v1/completions` takes several. */
  prompts: number
  /** Tokens of the prompt as the gate guessed them, for streams that are cut before they tell. */
  promptEstimate: number
  /** Whether an earlier answer of the model came from llama.cpp. */
  isLlamaCpp: boolean
}

/** Reads the frames of one format. */
export type FrameReader = {
  /** Reads one frame; true when the client must not see it. */
  read(frame: string): boolean
  counts(): TokenCounts | undefined
  isLlamaCpp(): boolean
}
