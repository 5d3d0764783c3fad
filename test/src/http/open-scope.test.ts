import { describe, expect, test } from 'vitest'
import type { RequestEvent } from '../../../src/log/request-event.ts'
import { STREAM_TYPE } from '../../support/fake-upstream.ts'
import { RecordingClient } from '../../support/recording-client.ts'
import { CHAT } from '../../support/sse-samples.ts'
import {
  basic,
  KEYS,
  openGate,
  openWarmGate,
  post,
  requestOf,
  UPSTREAM_KEY,
  type Asked,
} from './open-gate.ts'

const ADDRESS = '192.0.2.7'

/** An event with what most requests have; the id is the one that the client got. */
function event(requestId: string | undefined, fields: Partial<RequestEvent>): unknown {
  return {
    at: Date.UTC(2026, 0, 1),
    requestId,
    method: 'GET',
    path: '/v1/models',
    keyId: undefined,
    model: undefined,
    status: 200,
    outcome: 'completed',
    reason: undefined,
    queueMs: undefined,
    promptTokens: undefined,
    cachedTokens: undefined,
    completionTokens: undefined,
    ttftMs: undefined,
    durationMs: 0,
    bytesIn: 0,
    bytesOut: 0,
    clientAddress: ADDRESS,
    ...fields,
  }
}

describe('each request leaves exactly one event', () => {
  const body = { model: 'glm-4.7-flash' }
  const bytesIn = JSON.stringify(body).length
  const cases: Array<[string, string, Asked, Partial<RequestEvent>]> = [
    ['that the gate answers itself', '/health', {}, { path: '/health' }],
    ['with a listing', '/v1/models', { key: KEYS.user }, { keyId: 'user' }],
    [
      'for HEAD',
      '/v1/models',
      { key: KEYS.user, method: 'HEAD' },
      { keyId: 'user', method: 'HEAD' },
    ],
    ['for a preflight', '/v1/models', { method: 'OPTIONS' }, { method: 'OPTIONS', status: 204 }],
    [
      'without a key',
      '/v1/models',
      {},
      { status: 401, outcome: 'refused', reason: 'credential-missing' },
    ],
    [
      'with an unknown key',
      '/v1/models',
      { key: 'sk-x' },
      { status: 401, outcome: 'refused', reason: 'credential-unknown' },
    ],
    [
      'with an expired key, which is named',
      '/v1/models',
      { key: KEYS.expired },
      { keyId: 'expired', status: 401, outcome: 'refused', reason: 'key-expired' },
    ],
    [
      'with a disabled key, which is named',
      '/v1/models',
      { key: KEYS.disabled },
      { keyId: 'disabled', status: 401, outcome: 'refused', reason: 'key-disabled' },
    ],
    [
      'without the scope',
      '/running',
      { key: KEYS.user },
      { path: '/running', keyId: 'user', status: 403, outcome: 'refused', reason: 'scope-missing' },
    ],
    [
      'for an unknown path',
      '/nothing',
      { key: KEYS.user },
      { path: '/nothing', keyId: 'user', status: 404, outcome: 'refused', reason: 'route-unknown' },
    ],
    [
      'for an unclean path',
      '/v1//models',
      { key: KEYS.user },
      { path: '/(not canonical)', status: 404, outcome: 'refused', reason: 'bad-path' },
    ],
    [
      'for an upgrade',
      '/v1/responses',
      { headers: { upgrade: 'websocket' } },
      { path: '/v1/responses', status: 426, outcome: 'refused', reason: 'upgrade-refused' },
    ],
    [
      'for a model that the key may not use',
      '/v1/embeddings',
      post(KEYS.limited, { model: 'x' }),
      {
        method: 'POST',
        path: '/v1/embeddings',
        keyId: 'limited',
        status: 404,
        outcome: 'refused',
        reason: 'model-unknown',
        model: 'x',
        bytesIn: 13,
      },
    ],
    [
      'that upstream answers',
      '/v1/chat/completions',
      post(KEYS.user, body),
      {
        method: 'POST',
        path: '/v1/chat/completions',
        keyId: 'user',
        model: 'glm-4.7-flash',
        queueMs: 0,
        // The answer tells of no tokens: they are estimated.
        promptTokens: 7,
        cachedTokens: 0,
        completionTokens: 1024,
        ttftMs: 0,
        bytesIn,
        bytesOut: 11,
      },
    ],
  ]
  test.each(cases)('%s', async (...row) => {
    const [, path, asked, fields] = row
    const { ask, events, failures } = await openGate()
    const { headers, text } = await ask(path, { ...asked, host: { clientAddress: ADDRESS } })
    const bytesOut = Buffer.byteLength(text)
    expect({ events, failures }).toEqual({
      events: [event(headers['x-request-id'], { bytesOut, ...fields })],
      failures: [],
    })
  })

  test('of a stream when the stream ends, with its times', async () => {
    const { gate, upstream, clock, events } = await openWarmGate()
    upstream.onCall = undefined
    const host = { clientAddress: ADDRESS }
    const answering = gate.fetch(
      requestOf('/v1/chat/completions', post(KEYS.user, { model: 'a', stream: true })),
      host,
    )
    await clock.advance(2_000)
    upstream.last.head(200, STREAM_TYPE)
    const response = await answering
    await clock.advance(1_000)
    upstream.last.chunk(CHAT.bytes)
    await clock.advance(500)
    expect(events).toEqual([])

    upstream.last.end()

    expect(events).toEqual([
      event(response.headers.get('x-request-id')!, {
        method: 'POST',
        path: '/v1/chat/completions',
        keyId: 'user',
        model: 'a',
        queueMs: 0,
        promptTokens: 25,
        cachedTokens: 24,
        completionTokens: 3,
        ttftMs: 3_000,
        durationMs: 3_500,
        bytesIn: 27,
        bytesOut: CHAT.bytes.length,
      }),
    ])
  })

  test('of a client that leaves before the answer', async () => {
    const { gate, upstream, clock, events } = await openWarmGate()
    upstream.onCall = undefined
    const left = new AbortController()
    const asked = { ...post(KEYS.user, { model: 'a' }), signal: left.signal }
    const answering = gate.fetch(requestOf('/v1/embeddings', asked), { clientAddress: ADDRESS })
    await clock.advance(700)

    left.abort()
    await answering

    expect(upstream.last.aborts).toBe(1)
    expect(events).toEqual([
      event(expect.any(String), {
        method: 'POST',
        path: '/v1/embeddings',
        keyId: 'user',
        model: 'a',
        status: 499,
        outcome: 'client-closed',
        queueMs: 0,
        promptTokens: 4,
        cachedTokens: 0,
        completionTokens: 0,
        durationMs: 700,
        bytesIn: 13,
      }),
    ])
  })

  test('of a client that leaves while its body is read', async () => {
    const { ask, upstream, events } = await openGate()
    const host = { clientAddress: ADDRESS, readBody: () => Promise.resolve('aborted' as const) }
    await ask('/v1/embeddings', { ...post(KEYS.user, { model: 'a' }), host })
    expect(upstream.calls).toEqual([])
    expect(events).toEqual([
      event(expect.any(String), {
        method: 'POST',
        path: '/v1/embeddings',
        keyId: 'user',
        status: 499,
        outcome: 'client-closed',
      }),
    ])
  })

  test.each([
    ['fails', 'unreachable', 503, 'upstream-unreachable'],
    ['breaks off twice', 'reset', 503, 'upstream-unreachable'],
  ] as const)('of an upstream that %s', async (...row) => {
    const [, failure, status, reason] = row
    const { ask, upstream, events } = await openWarmGate()
    upstream.onCall = (call) => void call.failure(failure)
    const { text } = await ask('/v1/embeddings', {
      ...post(KEYS.user, { model: 'a' }),
      host: { clientAddress: ADDRESS },
    })
    expect(events).toEqual([
      event(expect.any(String), {
        method: 'POST',
        path: '/v1/embeddings',
        keyId: 'user',
        model: 'a',
        status,
        outcome: 'upstream-failed',
        reason,
        queueMs: 0,
        bytesIn: 13,
        bytesOut: text.length,
      }),
    ])
  })

  test('of a listing that upstream fails', async () => {
    const { ask, upstream, events } = await openGate()
    upstream.onCall = (call) => void call.failure('unreachable')
    const { text } = await ask('/v1/models', { key: KEYS.user, host: { clientAddress: ADDRESS } })
    expect(events).toEqual([
      event(expect.any(String), {
        bytesOut: Buffer.byteLength(text),
        keyId: 'user',
        status: 503,
        outcome: 'upstream-failed',
        reason: 'upstream-unreachable',
      }),
    ])
  })

  test('of an answer that the host writes to the connection itself', async () => {
    const { ask, events } = await openGate()
    const client = new RecordingClient()
    const host = { clientAddress: ADDRESS, openClient: () => client.opened }
    await ask('/v1/embeddings', { ...post(KEYS.user, { model: 'a' }), host })
    expect({ text: client.text, events }).toEqual({
      text: '{"ok":true}',
      events: [
        event(expect.any(String), {
          method: 'POST',
          path: '/v1/embeddings',
          keyId: 'user',
          model: 'a',
          queueMs: 0,
          promptTokens: 4,
          cachedTokens: 0,
          completionTokens: 0,
          ttftMs: 0,
          bytesIn: 13,
          bytesOut: 11,
        }),
      ],
    })
  })
})

/** A body that holds a secret wherever a client could put one. */
const inBody = (secret: string): string =>
  JSON.stringify({ model: secret, messages: [{ content: secret }] })

describe('no event holds a secret', () => {
  const SECRETS = Object.values(KEYS)
  const leaks: Array<[string, string, (secret: string) => Asked]> = [
    ['in Authorization', '/v1/models', (key) => ({ key })],
    ['in x-api-key', '/v1/models', (key) => ({ headers: { 'x-api-key': key } })],
    ['as a password', '/running', (key) => ({ headers: basic(key) })],
    [
      'in a header of any name',
      '/v1/models',
      (key) => ({ key: KEYS.user, headers: { 'x-any': key, cookie: key } }),
    ],
    [
      'as the name of a model',
      '/v1/embeddings',
      (key) => ({ ...post(KEYS.user, {}), body: inBody(key) }),
    ],
    ['as a body', '/v1/embeddings', (key) => ({ ...post(KEYS.user, {}), body: key })],
    ['as a method of the path', '/v1/embeddings', (key) => ({ method: 'PUT', key })],
  ]

  test.each(leaks)('that came %s', async (_, path, asked) => {
    const { ask, events, failures } = await openGate()
    for (const secret of SECRETS) {
      await ask(path, asked(secret))
      await ask(`${path}?key=${secret}&q=${secret}`, asked(secret))
      await ask(`/${secret}`, asked(secret))
      await ask(`/upstream/${secret}/v1/models`, { key: KEYS.all })
    }
    expect(events.length).toBe(4 * SECRETS.length)
    const written = JSON.stringify([events, failures])
    expect([...SECRETS, UPSTREAM_KEY].filter((secret) => written.includes(secret))).toEqual([])
  })
})
