import { describe, expect, test } from 'vitest'
import { FakeUpstream } from '../support/fake-upstream.ts'
import {
  answerEverything,
  basic,
  codeOf,
  KEYS,
  openGate,
  post,
  type Asked,
} from './http/open-gate.ts'

describe('the order of the checks', () => {
  const WRONG = { upgrade: 'websocket', 'content-encoding': 'gzip' }
  // Each request is wrong in every way that is checked later, and is told only what comes first.
  const everythingWrong: Asked = {
    method: 'POST',
    headers: WRONG,
    body: 'x'.repeat(3000),
  }
  const without = (...names: string[]): Record<string, string> =>
    Object.fromEntries(Object.entries(WRONG).filter(([name]) => !names.includes(name)))

  test.each<[string, string, Asked, unknown]>([
    ['address', '/v1//nothing', everythingWrong, 'not_found'],
    ['upgrade', '/nothing', everythingWrong, 'upgrade_not_supported'],
    ['key', '/nothing', { ...everythingWrong, headers: without('upgrade') }, 'missing_api_key'],
    [
      'route',
      '/nothing',
      { ...everythingWrong, key: KEYS.status, headers: without('upgrade') },
      'not_found',
    ],
    [
      'method',
      '/props',
      { ...everythingWrong, key: KEYS.status, headers: without('upgrade') },
      'method_not_allowed',
    ],
    [
      'scope',
      '/v1/embeddings',
      { ...everythingWrong, key: KEYS.status, headers: without('upgrade') },
      'scope_missing',
    ],
    [
      'encoding',
      '/v1/embeddings',
      { ...everythingWrong, key: KEYS.limited, headers: without('upgrade') },
      'unsupported_encoding',
    ],
    [
      'size',
      '/v1/embeddings',
      { ...everythingWrong, key: KEYS.limited, headers: {} },
      'request_too_large',
    ],
    [
      'content',
      '/v1/embeddings',
      { method: 'POST', key: KEYS.limited, body: '{' },
      'invalid_request',
    ],
    ['model', '/v1/embeddings', post(KEYS.limited, { model: 'other' }), 'model_not_found'],
  ])('the %s is checked before what follows', async (...row) => {
    const [, path, asked, code] = row
    const { ask, events } = await openGate({ body: { maxBytes: 2000 } })
    expect(codeOf(await ask(path, asked))).toBe(code)
    expect(events.length).toBe(1)
  })

  test('a preflight comes before all of them, except that it is logged', async () => {
    const { ask, events, upstream } = await openGate()
    const answers = [
      await ask('/v1//nothing', { ...everythingWrong, method: 'OPTIONS' }),
      await ask('/nothing', { ...everythingWrong, method: 'OPTIONS' }),
    ]
    expect([answers.map(({ status }) => status), events.length, upstream.calls.length]).toEqual([
      [204, 204],
      2,
      0,
    ])
  })

  test('a password is looked at only where one may be used', async () => {
    const { ask } = await openGate()
    expect(
      codeOf(await ask('/v1/embeddings', { method: 'POST', headers: basic(KEYS.all), body: '{}' })),
    ).toBe('invalid_api_key')
  })
})

describe('an exception that nobody expected', () => {
  const message = 'The gate failed on this request. Its log holds the request id of this answer.'
  const broken = new Error(`secret detail ${KEYS.user}`)
  const throwing = new FakeUpstream()
  throwing.send = () => {
    throw broken
  }
  const places: Array<[string, string, Asked, Parameters<typeof openGate>[1]]> = [
    [
      'while the key is looked up',
      '/v1/models',
      { key: KEYS.user },
      { sha256: () => Promise.reject(broken) },
    ],
    [
      'while the names are read',
      '/v1/embeddings',
      post(KEYS.limited, { model: 'x' }),
      { modelConfig: { read: () => Promise.reject(broken) } },
    ],
    [
      'while upstream is asked for a listing',
      '/v1/models',
      { key: KEYS.user },
      { upstream: throwing },
    ],
    [
      'while the body is read',
      '/v1/embeddings',
      { ...post(KEYS.user, { model: 'a' }), host: { readBody: () => Promise.reject(broken) } },
      {},
    ],
    [
      'while the client’s end is opened',
      '/v1/embeddings',
      {
        ...post(KEYS.user, { model: 'a' }),
        host: {
          openClient: () => {
            throw broken
          },
        },
      },
      {},
    ],
    [
      'while the request goes up',
      '/v1/embeddings',
      post(KEYS.user, { model: 'a' }),
      { upstream: throwing },
    ],
  ]

  test.each(places)('%s becomes a 500 that says nothing of it', async (...row) => {
    const [, path, asked, deps] = row
    const { ask, events, failures, clock } = await openGate({}, deps)

    const answer = await ask(path, asked)

    const { requestId } = events[0]!
    expect({
      status: answer.status,
      body: JSON.parse(answer.text),
      id: answer.headers['x-request-id'],
    }).toEqual({
      status: 500,
      body: { error: { message, type: 'server_error', param: null, code: 'internal_error' } },
      id: requestId,
    })
    expect(failures).toEqual([{ requestId, error: broken }])
    expect(events.map(({ status, outcome, reason }) => ({ status, outcome, reason }))).toEqual([
      { status: 500, outcome: 'upstream-failed', reason: 'internal' },
    ])
    await clock.advance(24 * 3_600_000)
    expect({ events: events.length, pending: clock.pending() }).toEqual({ events: 1, pending: 0 })
  })

  test('is told in Anthropic’s dialect where the client speaks that, with CORS fields', async () => {
    const { ask } = await openGate(
      { cors: { origins: ['*'] } },
      { sha256: () => Promise.reject(broken) },
    )
    const answer = await ask('/v1/messages', post(KEYS.user, { model: 'a' }))
    expect([JSON.parse(answer.text), answer.headers['access-control-allow-origin']]).toEqual([
      { type: 'error', error: { type: 'api_error', message } },
      '*',
    ])
  })

  test('does not keep the gate from the next request', async () => {
    const upstream = new FakeUpstream()
    const { ask } = await openGate({}, { upstream })
    upstream.onCall = undefined
    const send = upstream.send.bind(upstream)
    upstream.send = () => {
      throw broken
    }
    expect((await ask('/v1/models', { key: KEYS.user })).status).toBe(500)
    upstream.send = send
    upstream.onCall = answerEverything
    expect((await ask('/v1/models', { key: KEYS.user })).status).toBe(200)
  })
})

test('two gates in one process share nothing', async () => {
  const [a, b] = [await openGate(), await openGate({ keys: [] })]
  expect([
    (await a.ask('/v1/models', { key: KEYS.user })).status,
    (await b.ask('/v1/models', { key: KEYS.user })).status,
  ]).toEqual([200, 401])
  expect([a.events.length, b.events.length]).toEqual([1, 1])
})
