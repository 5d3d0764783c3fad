import type { UsageRecord } from './record.ts'

/** By what totals are grouped. */
export type UsageGroup = 'key' | 'model' | 'day'

export type UsageQuery = {
  /** Epoch milliseconds; requests accepted before are left out. */
  since: number
  by: UsageGroup
  /** Only this key's requests and, where it is another gate's, those of its clients (`key/client`); undefined: everybody's. */
  keyId: string | undefined
}

/** The sum over one group; `group` is a key id, a model or a day. Counts are of requests, tokens, bytes and ms. */
export type UsageTotal = {
  group: string
  requests: number
  completed: number
  promptTokens: number
  cachedTokens: number
  completionTokens: number
  /** Requests whose tokens are an estimate. */
  estimated: number
  queueMs: number
  durationMs: number
  bytesIn: number
  bytesOut: number
}

/** Keeps usage records. Keeping them must never slow down or stop a request. */
export type UsageStore = {
  /** Takes a record; it may be written later. Never throws. */
  append(record: UsageRecord): void
  /**
   * Sums, ordered by group; records just appended are counted, also those that could not be written yet. A store across
   * the network rejects with `CountersUnavailable` where it has no answer in time.
   */
  totals(query: UsageQuery): Promise<UsageTotal[]>
  /** Writes what was appended; resolves when it is written, or could not be. */
  flush(): Promise<void>
}
