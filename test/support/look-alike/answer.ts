/** Header pairs in wire order; a name may come twice. */
export type HeaderPairs = readonly (readonly [name: string, value: string])[]

/** A whole answer as a value: behaviours take it apart, the well-mannered case just sends it. */
export type Answer = {
  status: number
  headers: HeaderPairs
  /** What is written at a time: an SSE frame each, or the halves of a JSON body. */
  pieces: readonly Buffer[]
  /** Chunked when the length is not announced, as for every stream. */
  chunked: boolean
  /** Which piece an endless stream repeats; streams only. */
  contentPiece?: number
}

/** An answer whose length is announced; its body is written in two halves, so it can be cut. */
export function plain(status: number, headers: HeaderPairs, body: string | Uint8Array): Answer {
  const bytes = Buffer.from(body)
  const half = Math.ceil(bytes.length / 2)
  const pieces = [bytes.subarray(0, half), bytes.subarray(half)].filter((p) => p.length > 0)
  return { status, headers, pieces, chunked: false }
}

/** A JSON answer as llama-swap writes its own. */
export function json(value: unknown, status = 200): Answer {
  return plain(status, [['content-type', 'application/json']], JSON.stringify(value))
}

/** A text answer as Go's `http.Error` writes it. */
export function text(body: string, status = 200, headers: HeaderPairs = []): Answer {
  return plain(status, [['content-type', 'text/plain; charset=utf-8'], ...headers], body)
}

/** The same answer with further headers behind its own. */
export function withHeaders(answer: Answer, headers: HeaderPairs): Answer {
  return { ...answer, headers: [...answer.headers, ...headers] }
}

/** The value of a header of an answer. */
export function headerIn(headers: HeaderPairs, name: string): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1]
}

/** True for an answer that is a stream of events. */
export function isEventStream(answer: Answer): boolean {
  return headerIn(answer.headers, 'content-type')?.startsWith('text/event-stream') === true
}
