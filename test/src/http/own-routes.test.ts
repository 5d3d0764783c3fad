import { describe, expect, test } from 'vitest'
import { post, codeOf, KEYS, openGate } from './open-gate.ts'

const HELLO = 'swapgate is running. The API is below /v1 and needs a key.\n'

describe('without a key', () => {
  test.each([
    ['GET', '/health', '{"status":"ok"}', 'application/json'],
    ['HEAD', '/health', '', 'application/json'],
    ['GET', '/', HELLO, 'text/plain; charset=UTF-8'],
    ['HEAD', '/', '', 'text/plain; charset=UTF-8'],
    ['GET', '/api/hello', HELLO, 'text/plain; charset=UTF-8'],
    ['HEAD', '/api/hello', '', 'text/plain; charset=UTF-8'],
  ])('%s %s answers %j as %s, never cached, and asks nobody', async (...row) => {
    const [method, path, text, type] = row
    const { ask, upstream } = await openGate()

    const answer = await ask(path, { method })

    expect(answer).toEqual({
      status: 200,
      text,
      headers: {
        'cache-control': 'no-store',
        'content-type': type,
        'request-id': answer.headers['x-request-id'],
        'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
        // A browser gets a page at "/".
        ...(path === '/' && { vary: 'Accept' }),
      },
    })
    expect(upstream.calls).toEqual([])
  })

  test.each(['/health/', '/Health', '/healthz', '/api/hello/', '/index.html'])(
    '%s is not open',
    async (path) => {
      const { ask } = await openGate()
      const answer = await ask(path)
      expect([answer.status, codeOf(answer)]).toEqual([401, 'missing_api_key'])
    },
  )

  test.each(['POST', 'PUT', 'DELETE'])('%s /health is not open either', async (method) => {
    const { ask } = await openGate()
    expect(codeOf(await ask('/health', { method }))).toBe('missing_api_key')
  })
})

describe('a request to change protocols', () => {
  test.each([
    ['GET', '/v1/responses'],
    ['GET', '/v1/chat/completions'],
    ['GET', '/upstream/glm-4.7-flash/ws'],
    ['GET', '/no/such/path'],
    ['POST', '/v1/chat/completions'],
  ])('%s %s is told to speak HTTP, with a key or without', async (method, path) => {
    const { ask, upstream } = await openGate()
    const headers = { upgrade: 'websocket', connection: 'upgrade' }

    const answers = [
      await ask(path, { method, headers }),
      await ask(path, { method, headers, key: KEYS.all }),
    ]

    expect(
      answers.map((answer) => [answer.status, answer.headers['upgrade'], codeOf(answer)]),
    ).toEqual([
      [426, 'HTTP/1.1', 'upgrade_not_supported'],
      [426, 'HTTP/1.1', 'upgrade_not_supported'],
    ])
    expect(upstream.calls).toEqual([])
  })

  test('to anything else is an offer that is ignored: curl and Java send h2c with plain requests', async () => {
    const { ask, upstream } = await openGate()
    const headers = {
      upgrade: 'h2c',
      connection: 'Upgrade, HTTP2-Settings',
      'http2-settings': 'AAM',
    }
    const asked = { ...post(KEYS.all, { model: 'a' }), headers }
    expect((await ask('/v1/embeddings', asked)).status).toBe(200)
    expect(
      upstream.calls.flatMap(({ request }) => request.headers.map(([name]) => name)),
    ).not.toContain('upgrade')
  })

  test('does not change that the gate is healthy', async () => {
    const { ask } = await openGate()
    expect((await ask('/health', { headers: { upgrade: 'h2c' } })).status).toBe(200)
  })
})

describe('an address that has no canonical form', () => {
  test.each([
    ['http://gate.test/v1//models', {}, 404, 'not_found'],
    ['http://gate.test/v1/%6dodels', {}, 404, 'not_found'],
    ['http://gate.test/v1/models', { rawTarget: '/v1/../v1/models' }, 404, 'not_found'],
    ['http://gate.test//health', {}, 404, 'not_found'],
  ])('%s is refused before any route is looked at', async (...row) => {
    const [url, host, status, code] = row
    const { ask, upstream, events } = await openGate()
    const answer = await ask(url, { key: KEYS.all, host })
    expect([answer.status, codeOf(answer), upstream.calls.length]).toEqual([status, code, 0])
    expect(events.map(({ path, reason, outcome }) => ({ path, reason, outcome }))).toEqual([
      { path: '/(not canonical)', reason: 'bad-path', outcome: 'refused' },
    ])
  })

  test.each(['a@b', 'x/y', 'x y', 'gate.test:99999999', ''])(
    'Host: %j is refused',
    async (host) => {
      const { ask, upstream } = await openGate()
      const answer = await ask('/health', { headers: { host } })
      expect([answer.status, codeOf(answer), upstream.calls.length]).toEqual([
        400,
        'invalid_host',
        0,
      ])
    },
  )
})
