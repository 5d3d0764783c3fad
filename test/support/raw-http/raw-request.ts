/** What a raw request consists of; every header is sent exactly as written here. */
export type RawRequest = {
  method?: string
  /** The request target as it goes on the wire, never normalised. */
  target: string
  /** Header names and values; `Host` and `Content-Length` are added when missing. */
  headers?: Record<string, string>
  /** Further header lines as they are, for duplicates and malformed ones. */
  lines?: string[]
  body?: string | Uint8Array
}

/** The bytes of one HTTP/1.1 request. */
export function rawRequest(request: RawRequest): Buffer {
  const body = Buffer.from(request.body ?? '')
  const method = request.method ?? (request.body === undefined ? 'GET' : 'POST')
  const lines = Object.entries(request.headers ?? {}).map(([name, value]) => `${name}: ${value}`)
  lines.push(...(request.lines ?? []))
  const has = (name: string) => lines.some((line) => line.toLowerCase().startsWith(`${name}:`))
  if (!has('host')) lines.unshift('Host: 127.0.0.1')
  if (request.body !== undefined && !has('content-length') && !has('transfer-encoding')) {
    lines.push(`Content-Length: ${body.length}`)
  }
  const head = [`${method} ${request.target} HTTP/1.1`, ...lines, '', ''].join('\r\n')
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}

/** The bytes of a POST with a JSON body. */
export function rawJsonPost(
  target: string,
  body: unknown,
  headers: Record<string, string> = {},
): Buffer {
  const json = typeof body === 'string' ? body : JSON.stringify(body)
  return rawRequest({
    target,
    body: json,
    headers: { 'Content-Type': 'application/json', ...headers },
  })
}
