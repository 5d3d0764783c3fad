/** How a request ended, in the words of every log line. */
export type Outcome = 'completed' | 'client-closed' | 'upstream-failed' | 'refused'

/** One finished request as the log tells it: never a secret, never a prompt, never a query string. */
export type RequestEvent = {
  /** Epoch milliseconds at which the request was accepted. */
  at: number
  requestId: string
  /** The id of the same request in the log of the gate in front of this one. */
  edgeRequestId: string | undefined
  method: string
  path: string
  keyId: string | undefined
  model: string | undefined
  status: number
  outcome: Outcome
  /** Kind of the refusal or failure, when there was one. */
  reason: string | undefined
  /** How long it waited for its turn, in vain or not. */
  queueMs: number | undefined
  /** All of the prompt, those from the cache included. */
  promptTokens: number | undefined
  cachedTokens: number | undefined
  completionTokens: number | undefined
  /** From acceptance to the first byte of the answer's body, heartbeats not counted. */
  ttftMs: number | undefined
  durationMs: number
  bytesIn: number
  bytesOut: number
  clientAddress: string | undefined
}
