import type { GateError } from '../errors/gate-error.ts'
import type { ModelPlace } from '../routes/route-table.ts'
import { readMultipartField } from './read-multipart.ts'
import { decodeJson, scanJsonObject, type Span } from './scan-json.ts'

/** What a request names, read so that nobody behind the gate can read it otherwise. */
export type ReadContent =
  | {
      ok: true
      model: string | undefined
      streamed: boolean
      /** The Content-Type under which the body was read; undefined leaves the client's. */
      contentType: string | undefined
      queryModel: string | undefined
      /** The top-level members of a JSON body. */
      members: ReadonlyMap<string, Span> | undefined
    }
  | { ok: false; error: GateError }

export type Inbound = {
  body: Uint8Array | undefined
  contentType: string | undefined
  /** The query with its leading `?`, or empty. */
  search: string
}

const bad = (detail: string, param?: string): ReadContent => ({
  ok: false,
  error: { kind: 'bad-request', detail, ...(param !== undefined && { param }) },
})

/** Reads the model's name from where the route has it, and whether a stream is asked for. */
export function readContent(place: ModelPlace, inbound: Inbound): ReadContent {
  switch (place) {
    case 'none':
      return {
        ok: true,
        model: undefined,
        streamed: false,
        contentType: undefined,
        queryModel: undefined,
        members: undefined,
      }
    case 'query':
      return fromQuery(inbound.search)
    case 'json-or-form':
      if (/^multipart\//i.test(inbound.contentType ?? '')) return fromForm(inbound)
      return fromJson(inbound.body)
    case 'json':
      return fromJson(inbound.body)
  }
}

function fromQuery(search: string): ReadContent {
  const [model, ...others] = new URLSearchParams(search).getAll('model')
  if (others.length > 0) return bad('The query must name one model.', 'model')
  if (!model) return { ok: false, error: { kind: 'model-missing' } }
  return {
    ok: true,
    model,
    streamed: false,
    contentType: undefined,
    queryModel: model,
    members: undefined,
  }
}

function fromForm({ body, contentType }: Inbound): ReadContent {
  const field = readMultipartField(body ?? new Uint8Array(), contentType ?? '', 'model')
  if (!field.ok) return bad(field.detail)
  if (!field.value) return { ok: false, error: { kind: 'model-missing' } }
  return {
    ok: true,
    model: field.value,
    streamed: false,
    contentType: field.contentType,
    queryModel: undefined,
    members: undefined,
  }
}

function fromJson(body: Uint8Array | undefined): ReadContent {
  const bytes = body ?? new Uint8Array()
  if (bytes.length === 0) return bad('The request needs a JSON body.')
  const scan = scanJsonObject(bytes)
  if (!scan.ok)
    return bad(JSON_PROBLEMS[scan.problem], scan.problem === 'duplicate' ? scan.name : undefined)
  const valueOf = (name: string): unknown => {
    const span = scan.members.get(name)
    return span && decodeJson(bytes.subarray(span.start, span.end))
  }
  const model = valueOf('model')
  if (!scan.members.has('model') || model === '')
    return { ok: false, error: { kind: 'model-missing' } }
  if (typeof model !== 'string') return bad('"model" must be a string.', 'model')
  const stream = scan.members.has('stream') ? valueOf('stream') : false
  if (typeof stream !== 'boolean' && stream !== null)
    return bad('"stream" must be true or false.', 'stream')
  return {
    ok: true,
    model,
    streamed: stream === true,
    contentType: 'application/json',
    queryModel: undefined,
    members: scan.members,
  }
}

const JSON_PROBLEMS = {
  'not-an-object': 'The body must be one JSON object.',
  syntax: 'The body is not valid JSON.',
  'too-deep': 'The JSON of the body is nested too deeply.',
  duplicate: 'The JSON of the body has the same field twice.',
} as const
