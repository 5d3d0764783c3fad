import { describe, expect, test } from 'vitest'
import { ROUTES } from '../../../src/routes/route-table.ts'
import { basic, codeOf, KEYS, openGate, ORIGIN, type Asked } from './open-gate.ts'

const body = JSON.stringify({ model: 'glm-4.7-flash' })

/** A request that meets everything that a route asks for but the scope. */
function askedFor(method: string, key: string): Asked {
  const hasBody = method !== 'GET' && method !== 'HEAD'
  return { method, key, ...(hasBody && { headers: { 'content-type': 'application/json' }, body }) }
}

/** A path that the route stands for. */
const pathOf = (path: string): string =>
  // Those of the gate's own take no word that they do not know.
  path === '/usage' || path === '/opencode.json'
    ? path
    : `${path.replace(/\/\*$/, '/glm-4.7-flash')}?model=glm-4.7-flash`

describe('which keys may use which routes', () => {
  const ALLOWED = {
    inference: { user: true, status: false, admin: false, all: true },
    listing: { user: true, status: true, admin: true, all: true },
    status: { user: false, status: true, admin: true, all: true },
    admin: { user: false, status: false, admin: true, all: true },
  }

  test.each(ROUTES)('$method $path, a route for $kind', async ({ method, path, kind }) => {
    const { ask } = await openGate()
    const passed: Record<string, boolean> = {}
    for (const key of ['user', 'status', 'admin', 'all'] as const) {
      const answer = await ask(pathOf(path), askedFor(method, KEYS[key]))
      passed[key] = answer.status === 200
      expect([200, 403]).toContain(answer.status)
    }
    expect(passed).toEqual(ALLOWED[kind])
  })

  test('a key without the scope is told which it lacks, and upstream hears nothing', async () => {
    const { ask, upstream } = await openGate()
    const answers = [
      await ask('/unload', { key: KEYS.user }),
      await ask('/running', { key: KEYS.user }),
      await ask('/v1/chat/completions', askedFor('POST', KEYS.status)),
    ]
    expect(answers.map(({ status, text }) => [status, JSON.parse(text).error])).toEqual(
      ['"admin"', '"status" or "admin"', '"inference"'].map((scope) => [
        403,
        {
          message: `This API key lacks the scope ${scope} that this path needs. The owner of the gate can add it to the key in config.json.`,
          type: 'permission_error',
          param: null,
          code: 'scope_missing',
        },
      ]),
    )
    expect(upstream.calls).toEqual([])
  })

  test.each([
    ['HEAD', '/unload', KEYS.user, 403],
    ['HEAD', '/unload', KEYS.admin, 200],
    ['HEAD', '/props?model=glm-4.7-flash', KEYS.status, 403],
    ['HEAD', '/v1/models', KEYS.user, 200],
  ])('%s %s counts as what it does', async (...row) => {
    const [method, path, key, status] = row
    const { ask } = await openGate()
    expect((await ask(path, { method, key })).status).toBe(status)
  })
})

describe('what is not in the table does not pass', () => {
  test.each([
    '/v1',
    '/v1/',
    '/v1/models/',
    '/v1/models/glm-4.7-flash',
    '/v1/chat',
    '/v1/chat/completions/',
    '/V1/models',
    '/slots',
    '/tokenize',
    '/embedding',
    '/chat/completions',
    '/api/tags',
    '/api',
    '/ui2',
    '/upstreamx',
    '/metrics/x',
    '/unload/x',
    '/api/metrics',
    '/.env',
    '/v1/models;x=1',
  ])('%s is a 404, for an admin, too', async (path) => {
    const { ask, upstream } = await openGate()
    const answer = await ask(path, { key: KEYS.all })
    expect([answer.status, codeOf(answer), upstream.calls.length]).toEqual([404, 'not_found', 0])
  })

  test.each([
    ['GET', '/v1/chat/completions', 'POST'],
    ['DELETE', '/v1/models', 'GET, HEAD'],
    ['PUT', '/unload', 'GET, HEAD'],
    ['POST', '/v1/models', 'GET, HEAD'],
    ['GET', '/api/profiles/active', 'PUT'],
    ['PATCH', '/v1/audio/voices', 'POST, GET, HEAD'],
    ['PROPFIND', '/upstream/x/y', 'GET, HEAD, POST, PUT, PATCH, DELETE'],
  ])('%s %s is a 405 that names what is: %s', async (method, path, allow) => {
    const { ask, upstream } = await openGate()
    const answer = await ask(path, { method, key: KEYS.all })
    expect([answer.status, answer.headers['allow'], codeOf(answer), upstream.calls.length]).toEqual(
      [405, allow, 'method_not_allowed', 0],
    )
  })
})

describe('a password that a browser adds by itself', () => {
  const EVIDENCE: Array<[string, Record<string, string>, boolean]> = [
    ['Sec-Fetch-Site: same-origin', { 'sec-fetch-site': 'same-origin' }, true],
    ['Sec-Fetch-Site: none', { 'sec-fetch-site': 'none' }, true],
    ['Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site' }, false],
    ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }, false],
    ['cross-site with a false Origin', { 'sec-fetch-site': 'cross-site', origin: ORIGIN }, false],
    ['the own Origin', { origin: ORIGIN }, true],
    ['the public Origin', { origin: 'https://box.example.com' }, true],
    ['the own Origin with another scheme', { origin: 'https://gate.test:3000' }, true],
    ['another Origin', { origin: 'https://evil.example.com' }, false],
    ['another port', { origin: 'http://gate.test:4000' }, false],
    ['an Origin of null', { origin: 'null' }, false],
    [
      'another Origin with the own Referer',
      { origin: 'https://evil.example.com', referer: `${ORIGIN}/ui/` },
      false,
    ],
    ['the own Referer', { referer: `${ORIGIN}/ui/models` }, true],
    ['another Referer', { referer: `https://evil.example.com/?${ORIGIN}/ui/` }, false],
    ['a Referer that is no address', { referer: 'gate.test:3000' }, false],
    ['nothing', {}, false],
  ]
  const EFFECTS = [
    ['GET', '/unload'],
    ['HEAD', '/unload'],
    ['POST', '/api/models/unload'],
    ['POST', '/api/models/unload/glm-4.7-flash'],
    ['PUT', '/api/profiles/active'],
    ['POST', '/api/inflight/1/cancel'],
    ['GET', '/upstream/glm-4.7-flash/'],
    ['DELETE', '/upstream/glm-4.7-flash/x'],
    ['GET', '/comfyui/x'],
  ] as const
  const READS = [
    '/ui/',
    '/logs',
    '/api/events',
    '/api/captures/1',
    '/metrics',
    '/running',
    '/v1/models',
  ] as const
  const config = { publicUrl: 'https://box.example.com' }

  test.each(EVIDENCE)('%s: opens what has an effect? %j %j', async (...row) => {
    const [, headers, opens] = row
    const { ask, upstream } = await openGate(config)
    for (const [method, path] of EFFECTS) {
      const before = upstream.calls.length
      const answer = await ask(path, { method, headers: { ...basic(KEYS.admin), ...headers } })
      expect({ path, status: answer.status, calls: upstream.calls.length - before }).toEqual({
        path,
        status: opens ? 200 : 403,
        calls: opens ? 1 : 0,
      })
    }
  })

  test.each(EVIDENCE)(
    '%s: opens what can only be looked at, since no other page can read it',
    async (_, headers) => {
      const { ask } = await openGate(config)
      const statuses = []
      for (const path of READS)
        statuses.push((await ask(path, { headers: { ...basic(KEYS.admin), ...headers } })).status)
      expect(statuses).toEqual(READS.map(() => 200))
    },
  )

  test.each(EVIDENCE)('%s: matters to no key that a client has sent itself', async (_, headers) => {
    const { ask } = await openGate(config)
    const statuses = []
    for (const [method, path] of EFFECTS) {
      statuses.push((await ask(path, { method, key: KEYS.admin, headers })).status)
      statuses.push(
        (await ask(path, { method, headers: { 'x-api-key': KEYS.admin, ...headers } })).status,
      )
    }
    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  test('is refused with a reason and the way out', async () => {
    const { ask, events } = await openGate(config)
    const answer = await ask('/unload', {
      headers: { ...basic(KEYS.admin), 'sec-fetch-site': 'cross-site' },
    })
    expect([codeOf(answer), events[0]?.reason, events[0]?.keyId]).toEqual([
      'cross_site_request',
      'cross-site',
      'admin',
    ])
  })
})
