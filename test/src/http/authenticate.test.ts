import { describe, expect, test } from 'vitest'
import { basic, codeOf, KEYS, openGate, ORIGIN, post, type Asked } from './open-gate.ts'

const bearer = (value: string): Asked => ({ headers: { authorization: value } })

describe('a key', () => {
  test.each<[string, Asked]>([
    ['as a Bearer token', bearer(`Bearer ${KEYS.user}`)],
    ['as a Bearer token in other letters', bearer(`bEARER  ${KEYS.user}`)],
    ['as x-api-key', { headers: { 'x-api-key': KEYS.user } }],
    [
      'twice the same',
      { headers: { authorization: `Bearer ${KEYS.user}`, 'x-api-key': KEYS.user } },
    ],
    [
      'beside an empty x-api-key',
      { headers: { authorization: `Bearer ${KEYS.user}`, 'x-api-key': '' } },
    ],
  ])('%s is known', async (_, asked) => {
    const { ask, events } = await openGate()
    expect((await ask('/v1/models', asked)).status).toBe(200)
    expect(events.map(({ keyId }) => keyId)).toEqual(['user'])
  })

  test.each<[string, Asked, number, string]>([
    ['missing', {}, 401, 'missing_api_key'],
    ['an empty x-api-key', { headers: { 'x-api-key': '' } }, 401, 'missing_api_key'],
    ['without a scheme', bearer(KEYS.user), 401, 'malformed_api_key'],
    ['of another scheme', bearer(`Digest ${KEYS.user}`), 401, 'malformed_api_key'],
    [
      'two in one field',
      bearer(`Bearer ${KEYS.user}, Bearer ${KEYS.all}`),
      401,
      'malformed_api_key',
    ],
    ['unknown', bearer('Bearer sk-unknown'), 401, 'invalid_api_key'],
    ['in other letters', bearer(`Bearer ${KEYS.user.toUpperCase()}`), 401, 'invalid_api_key'],
    ['cut short', bearer(`Bearer ${KEYS.user.slice(0, -1)}`), 401, 'invalid_api_key'],
    ['the hash of one', bearer(`Bearer sha256:${'0'.repeat(64)}`), 401, 'invalid_api_key'],
    ['expired', bearer(`Bearer ${KEYS.expired}`), 401, 'expired_api_key'],
    ['disabled', bearer(`Bearer ${KEYS.disabled}`), 401, 'disabled_api_key'],
    [
      'two different ones',
      { headers: { authorization: `Bearer ${KEYS.user}`, 'x-api-key': KEYS.all } },
      400,
      'conflicting_api_keys',
    ],
    ['in the query', { headers: {} }, 401, 'missing_api_key'],
    ['in a cookie', { headers: { cookie: `key=${KEYS.user}` } }, 401, 'missing_api_key'],
    ['under another name', { headers: { 'api-key': KEYS.user } }, 401, 'missing_api_key'],
  ])('%s is refused before anything is asked of upstream', async (...row) => {
    const [, asked, status, code] = row
    const { ask, upstream } = await openGate()
    const answer = await ask(`/v1/models?key=${KEYS.user}&api_key=${KEYS.user}`, asked)
    expect({
      status: answer.status,
      code: codeOf(answer),
      challenge: answer.headers['www-authenticate'],
      retry: answer.headers['x-should-retry'],
      calls: upstream.calls.length,
    }).toEqual({
      status,
      code,
      challenge: status === 401 ? 'Bearer realm="swapgate"' : undefined,
      retry: 'false',
      calls: 0,
    })
  })

  test('expires while the gate runs', async () => {
    const { ask, clock } = await openGate({
      keys: [{ id: 'short', secret: KEYS.user, expires: '2026-01-01T00:01:00Z' }],
    })
    const before = await ask('/v1/models', { key: KEYS.user })
    await clock.advance(60_000)
    const after = await ask('/v1/models', { key: KEYS.user })
    expect([before.status, after.status, codeOf(after)]).toEqual([200, 401, 'expired_api_key'])
  })

  test('is refused in the dialect of the path', async () => {
    const { ask } = await openGate()
    const { status, text } = await ask('/v1/messages', { method: 'POST' })
    expect([status, JSON.parse(text)]).toEqual([
      401,
      {
        type: 'error',
        error: {
          type: 'authentication_error',
          message:
            'No API key received. Send "Authorization: Bearer <key>" or "x-api-key: <key>"; is the variable that holds the key set in this shell?',
        },
      },
    ])
  })

  test('is hashed once and looked up, whether it is known or not', async () => {
    const hashed: string[] = []
    const { ask } = await openGate(
      {},
      { sha256: (text) => (hashed.push(text), Promise.resolve('0')) },
    )
    await ask('/v1/models', { key: KEYS.user })
    await ask('/v1/models', { key: 'sk-unknown' })
    expect(hashed).toEqual([KEYS.user, 'sk-unknown'])
  })
})

describe('a user name and password', () => {
  const fromPage = { 'sec-fetch-site': 'same-origin' }
  test.each([
    ['GET', '/running', 200],
    ['GET', '/v1/models', 200],
    ['GET', '/ui/', 200],
    ['GET', '/logs', 200],
    ['GET', '/unload', 200],
    ['POST', '/api/models/unload', 200],
    ['GET', '/upstream/glm-4.7-flash/', 200],
    ['POST', '/v1/chat/completions', 401],
    ['POST', '/v1/messages', 401],
    ['GET', '/props?model=glm-4.7-flash', 401],
    ['GET', '/no/such/path', 401],
    ['PATCH', '/running', 401],
  ])('%s %s: %i', async (method, path, status) => {
    const { ask, upstream } = await openGate()
    const answer = await ask(path, { method, headers: { ...basic(KEYS.all), ...fromPage } })
    expect([answer.status, upstream.calls.length > 0]).toEqual([status, status === 200])
  })

  test.each(
    (['user', 'status'] as const).flatMap((key) =>
      ['/v1/models', '/running', '/usage', '/opencode.json', '/connect.json'].map(
        (path) => [key, path] as const,
      ),
    ),
  )(
    'of the key %s opens no list, since any page could read it with them: %s',
    async (key, path) => {
      const { ask, upstream } = await openGate()
      const answer = await ask(path, { headers: { ...basic(KEYS[key]), ...fromPage } })
      expect([answer.status, codeOf(answer), upstream.calls.length]).toEqual([
        401,
        'invalid_api_key',
        0,
      ])
    },
  )

  test('that is wrong is refused like any other key', async () => {
    const { ask } = await openGate()
    const answer = await ask('/ui/', { headers: basic('sk-wrong') })
    expect([answer.status, codeOf(answer)]).toEqual([401, 'invalid_api_key'])
  })

  test.each(['Basic', 'Basic ', 'Basic !!!', `Basic ${btoa('nocolon')}`, `Basic ${btoa('user:')}`])(
    '%j is malformed',
    async (authorization) => {
      const { ask } = await openGate()
      expect(codeOf(await ask('/ui/', { headers: { authorization } }))).toBe('malformed_api_key')
    },
  )

  test('is asked for by a browser’s page of the admin only', async () => {
    const { ask } = await openGate()
    const page = { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } }
    const challenges: Record<string, string | undefined> = {}
    for (const path of [
      '/ui/',
      '/logs',
      '/unload',
      '/upstream/x/',
      '/v1/models',
      '/running',
      '/nothing',
    ])
      challenges[path] = (await ask(path, page)).headers['www-authenticate']
    challenges['/ui/ without a browser'] = (await ask('/ui/', {})).headers['www-authenticate']
    challenges['/ui/ in a script of a page'] = (
      await ask('/ui/', { headers: { accept: '*/*' } })
    ).headers['www-authenticate']

    const box = 'Basic realm="swapgate", charset="UTF-8"'
    const none = 'Bearer realm="swapgate"'
    expect(challenges).toEqual({
      '/ui/': box,
      '/logs': box,
      '/unload': box,
      '/upstream/x/': box,
      '/v1/models': none,
      '/running': none,
      '/nothing': none,
      '/ui/ without a browser': none,
      '/ui/ in a script of a page': none,
    })
  })

  test('is never sent upstream', async () => {
    const { ask, upstream } = await openGate()
    await ask('/ui/', { headers: { ...basic(KEYS.all), referer: `${ORIGIN}/ui/` } })
    const sent = JSON.stringify(upstream.last.request.headers)
    expect([sent.includes(KEYS.all), sent.includes(btoa(`owner:${KEYS.all}`))]).toEqual([
      false,
      false,
    ])
  })
})

test('without any key configured every request is refused', async () => {
  const { ask, upstream } = await openGate({ keys: [] })
  const answers = [
    await ask('/v1/models'),
    await ask('/v1/models', { key: 'sk-x' }),
    await ask('/v1/embeddings', post('', {})),
  ]
  expect([answers.map(({ status }) => status), upstream.calls.length]).toEqual([[401, 401, 401], 0])
})
