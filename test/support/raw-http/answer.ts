/** A 1xx answer that came before the real one. */
export type InterimAnswer = { status: number; headerLines: string[] }

/** How the answer ended: whole, cut by a FIN, or cut by an RST. */
export type AnswerEnding = 'complete' | 'cut' | 'reset'

/** What came back for one request, before anyone tidied it. */
export type RawAnswer = {
  /** 0 when the connection ended before a status line. */
  status: number
  /** The status line, for example `HTTP/1.1 200 OK`. */
  statusLine: string
  /** Header lines in wire order, duplicates and case included. */
  headerLines: string[]
  /** 1xx answers that came first. */
  interim: InterimAnswer[]
  /** The body with chunked framing removed. */
  body: Buffer
  /** The body as it stood on the wire, chunk sizes and trailers included. */
  rawBody: Buffer
  /** The HTTP chunks one by one; empty when the body was not chunked. */
  chunks: Buffer[]
  /** Trailer lines after the last chunk. */
  trailerLines: string[]
  /** What says where the body ends: chunked, content-length, the FIN, or that there is none. */
  framing: 'chunked' | 'length' | 'close' | 'none'
  /** `complete` only when the framing says that everything came. */
  ending: AnswerEnding
  /** Bytes that followed the end of this answer, which nobody asked for. */
  extra: Buffer
}

/** Every value of a header, in order; header names are compared without case. */
export function headerValues(answer: { headerLines: string[] }, name: string): string[] {
  const prefix = `${name.toLowerCase()}:`
  return answer.headerLines
    .filter((line) => line.toLowerCase().startsWith(prefix))
    .map((line) => line.slice(prefix.length).trim())
}

/** The only value of a header; undefined when absent, an error when it was sent twice. */
export function headerValue(answer: { headerLines: string[] }, name: string): string | undefined {
  const values = headerValues(answer, name)
  if (values.length > 1) throw new Error(`${name} was sent ${values.length} times`)
  return values[0]
}

/** The decoded body as text. */
export function textOf(answer: RawAnswer): string {
  return answer.body.toString('utf8')
}
