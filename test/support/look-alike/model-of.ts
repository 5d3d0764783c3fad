import type { RecordedRequest } from './recorded-request.ts'
import { headerOf } from './recorded-request.ts'

/**
 * Finds the model of a request where llama-swap finds it, with its leniency: the first duplicate key
 * wins, broken JSON is good enough, and any content type but JSON looks into the query.
 */
export async function modelOf(
  request: RecordedRequest,
  query: URLSearchParams,
): Promise<string | undefined> {
  if (request.method === 'GET' || request.method === 'HEAD') return query.get('model') ?? undefined
  const type = headerOf(request, 'content-type') ?? ''
  if (type.includes('application/json')) return firstModelIn(request.body.toString('utf8'))
  if (type.startsWith('multipart/form-data')) {
    return (await formModel(request.body, type)) ?? query.get('model') ?? undefined
  }
  const form = type.startsWith('application/x-www-form-urlencoded')
    ? new URLSearchParams(request.body.toString('latin1'))
    : new URLSearchParams()
  return form.get('model') ?? query.get('model') ?? undefined
}

/** The value of the first `model` key of the first object in a text that need not be valid JSON. */
export function firstModelIn(text: string): string | undefined {
  const start = text.indexOf('{')
  let rest = start === -1 ? '' : text.slice(start + 1)
  for (;;) {
    const key = /^[^"}]*("(?:[^"\\]|\\.)*")[\s:]*/s.exec(rest)
    if (key === null) return undefined
    rest = rest.slice(key[0].length)
    const value = valueAt(rest)
    if (unescape(key[1]!) === 'model') return unescape(value)
    rest = rest.slice(value.length)
  }
}

/** The text of the value that begins here; brackets inside strings do not count. */
function valueAt(text: string): string {
  if (!/^[{[]/.test(text)) return /^(?:"(?:[^"\\]|\\.)*"|[^,}\]\s]*)/s.exec(text)![0]
  let depth = 0
  for (const token of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/gs)) {
    if ('{['.includes(token[0])) depth++
    if ('}]'.includes(token[0])) depth--
    if (depth === 0) return text.slice(0, token.index + 1)
  }
  return text
}

function unescape(token: string): string {
  if (!token.startsWith('"')) return token
  try {
    return String(JSON.parse(token))
  } catch {
    return token.slice(1, -1)
  }
}

async function formModel(body: Buffer, type: string): Promise<string | undefined> {
  const form = await parseForm(body, type)
  const model = form?.get('model')
  return typeof model === 'string' ? model : undefined
}

/** A multipart body, or undefined when it is malformed. */
export async function parseForm(body: Buffer, type: string): Promise<FormData | undefined> {
  try {
    return await new Response(new Uint8Array(body), {
      headers: { 'content-type': type },
    }).formData()
  } catch {
    return undefined
  }
}
