import type { Dialect } from '../dialects/dialect.ts'
import type { Outcome } from '../log/request-event.ts'

/** Tokens of one request. */
export type TokenCounts = {
  /** All tokens of the prompt, those from the cache included. */
  prompt: number
  /** Those of the prompt that came from the cache. */
  cached: number
  completion: number
  /** False where a part is an estimate, because the answer was cut before upstream told it. */
  exact: boolean
}

/** What is kept of one request: never a prompt, never a secret. */
export type UsageRecord = {
  requestId: string
  /** Epoch milliseconds at which the request was accepted. */
  at: number
  /** The day on which it was accepted, as YYYY-MM-DD in the configured time zone. */
  day: string
  keyId: string
  /** The model's own id, also where the request named an alias. */
  model: string | undefined
  dialect: Dialect
  /** Method and path pattern of the route table, such as `POST /v1/chat/completions`. */
  route: string
  outcome: Outcome
  status: number
  /** Undefined where the route has no tokens (audio, images) or upstream never began. */
  tokens: TokenCounts | undefined
  /** How long it waited for its turn, in vain or not; undefined where it never did. */
  queueMs: number | undefined
  ttftMs: number | undefined
  durationMs: number
  bytesIn: number
  bytesOut: number
}
