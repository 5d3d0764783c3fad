import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findRoute, scopesFor } from '../../../src/routes/find-route.ts'
import type { ModelPlace, RouteKind, Scope } from '../../../src/routes/route-table.ts'

type Row = [method: string, path: string, kind: RouteKind, model: ModelPlace]

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}

const jsonPosts = words(`
  /v1/chat/completions /v1/completions /v1/responses /v1/messages /v1/messages/count_tokens /v1/embeddings
  /v1/rerank /v1/reranking /rerank /reranking /infill /completion /v1/audio/speech /v1/audio/voices
  /v1/images/generations /sdapi/v1/txt2img /sdapi/v1/img2img /audioapi/v1/tasks/run
  /v/chat/completions /v/responses /v/completions /v/messages /v/messages/count_tokens /v/embeddings
  /v/rerank /v/reranking
`)
const formPosts = words('/v1/audio/transcriptions /v1/images/edits')
const queryGets = words('/v1/audio/voices /sdapi/v1/loras /props')
const passthrough = words('/upstream/ /upstream/m/v1/chat/completions /comfyui/ /comfyui/ws')
const adminGets = words(`
  /unload /api/profiles /api/events /api/metrics/activity /api/metrics/stats /api/performance /api/version
  /api/hardware /api/captures/17 /logs /logs/stream /logs/stream/proxy /logs/stream/upstream
  /logs/stream/org/model /metrics /ui /ui/ /ui/models /ui/assets/app.js /upstream /favicon.ico
`)

/** All that llama-swap serves. */
const SERVED: Row[] = [
  ...jsonPosts.map((path): Row => ['POST', path, 'inference', 'json']),
  ...formPosts.map((path): Row => ['POST', path, 'inference', 'json-or-form']),
  ...queryGets.map((path): Row => ['GET', path, 'inference', 'query']),
  ...words('GET POST PUT PATCH DELETE').flatMap((method) =>
    passthrough.map((path): Row => [method, path, 'admin', 'none']),
  ),
  ['GET', '/v1/models', 'listing', 'none'],
  ['GET', '/models', 'listing', 'none'],
  ['GET', '/running', 'status', 'none'],
  ['GET', '/wol-health', 'status', 'none'],
  ...adminGets.map((path): Row => ['GET', path, 'admin', 'none']),
  ['POST', '/api/models/unload', 'admin', 'none'],
  ['POST', '/api/models/unload/org/model', 'admin', 'none'],
  ['PUT', '/api/profiles/active', 'admin', 'none'],
  ['POST', '/api/inflight/17/cancel', 'admin', 'none'],
]

const served = SERVED.map(([method, path, kind, model]) => ({ method, path, kind, model }))

test.each(served)('$method $path is for $kind, with the model in: $model', (row) => {
  const { method, path, kind, model } = row
  expect(findRoute(method, path)).toMatchObject({ found: 'route', route: { kind, model } })
})

const NOT_ROUTED = [
  // What llama-server has and llama-swap does not pass on.
  ...words(`
    /tokenize /detokenize /apply-template /slots /embedding /embeddings /completions /chat/completions
    /v1/models/gpt-oss-120b /v1/health /lora-adapters /v1/chat/completions/input_tokens
    /v1/responses/input_tokens /v1/stream/abc /v1/realtime /api/tags /api/hello
  `),
  // What the gate answers itself and never forwards.
  ...words('/health /'),
  // What is spelled almost like a path that is served.
  ...words(`
    /v1/models/ /v1/chat/completions/ /V1/models /Unload /unload/ /running/ /api /api/ /api/captures
    /api/inflight /comfyui /uix /upstreamx /logs/ /logs/streams /metrics/ /v /v/ /v/models
    /v2/chat/completions
  `),
]

test.each(NOT_ROUTED)('%s leads nowhere, with any method', (path) => {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'BREW']
  expect(methods.map((method) => findRoute(method, path))).toEqual(
    methods.map(() => ({ found: 'nothing' })),
  )
})

describe('methods', () => {
  test('HEAD finds what GET finds, because llama-swap unloads on HEAD /unload', () => {
    const gets = SERVED.filter(([method]) => method === 'GET')
    expect(gets.map(([, path]) => findRoute('HEAD', path))).toEqual(
      gets.map(([, path]) => findRoute('GET', path)),
    )
  })

  test('another method than the served ones is told which those are', () => {
    expect(findRoute('GET', '/v1/chat/completions')).toEqual({
      found: 'other-methods',
      allow: ['POST'],
    })
    expect(findRoute('DELETE', '/v1/models')).toEqual({
      found: 'other-methods',
      allow: ['GET', 'HEAD'],
    })
    expect(findRoute('PUT', '/v1/audio/voices')).toEqual({
      found: 'other-methods',
      allow: ['POST', 'GET', 'HEAD'],
    })
    expect(findRoute('TRACE', '/upstream/m/x')).toEqual({
      found: 'other-methods',
      allow: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    })
  })

  test('HEAD of a path that only takes POST is not a POST', () => {
    expect(findRoute('HEAD', '/v1/messages')).toEqual({ found: 'other-methods', allow: ['POST'] })
  })

  test('are compared in their case (RFC 9110 §9.1)', () => {
    expect(findRoute('post', '/v1/messages')).toMatchObject({ found: 'other-methods' })
  })
})

test('only the paths of the table are found, whatever is asked', () => {
  const exact = new Set(SERVED.map(([, path]) => path))
  const prefixes = words(
    '/upstream/ /comfyui/ /ui/ /logs/stream/ /api/captures/ /api/inflight/ /api/models/unload/',
  )
  const word = fc.constantFrom(
    ...words('v1 v models chat completions messages unload api upstream ui logs stream comfyui'),
    ...words('captures inflight running __proto__ constructor'),
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), (segments) => {
      const path = `/${segments.join('/')}`
      const isServed = exact.has(path) || prefixes.some((prefix) => path.startsWith(prefix))
      expect(findRoute('GET', path).found === 'nothing').toBe(!isServed)
    }),
    { numRuns: 1000 },
  )
})

function scopesOf(method: string, path: string): readonly Scope[] {
  const found = findRoute(method, path)
  return found.found === 'route' ? scopesFor(found.route) : []
}

describe('scopes', () => {
  test('inference opens inference and the listing, status what is loaded, admin all but inference', () => {
    expect({
      chat: scopesOf('POST', '/v1/chat/completions'),
      props: scopesOf('GET', '/props'),
      models: scopesOf('GET', '/v1/models'),
      running: scopesOf('GET', '/running'),
      unload: scopesOf('HEAD', '/unload'),
      captures: scopesOf('GET', '/api/captures/1'),
      upstream: scopesOf('POST', '/upstream/m/v1/chat/completions'),
    }).toEqual({
      chat: ['inference'],
      props: ['inference'],
      models: ['inference', 'status', 'admin'],
      running: ['status', 'admin'],
      unload: ['admin'],
      captures: ['admin'],
      upstream: ['admin'],
    })
  })

  test('nothing that shows prompts or logs, or unloads, opens to a key for inference', () => {
    const open = SERVED.filter(([method, path]) => scopesOf(method, path).includes('inference'))
    expect(new Set(open.map(([, , kind]) => kind))).toEqual(new Set(['inference', 'listing']))
  })
})
