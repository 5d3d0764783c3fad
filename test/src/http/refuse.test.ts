import { describe, expect, test } from 'vitest'
import { KEYS, openGate, post, type Asked } from './open-gate.ts'

const REFUSALS: Array<[string, string, Asked, number]> = [
  ['no key', '/v1/models', {}, 401],
  ['an unknown path', '/nothing', { key: KEYS.user }, 404],
  ['an unclean path', '/v1//x', { key: KEYS.user }, 404],
  ['a wrong method', '/v1/models', { key: KEYS.user, method: 'DELETE' }, 405],
  ['a missing scope', '/unload', { key: KEYS.user }, 403],
  ['a bad body', '/v1/embeddings', { ...post(KEYS.user, {}), body: '{' }, 400],
  ['an unknown model', '/v1/embeddings', post(KEYS.limited, { model: 'x' }), 404],
  ['an upgrade', '/v1/responses', { headers: { upgrade: 'websocket' } }, 426],
]

describe('a refusal', () => {
  test.each(REFUSALS)(
    'for %s is JSON of a known length, never cached, final, and carries the ids',
    async (...row) => {
      const [, path, asked, status] = row
      const { ask, events } = await openGate()

      const answer = await ask(path, asked)

      const { requestId, reason } = events[0]!
      const { allow, upgrade, 'www-authenticate': challenge, ...headers } = answer.headers
      expect({ status: answer.status, headers }).toEqual({
        status,
        headers: {
          'cache-control': 'no-store',
          'content-length': String(new TextEncoder().encode(answer.text).length),
          'content-type': 'application/json',
          'request-id': requestId,
          'swapgate-error': reason,
          'x-request-id': requestId,
          'x-should-retry': 'false',
        },
      })
      expect(Object.keys(JSON.parse(answer.text).error)).toEqual([
        'message',
        'type',
        'param',
        'code',
      ])
      expect({ allow, upgrade, challenge }).toEqual({
        allow: status === 405 ? 'GET, HEAD' : undefined,
        upgrade: status === 426 ? 'HTTP/1.1' : undefined,
        challenge: status === 401 ? 'Bearer realm="swapgate"' : undefined,
      })
    },
  )

  test.each(REFUSALS)(
    'for %s holds no id and no digits on which OpenCode would retry',
    async (_, path, asked) => {
      const { ask, events } = await openGate()
      const { text } = await ask(path, asked)
      expect(text).not.toMatch(/429|500|502|503|504|524/)
      expect(text).not.toContain(events[0]?.requestId)
    },
  )

  test('of HEAD has the fields of one and no content', async () => {
    const { ask } = await openGate()
    const answer = await ask('/nothing', { key: KEYS.user, method: 'HEAD' })
    expect([answer.status, answer.text, answer.headers['x-should-retry']]).toEqual([
      404,
      '',
      'false',
    ])
  })

  test.each([
    [
      '/v1/messages',
      {
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: 'No model named. Set "model" to one of the ids that GET /v1/models lists.',
        },
      },
    ],
    [
      '/v1/chat/completions',
      {
        error: {
          message: 'No model named. Set "model" to one of the ids that GET /v1/models lists.',
          type: 'invalid_request_error',
          param: null,
          code: 'model_missing',
        },
      },
    ],
  ])('at %s speaks its dialect', async (path, body) => {
    const { ask } = await openGate()
    const answer = await ask(path, post(KEYS.user, {}))
    expect([answer.status, JSON.parse(answer.text)]).toEqual([400, body])
  })
})
