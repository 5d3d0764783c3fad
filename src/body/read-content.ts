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

const QUOTE = 0x22

/** In bytes of JSON. */
const LONGEST_MODEL = 4096
const LONGEST_SCALAR = 64
const LONGEST_OPTIONS = 4096

/**
 * The other members that src/limit and src/usage decode, and how long each may be. They are read before any limit is
 * counted: a list of megabytes in one of them would take seconds and gigabytes. A long one is refused and not passed
 * over: upstream would obey `"n": 2.000…`.
 */
const LONGEST: ReadonlyMap<string, number> = new Map([
  ['max_tokens', LONGEST_SCALAR],
  ['max_completion_tokens', LONGEST_SCALAR],
  ['max_output_tokens', LONGEST_SCALAR],
  ['n_predict', LONGEST_SCALAR],
  ['n', LONGEST_SCALAR],
  ['n_cmpl', LONGEST_SCALAR],
  ['best_of', LONGEST_SCALAR],
  ['return_progress', LONGEST_SCALAR],
  ['stream_options', LONGEST_OPTIONS],
])

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
  return fromMembers(bytes, scan.members)
}

function fromMembers(bytes: Uint8Array, members: ReadonlyMap<string, Span>): ReadContent {
  const model = readModel(bytes, members.get('model'))
  if (typeof model !== 'string') return model
  const streamed = isStreamed(bytes, members.get('stream'))
  if (streamed === undefined) return bad('"stream" must be true or false.', 'stream')
  for (const [name, most] of LONGEST) {
    const span = members.get(name)
    if (span && lengthOf(span) > most)
      return bad(`"${name}" is longer than any value that it may have.`, name)
  }
  return {
    ok: true,
    model,
    streamed,
    contentType: 'application/json',
    queryModel: undefined,
    members,
  }
}

function readModel(bytes: Uint8Array, span: Span | undefined): string | ReadContent {
  if (!span) return { ok: false, error: { kind: 'model-missing' } }
  if (bytes[span.start] === QUOTE && lengthOf(span) > LONGEST_MODEL)
    return bad('"model" is longer than any name of a model.', 'model')
  const model = bytes[span.start] === QUOTE ? valueAt(bytes, span) : undefined
  if (model === '') return { ok: false, error: { kind: 'model-missing' } }
  return typeof model === 'string' ? model : bad('"model" must be a string.', 'model')
}

/** Undefined where it is neither true nor false, nor left open with null. */
function isStreamed(bytes: Uint8Array, span: Span | undefined): boolean | undefined {
  if (!span) return false
  if (lengthOf(span) > LONGEST_SCALAR) return undefined
  const stream = valueAt(bytes, span)
  return typeof stream === 'boolean' || stream === null ? stream === true : undefined
}

function valueAt(bytes: Uint8Array, { start, end }: Span): unknown {
  return decodeJson(bytes.subarray(start, end))
}

function lengthOf({ start, end }: Span): number {
  return end - start
}

const JSON_PROBLEMS = {
  'not-an-object': 'The body must be one JSON object.',
  syntax: 'The body is not valid JSON.',
  'too-deep': 'The JSON of the body is nested too deeply.',
  'too-many-members': 'The JSON of the body has more than a thousand fields at its top level.',
  'name-too-long': 'The JSON of the body has a field of a very long name.',
  duplicate: 'The JSON of the body has the same field twice.',
} as const
