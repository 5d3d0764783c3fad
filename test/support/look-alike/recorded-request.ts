/** One request as the look-alike received it, and what became of its answer. */
export type RecordedRequest = {
  method: string
  /** The raw request target. */
  url: string
  /** Lower-case names; a header that came twice is a list, never joined. */
  headers: Record<string, string | string[]>
  /** Names and values in wire order and case. */
  rawHeaders: string[]
  body: Buffer
  /** False when the gate went away in the middle of the upload. */
  complete: boolean
  /** The model that llama-swap would route this to, which a careless gate may not have checked. */
  model: string | undefined
  /** performance.now() when the headers had come. */
  at: number
  /** Resolves with performance.now() when the gate closed this exchange before it was finished. */
  closed: Promise<number>
  /** `finished` also covers an answer that the look-alike broke off itself. */
  state: 'open' | 'finished' | 'aborted'
  /** How long after `at` the gate closed it. */
  abortedAfterMs?: number
  /** Body bytes of the answer that the kernel has taken. */
  sentBytes: number
  /** Requests on the same TCP connection have the same number. */
  connection: number
}

/** The first value of a header, as a handler would read it. */
export function headerOf(request: RecordedRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : value?.[0]
}
