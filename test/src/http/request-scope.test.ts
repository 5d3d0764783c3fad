import { describe, expect, test } from 'vitest'
import { RequestScope } from '../../../src/http/request-scope.ts'

const open = (path = '/v1/models', clientAddress?: string): RequestScope =>
  new RequestScope({ method: 'GET', path, acceptedAt: 1_000 }, { clientAddress })

describe('a request', () => {
  test('has an id of its own, under the two names that SDKs read', () => {
    const [a, b] = [open(), open()]
    expect(a.requestId).toMatch(/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/)
    expect(a.requestId).not.toBe(b.requestId)
    expect(a.ownHeaders).toEqual([
      ['x-request-id', a.requestId],
      ['request-id', a.requestId],
    ])
  })

  test.each([
    ['/v1/messages', 'anthropic'],
    ['/v1/messages/count_tokens', 'anthropic'],
    ['/v/messages', 'anthropic'],
    ['/v1/messagesx', 'openai'],
    ['/v1/chat/completions', 'openai'],
    ['/nothing', 'openai'],
  ])('to %s is answered in the dialect of %s', (path, dialect) => {
    expect(open(path).dialect).toBe(dialect)
  })
})

describe('its log event', () => {
  test('holds what was learned on the way and how it ended', () => {
    const scope = open('/v1/chat/completions', '192.0.2.7')
    scope.keyId = 'laptop'
    scope.model = 'glm-4.7-flash'
    scope.bytesIn = 12
    scope.queueMs = 250
    scope.tokens = { prompt: 100, cached: 60, completion: 7, exact: true }

    const event = scope.eventFor(
      { outcome: 'completed', status: 200, firstByteAt: 1_400, bytesOut: 34 },
      3_000,
    )

    expect(event).toEqual({
      at: 1_000,
      requestId: scope.requestId,
      method: 'GET',
      path: '/v1/chat/completions',
      keyId: 'laptop',
      model: 'glm-4.7-flash',
      status: 200,
      outcome: 'completed',
      reason: undefined,
      queueMs: 250,
      promptTokens: 100,
      cachedTokens: 60,
      completionTokens: 7,
      ttftMs: 400,
      durationMs: 2_000,
      bytesIn: 12,
      bytesOut: 34,
      clientAddress: '192.0.2.7',
    })
  })

  test('of a request that was refused at once holds as much as is known', () => {
    const scope = open()
    scope.reason = 'credential-missing'
    expect(scope.eventFor({ outcome: 'refused', status: 401 }, 1_000)).toEqual({
      at: 1_000,
      requestId: scope.requestId,
      method: 'GET',
      path: '/v1/models',
      keyId: undefined,
      model: undefined,
      status: 401,
      outcome: 'refused',
      reason: 'credential-missing',
      queueMs: undefined,
      promptTokens: undefined,
      completionTokens: undefined,
      ttftMs: undefined,
      durationMs: 0,
      bytesIn: 0,
      bytesOut: 0,
      clientAddress: undefined,
    })
  })

  test('takes the reason of the end before the one that was noted on the way', () => {
    const scope = open()
    scope.reason = 'noted'
    const reasons = [{ reason: 'told' }, {}].map(
      (told) => scope.eventFor({ outcome: 'refused', status: 400, ...told }, 1_000).reason,
    )
    expect(reasons).toEqual(['told', 'noted'])
  })

  test('holds no key that was typed into the path or the model', () => {
    const key = 'sk-user-0123456789abcdef0123456789'
    const scope = open(`/upstream/${key}/x`)
    scope.model = `glm ${key}`
    const { path, model } = scope.eventFor({ outcome: 'refused', status: 404 }, 1_000)
    expect({ path, model }).toEqual({ path: '/upstream/…/x', model: 'glm …' })
  })
})
