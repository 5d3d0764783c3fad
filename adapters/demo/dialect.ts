import type { JsonObject } from './json.ts'
import type { LlamaError } from './replies.ts'
import type { Piece } from './text.ts'
import type { Timings } from './timings.ts'

/** What is known about a generation before its first token. */
export interface Run {
  readonly body: JsonObject
  readonly model: string
  /** Seconds since 1970. */
  readonly created: number
  readonly promptTokens: number
  /** How many of the prompt's tokens were taken from the prefix cache. */
  readonly cachedTokens: number
}

/** What is known after its last token. */
export interface Outcome {
  readonly reasoning: string
  readonly content: string
  readonly tokens: number
  /** Whether it was cut by a limit instead of coming to its end. */
  readonly isCut: boolean
  readonly timings: Timings
}

/** Writes one answer; the first three make a stream, `whole` makes a body. */
export interface Writer {
  readonly open: () => string
  readonly piece: (piece: Piece) => string
  readonly close: (outcome: Outcome) => string
  readonly whole: (outcome: Outcome) => JsonObject
}

/** One of the APIs that llama-server speaks. */
export interface Dialect {
  /** llama-server's complaint about a body it cannot use. */
  readonly check: (body: JsonObject) => LlamaError | undefined
  /** The parts that make up the prompt, those that stay the same first. */
  readonly prompt: (body: JsonObject) => unknown[]
  /** Where the user's words are: a list of messages or a string. */
  readonly said: (body: JsonObject) => unknown
  /** Whether thoughts have a place in the answer. */
  readonly showsReasoning: boolean
  readonly write: (run: Run) => Writer
}

/** A random id as llama-server makes them. */
export function newId(prefix: string): string {
  return prefix + crypto.randomUUID().replaceAll('-', '')
}

/** One server-sent event without a name. */
export function dataFrame(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

/** One server-sent event that is named after the `type` of its data. */
export function eventFrame(data: { readonly type: string } & JsonObject): string {
  return `event: ${data.type}\n${dataFrame(data)}`
}
