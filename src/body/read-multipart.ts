import { startsWith } from './starts-with.ts'

/**
 * Finds one text field in a multipart/form-data body (RFC 7578, RFC 2046 §5.1). It is deliberately strict: whatever
 * two parsers could read differently (preambles, odd boundaries, folded or unusual part headers, a second field of the
 * name, a file under the name) is refused, so that what was read here is what llama-swap will read.
 */

export type MultipartField =
  | { ok: true; value: string | undefined; contentType: string }
  | { ok: false; detail: string }

const CONTENT_TYPE =
  /^multipart\/form-data *; *boundary=(?:"([0-9A-Za-z'()+_,\-./:=?]{1,70})"|([0-9A-Za-z'+_\-.]{1,70}))$/i
const DISPOSITION =
  /^content-disposition: *form-data; *name="([^"\\%\r\n]*)"(?:; *filename="([^"\\\r\n]*)")?$/i
// Go decodes quoted-printable by itself: only encodings that change nothing are read alike everywhere.
const OTHER_PART_HEADER =
  /^content-(?:(?:type|length): *[\x20-\x7e]*|transfer-encoding: *(?:7bit|8bit|binary))$/i
const LONGEST_PART_HEADER = 4096
const LONGEST_FIELD = 1024
/** Far more than any client sends; each part is kept until the last one is read. */
const MAX_PARTS = 1000

const latin1 = new TextDecoder('latin1')
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()
const DASHES = encoder.encode('--')
const LINE_BREAK = encoder.encode('\r\n')
const CR = 13

const refuse = (detail: string): MultipartField => ({ ok: false, detail })

/** Reads the field `name`; `value` is undefined when there is none. `contentType` is the header's canonical form. */
export function readMultipartField(
  body: Uint8Array,
  contentType: string,
  name: string,
): MultipartField {
  const boundary = boundaryOf(contentType)
  if (boundary === undefined) return refuse('The multipart boundary is missing or unusual.')
  const parts = partsOf(body, boundary)
  if (parts === 'malformed') return refuse('The multipart body is malformed.')
  if (parts === 'too-many') return refuse('The multipart body has more than a thousand parts.')
  let value: string | undefined
  for (const part of parts) {
    const read = readPart(part)
    if (!read) return refuse('A part of the multipart body has an unusual header.')
    if (read.name.toLowerCase() !== name) continue
    if (read.name !== name || read.isFile || value !== undefined)
      return refuse(`The multipart field "${name}" must be given once, as text.`)
    value = textOf(read.content)
    if (value === undefined) return refuse(`The multipart field "${name}" is not short UTF-8 text.`)
  }
  return { ok: true, value, contentType: `multipart/form-data; boundary="${boundary}"` }
}

function boundaryOf(contentType: string): string | undefined {
  const type = CONTENT_TYPE.exec(contentType.trim())
  return type?.[1] ?? type?.[2]
}

function partsOf(body: Uint8Array, boundary: string): Uint8Array[] | 'malformed' | 'too-many' {
  const first = encoder.encode(`--${boundary}`)
  const next = encoder.encode(`\r\n--${boundary}`)
  if (!startsWith(body, first, 0)) return 'malformed'
  const parts: Uint8Array[] = []
  let at = first.length
  for (;;) {
    if (startsWith(body, DASHES, at)) return isEnd(body.subarray(at + 2)) ? parts : 'malformed'
    if (!startsWith(body, LINE_BREAK, at)) return 'malformed'
    if (parts.length === MAX_PARTS) return 'too-many'
    const end = indexOf(body, next, at)
    if (end < 0) return 'malformed'
    parts.push(body.subarray(at + 2, Math.max(end, at + 2)))
    at = end + next.length
  }
}

function isEnd(rest: Uint8Array): boolean {
  return rest.length === 0 || (rest.length === 2 && startsWith(rest, LINE_BREAK, 0))
}

function readPart(
  part: Uint8Array,
): { name: string; isFile: boolean; content: Uint8Array } | undefined {
  const head = latin1.decode(part.subarray(0, LONGEST_PART_HEADER))
  const end = head.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const lines = head.slice(0, end).split('\r\n')
  const dispositions = lines.map((line) => DISPOSITION.exec(line)).filter((match) => match !== null)
  const others = lines.filter((line) => OTHER_PART_HEADER.test(line))
  if (dispositions.length !== 1 || others.length !== lines.length - 1) return undefined
  const [, name = '', filename] = dispositions[0]!
  return { name, isFile: filename !== undefined, content: part.subarray(end + 4) }
}

function textOf(content: Uint8Array): string | undefined {
  if (content.length > LONGEST_FIELD) return undefined
  try {
    return utf8.decode(content)
  } catch {
    return undefined
  }
}

/** How far to look by hand where a line break was found: of a body of these, a native search finds one at a time. */
const NEAR = 16

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  let at = bytes.indexOf(CR, from)
  while (at >= 0) {
    for (const near = at + NEAR; at < near; at++)
      if (bytes[at] === CR && startsWith(bytes, wanted, at)) return at
    at = bytes.indexOf(CR, at)
  }
  return -1
}
