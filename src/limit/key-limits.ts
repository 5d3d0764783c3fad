/** What one key may use. `undefined` is no limit. */
export type KeyLimits = {
  requestsPerMinute: number | undefined
  /** Requests that may come at once. */
  burst: number
  tokensPerMinute: number | undefined
  tokensPerDay: number | undefined
  /** Requests that are answered at the same time. */
  concurrent: number | undefined
  /** Requests that wait in the queue at the same time. */
  waiting: number
  /** Tokens that one request may ask for, over all its choices. */
  maxOutputTokens: number | undefined
  /** IANA name of the zone whose midnight begins a day. */
  timeZone: string
}
