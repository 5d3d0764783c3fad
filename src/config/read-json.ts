import { decodeJson, scanJsonObject, type JsonScan } from '../body/scan-json.ts'

/** The JSON object in a file's text, or what is wrong with it and where. */
export type ReadJson = { ok: true; value: unknown } | { ok: false; message: string }

/** Reads a configuration file. Faults are told with line and column, never with the text itself: it may be a secret. */
export function readJson(text: string): ReadJson {
  const bytes = new TextEncoder().encode(text)
  const scan = scanJsonObject(bytes)
  if (!scan.ok)
    return { ok: false, message: `${placeOf(before(bytes, scan.at))}: ${faultOf(scan)}` }
  const value = decodeJson(bytes)
  if (value !== undefined) return { ok: true, value }
  const fault = 'a string holds a line break or a bad escape (a backslash is written as \\\\)'
  return { ok: false, message: `${placeOf(beforeBadString(text))}: not valid JSON: ${fault}` }
}

function before(bytes: Uint8Array, at: number): string {
  return new TextDecoder().decode(bytes.subarray(0, at))
}

/** What matters in and around strings (RFC 8259 §7): a whole escape, a quote, a backslash that begins none, a control. */
const STRING_SIGNS = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|["\\]|\p{Cc}/gu

/** The text up to the first character that no string may hold; the scan, which found the quotes in pairs, does not look. */
function beforeBadString(text: string): string {
  let isInside = false
  for (const { 0: sign, index } of text.matchAll(STRING_SIGNS)) {
    if (sign === '"') isInside = !isInside
    else if (isInside && (sign === '\\' || sign < ' ')) return text.slice(0, index)
  }
  return ''
}

function placeOf(textBefore: string): string {
  const line = textBefore.split('\n').length
  const column = textBefore.length - textBefore.lastIndexOf('\n')
  return `line ${line}, column ${column}`
}

function faultOf(scan: Extract<JsonScan, { ok: false }>): string {
  switch (scan.problem) {
    case 'duplicate':
      return `"${scan.name}" is given twice; keep one`
    case 'not-an-object':
      return 'the file must hold one JSON object: { … }'
    case 'too-deep':
      return 'nested too deeply'
    case 'too-many-members':
      return 'more fields at the top level than a configuration has'
    case 'name-too-long':
      return 'a field of a very long name'
    case 'syntax':
      return 'not valid JSON (comments and trailing commas are not allowed)'
  }
}
