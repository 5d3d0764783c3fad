import { messagesAnswer, messagesFrames } from './anthropic-frames.ts'
import type { Answer, HeaderPairs } from './answer.ts'
import { plain } from './answer.ts'
import type { LocalModel } from './catalogue.ts'
import { props } from './catalogue.ts'
import type { Completion, Tokens } from './completion.ts'
import { CREATED, SPOKEN } from './completion.ts'
import { llamaServerError } from './error-answers.ts'
import { parseForm } from './model-of.ts'
import {
  chatAnswer,
  chatFrames,
  nativeAnswer,
  nativeFrames,
  textAnswer,
  textFrames,
} from './openai-frames.ts'
import type { RecordedRequest } from './recorded-request.ts'
import { headerOf } from './recorded-request.ts'
import { responsesAnswer, responsesFrames } from './responses-frames.ts'

/** A request as it arrives at the model's own server. */
export type Call = {
  /** The path on llama-server, with `/v` and `/upstream/<model>` taken off. */
  path: string
  request: RecordedRequest
  model: LocalModel
  tokens: Tokens
}

type Body = Record<string, unknown>

/** Every byte value, 16 times over: what `/v1/audio/speech` answers. */
export const SPEECH_BYTES: Buffer = Buffer.from(Array.from({ length: 16 * 256 }, (_, i) => i % 256))

/** The usual answer of llama-server, with the CORS headers it sends whether asked or not. */
export async function answerAsLlamaServer(call: Call): Promise<Answer> {
  const answer = await answerByPath(call)
  return { ...answer, headers: [...commonHeaders(call.request), ...answer.headers] }
}

async function answerByPath(call: Call): Promise<Answer> {
  const path = call.path.replace(/^\/v1(?=\/)/, '')
  if (call.request.method === 'GET' || call.request.method === 'HEAD') return answerGet(call, path)
  if (path === '/audio/transcriptions' || path === '/images/edits') return uploadAnswer(call)
  if (path === '/audio/speech') return speech()
  const body = parseBody(call.request.body)
  if (body === undefined) return refusal(400, 'parse error', 'invalid_request_error')
  return generated(call, path, body) ?? measured(call, path, body)
}

function answerGet(call: Call, path: string): Answer {
  if (path === '/props') return serverJson(props(call.model))
  if (path === '/slots') return serverJson([{ id: 0, n_ctx: call.model.contextSize }])
  if (path === '/health') return serverJson({ status: 'ok' })
  if (path === '/models') {
    const meta = { n_ctx: call.model.contextSize, n_ctx_train: 131_072 }
    return serverJson({ object: 'list', data: [{ id: call.model.id, object: 'model', meta }] })
  }
  if (path === '/audio/voices' || path === '/sdapi/v1/loras') return serverJson([])
  return notFound()
}

/** The endpoints that generate: the only ones that stream. */
function generated(call: Call, path: string, body: Body): Answer | undefined {
  const model = typeof body['model'] === 'string' ? body['model'] : call.model.id
  const completion: Completion = { model, texts: SPOKEN, tokens: call.tokens }
  const choose = (value: Body, frames: string[], contentPiece: number) =>
    body['stream'] === true ? eventStream(frames, contentPiece) : serverJson(value)
  switch (path) {
    case '/chat/completions':
      return choose(chatAnswer(completion), chatFrames(completion, wantsUsage(body)), 1)
    case '/completions':
      return choose(textAnswer(completion), textFrames(completion), 0)
    case '/messages':
      return choose(messagesAnswer(completion), messagesFrames(completion), 2)
    case '/responses':
      return choose(responsesAnswer(completion), responsesFrames(completion), 4)
    case '/completion':
    case '/infill':
      return choose(nativeAnswer(completion), nativeFrames(completion), 0)
    default:
      return undefined
  }
}

function wantsUsage(body: Body): boolean {
  const options = body['stream_options']
  return typeof options === 'object' && options !== null && 'include_usage' in options
    ? options.include_usage === true
    : false
}

type Measure = (call: Call, body: Body) => unknown

const inputTokens: Measure = ({ tokens }) => ({
  input_tokens: tokens.prompt,
  object: 'response.input_tokens',
})

const rerank: Measure = ({ model, tokens }, body) => ({
  model: body['model'] ?? model.id,
  object: 'list',
  usage: promptUsage(tokens),
  results: [{ index: 0, relevance_score: 0.9 }],
})

const received: Measure = ({ path, request }) => ({ path, received: request.body.length })

/** The endpoints that answer with one JSON value, by path without `/v1`. */
const MEASURES: Record<string, Measure> = {
  '/messages/count_tokens': ({ tokens }) => ({ input_tokens: tokens.prompt }),
  '/chat/completions/input_tokens': inputTokens,
  '/responses/input_tokens': inputTokens,
  '/embeddings': ({ model, tokens }, body) => ({
    model: body['model'] ?? model.id,
    object: 'list',
    usage: promptUsage(tokens),
    data: [{ embedding: [0.1, 0.2, 0.3], index: 0, object: 'embedding' }],
  }),
  '/rerank': rerank,
  '/reranking': rerank,
  '/images/generations': () => ({ created: CREATED, data: [{ b64_json: 'aW1hZ2U=' }] }),
  '/tokenize': ({ tokens }) => ({ tokens: Array.from({ length: tokens.prompt }, (_, i) => i) }),
  '/apply-template': () => ({ prompt: 'the prompt after its template' }),
  '/audio/voices': received,
  '/tasks/run': received,
  '/sdapi/v1/txt2img': received,
  '/sdapi/v1/img2img': received,
}

function measured(call: Call, path: string, body: Body): Answer {
  const measure = MEASURES[path]
  return measure === undefined ? notFound() : serverJson(measure(call, body))
}

function promptUsage(tokens: Tokens): Record<string, number> {
  return { prompt_tokens: tokens.prompt, total_tokens: tokens.prompt }
}

/** Tells what came in a multipart body, so that a test sees that every byte passed. */
async function uploadAnswer(call: Call): Promise<Answer> {
  const type = headerOf(call.request, 'content-type') ?? ''
  const form = await parseForm(call.request.body, type)
  const parts = [...(form ?? [])].map(([name, value]) =>
    typeof value === 'string'
      ? { name, value }
      : { name, filename: value.name, type: value.type, bytes: value.size },
  )
  return serverJson({ text: 'Hello', bodyBytes: call.request.body.length, parts })
}

function speech(): Answer {
  const pieces = Array.from({ length: 16 }, (_, i) => SPEECH_BYTES.subarray(i * 256, i * 256 + 256))
  return { status: 200, headers: [['content-type', 'audio/wav']], pieces, chunked: true }
}

function parseBody(body: Buffer): Body | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function eventStream(frames: string[], contentPiece: number): Answer {
  return {
    status: 200,
    headers: [
      ['content-type', 'text/event-stream'],
      ['x-accel-buffering', 'no'],
    ],
    pieces: frames.map((frame) => Buffer.from(frame)),
    chunked: true,
    contentPiece,
  }
}

function serverJson(value: unknown): Answer {
  return plain(200, [['content-type', 'application/json; charset=utf-8']], JSON.stringify(value))
}

function refusal(status: number, message: string, type: string): Answer {
  const { headers = [], body = '' } = llamaServerError(status, message, type)
  return plain(status, headers, body)
}

function notFound(): Answer {
  return refusal(404, 'File Not Found', 'not_found_error')
}

/** llama-server sends an empty origin when there is none, and allows credentials to any other. */
function commonHeaders(request: RecordedRequest): HeaderPairs {
  const origin = headerOf(request, 'origin')
  if (origin === undefined) {
    return [
      ['server', 'llama.cpp'],
      ['access-control-allow-origin', ''],
    ]
  }
  return [
    ['server', 'llama.cpp'],
    ['access-control-allow-origin', origin],
    ['access-control-allow-credentials', 'true'],
  ]
}
