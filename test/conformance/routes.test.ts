import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { openRaw, sendRaw } from '../support/raw-http.ts'
import { headerValue, headerValues, textOf, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawRequest, type RawRequest } from '../support/raw-http/raw-request.ts'
import { callsTo, harnesses, KEY_CONFIG, KEYS } from './gates.ts'

const MODEL = 'gpt-oss-120b'
const body = JSON.stringify({ model: MODEL, messages: [] })
/** The name under which the gate is reached from outside, for the check of page origins. */
const PUBLIC_URL = 'https://gate.example'

type Row = readonly [method: string, target: string]

const posts = (...paths: string[]): Row[] => paths.map((path) => ['POST', path])
const gets = (...paths: string[]): Row[] => paths.map((path) => ['GET', path])

/** Inference: each names a model, in its JSON body or in its query. */
const INFERENCE: Row[] = [
  ...posts('/v1/chat/completions', '/v1/completions', '/v1/responses', '/v1/messages'),
  ...posts('/v1/messages?beta=true', '/v1/messages/count_tokens', '/v1/embeddings'),
  ...posts('/v1/rerank', '/v1/reranking', '/rerank', '/reranking', '/infill', '/completion'),
  ...posts('/v1/audio/speech', '/v1/audio/voices', '/v1/audio/transcriptions'),
  ...posts('/v1/images/generations', '/v1/images/edits'),
  ...posts('/sdapi/v1/txt2img', '/sdapi/v1/img2img', '/audioapi/v1/tasks/run'),
  ...posts('/v/chat/completions', '/v/completions', '/v/responses', '/v/messages'),
  ...posts('/v/messages/count_tokens', '/v/embeddings', '/v/rerank', '/v/reranking'),
  ...gets(`/v1/audio/voices?model=${MODEL}`, `/sdapi/v1/loras?model=${MODEL}`),
  ...gets(`/props?model=${MODEL}`),
]

/** Lists that the gate answers itself, from what llama-swap says. */
const LISTING = gets('/v1/models', '/models', '/v1/models?limit=1000')
const SETTINGS = gets('/opencode.json', '/connect.json', '/connect.json?model=gpt-oss-120b')
/** The members of their answers. */
const MEMBERS: [path: string, members: string[]][] = [
  ['/opencode.json', ['$schema', 'model', 'provider', 'compaction']],
  ['/connect.json', ['baseUrl', 'model', 'models', 'snippets']],
  ['/', ['object', 'data', 'has_more', 'first_id', 'last_id']],
]
const RUNNING = gets('/running')
const STATUS = gets('/wol-health')

/** Administration that only shows something. */
const ADMIN_READING: Row[] = [
  ...gets('/api/profiles', '/api/events', '/api/metrics/activity?page=2', '/api/metrics/stats'),
  ...gets('/api/performance', '/api/version', '/api/hardware', '/api/captures/1'),
  ...gets('/logs', '/logs/stream', '/logs/stream/proxy', '/logs/stream/gpt-oss-120b?no-history='),
  ...gets('/metrics', '/ui', '/ui/', '/ui/assets/index.js', '/favicon.ico', '/upstream'),
]

/** Administration that changes something or may load a model. */
const ADMIN_EFFECT: Row[] = [
  ...gets('/unload', `/upstream/${MODEL}/props`, `/upstream/${MODEL}/slots`, '/comfyui/'),
  ...posts('/api/models/unload', `/api/models/unload/${MODEL}`, '/api/inflight/7/cancel'),
  ...posts(`/upstream/${MODEL}/v1/chat/completions`, `/upstream/${MODEL}/tokenize`),
  ...posts('/comfyui/prompt'),
  ['PUT', '/api/profiles/active'],
  ['PUT', `/upstream/${MODEL}/slots`],
  ['PATCH', `/upstream/${MODEL}/slots`],
  ['DELETE', `/upstream/${MODEL}/slots`],
]
const ADMIN = [...ADMIN_READING, ...ADMIN_EFFECT]

/** Paths that keep their answer open until someone leaves. */
const OPEN_STREAMS = /^\/(?:api\/events|logs\/stream)/

/** What llama-swap does not serve, and what only looks like one of its paths. */
const UNKNOWN: Row[] = [
  ...posts('/tokenize', '/detokenize', '/apply-template', '/embedding', '/embeddings'),
  ...posts('/completions', '/chat/completions', '/v1', '/v1/chat', '/v1/chat/completions/x'),
  ...posts('/v1/chat/completions/input_tokens', '/v1/responses/input_tokens', '/v1/realtime'),
  ...posts('/v1/stream/1', '/v2/chat/completions', '/V1/chat/completions', '/v/audio/speech'),
  ...gets('/slots', '/v1/health', '/lora-adapters', '/api/tags', '/v1/models/gpt-oss-120b'),
  ...gets('/api', '/api/', '/api/captures', '/api/models', '/api/metrics', '/logsx', '/uix'),
  ...gets('/upstreamx', '/running/gpt-oss-120b', '/unload/gpt-oss-120b', '/metrics/x', '/props/x'),
  ...gets('/.env', '/.well-known/opencode', '/comfyui', '/index.html', '/robots.txt'),
]

/** Methods that a known path does not answer, and those that it does. */
const OTHER_METHODS: [method: string, path: string, allow: string][] = [
  ['GET', '/v1/chat/completions', 'POST'],
  ['HEAD', '/v1/chat/completions', 'POST'],
  ['DELETE', '/v1/chat/completions', 'POST'],
  ['GET', '/v1/responses', 'POST'],
  ['PUT', '/v1/messages', 'POST'],
  ['POST', '/v1/models', 'GET, HEAD'],
  ['DELETE', '/models', 'GET, HEAD'],
  ['POST', '/props', 'GET, HEAD'],
  ['PATCH', '/v1/audio/voices', 'GET, HEAD, POST'],
  ['POST', '/running', 'GET, HEAD'],
  ['POST', '/opencode.json', 'GET, HEAD'],
  ['DELETE', '/connect.json', 'GET, HEAD'],
  ['POST', '/unload', 'GET, HEAD'],
  ['GET', '/api/models/unload', 'POST'],
  ['GET', '/api/profiles/active', 'PUT'],
  ['POST', '/api/captures/1', 'GET, HEAD'],
  ['POST', '/logs/stream', 'GET, HEAD'],
]

/** Who asks; `every` holds all scopes at once. */
const ALL_KEY = 'sk-every-0123456789abcdef0123456789'
const keys = [
  ...KEY_CONFIG,
  {
    id: 'every',
    secret: ALL_KEY,
    scopes: ['inference' as const, 'status' as const, 'admin' as const],
  },
]
const WHO = { ...KEYS, every: ALL_KEY }
type Who = 'user' | 'status' | 'admin' | 'every' | 'nobody'

/** Each kind of route with those who may use it. */
const KINDS: { kind: string; rows: Row[]; allowed: Who[] }[] = [
  { kind: 'inference', rows: INFERENCE, allowed: ['user', 'every'] },
  {
    kind: 'listing',
    rows: [...LISTING, ...SETTINGS],
    allowed: ['user', 'status', 'admin', 'every'],
  },
  { kind: 'what is running', rows: RUNNING, allowed: ['status', 'admin', 'every'] },
  { kind: 'status', rows: STATUS, allowed: ['status', 'admin', 'every'] },
  { kind: 'administration', rows: ADMIN, allowed: ['admin', 'every'] },
]
const EVERYONE: Who[] = ['user', 'status', 'admin', 'every', 'nobody']
const REFUSED = KINDS.flatMap(({ rows, allowed }) =>
  EVERYONE.filter((who) => !allowed.includes(who)).map((who) => ({ who, rows })),
)

const basic = (password: string) => `Basic ${btoa(`me:${password}`)}`

/** What a browser sends with the address that someone types. */
const NAVIGATION = {
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Accept-Language': 'en-US,en;q=0.5',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Site': 'none',
  'Sec-Fetch-User': '?1',
  'Upgrade-Insecure-Requests': '1',
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
}

const CHALLENGES = {
  Basic: 'Basic realm="swapgate", charset="UTF-8"',
  Bearer: 'Bearer realm="swapgate"',
}

/** What a browser says of the page that made it ask, and whether that page is the gate's own. */
const PAGES: [what: string, evidence: Record<string, string>, isOwn: boolean][] = [
  ['nothing at all', {}, false],
  ['a typed address', { 'Sec-Fetch-Site': 'none' }, true],
  ['the same origin', { 'Sec-Fetch-Site': 'same-origin' }, true],
  ['the same site', { 'Sec-Fetch-Site': 'same-site' }, false],
  ['another site', { 'Sec-Fetch-Site': 'cross-site' }, false],
  ['something unheard of', { 'Sec-Fetch-Site': 'friendly' }, false],
  ['another site, with our Origin', { 'Sec-Fetch-Site': 'cross-site', Origin: PUBLIC_URL }, false],
  ['our Origin', { Origin: PUBLIC_URL }, true],
  ['the Origin of the address asked', { Origin: 'http://127.0.0.1' }, true],
  ['a strange Origin', { Origin: 'https://evil.example' }, false],
  ['an Origin that begins like ours', { Origin: `${PUBLIC_URL}.evil.example` }, false],
  ['an Origin on another port', { Origin: `${PUBLIC_URL}:8443` }, false],
  ['the Origin null', { Origin: 'null' }, false],
  ['our Referer', { Referer: `${PUBLIC_URL}/ui/` }, true],
  ['a strange Referer', { Referer: `https://evil.example/?${PUBLIC_URL}` }, false],
  [
    'our Referer, but a strange Origin',
    { Origin: 'https://evil.example', Referer: PUBLIC_URL },
    false,
  ],
]

/** The request of a row, with the credential of someone and a body where its method has one. */
function rawFor([method, target]: Row, who: Who, more: Record<string, string> = {}): RawRequest {
  const key = who === 'nobody' ? {} : { Authorization: `Bearer ${WHO[who]}` }
  const headers = { 'Content-Type': 'application/json', ...key, ...more }
  const hasBody = method !== 'GET' && method !== 'HEAD'
  return { method, target, headers, ...(hasBody && { body }) }
}

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    gate = await harness.start({ upstream: { url: upstream.url }, keys, publicUrl: PUBLIC_URL })
  })
  afterEach(() => upstream.reset())
  afterAll(async () => {
    await gate.stop()
    await upstream.stop()
  })

  function send(request: RawRequest): Promise<RawAnswer> {
    return sendRaw(gate.url, rawRequest(request))
  }

  /** The status line's number alone, without waiting for the end of what may have none. */
  async function statusOf(request: RawRequest, url = gate.url): Promise<number> {
    const connection = await openRaw(url, rawRequest(request))
    const head = await connection.readUntil('\r\n\r\n')
    connection.destroy()
    return Number(head.toString('latin1').split(' ')[1])
  }

  /** What came through, without the gate's own questions. */
  function passed(): string[] {
    return callsTo(upstream).map(({ method, url }) => `${method} ${url}`)
  }

  describe.each(EVERYONE)('for %s', (who) => {
    const refused = REFUSED.filter((of) => of.who === who).flatMap(({ rows }) => rows)
    test.each(refused)('%s %s is closed', async (...row) => {
      const [method, target] = row
      const methods = method === 'GET' ? ['GET', 'HEAD'] : [method]
      for (const each of methods)
        expect((await send(rawFor([each, target], who))).status).toBe(who === 'nobody' ? 401 : 403)
      expect([passed(), upstream.loaded()]).toEqual([[], MODEL])
    })

    const own = KINDS.filter(({ allowed }) => allowed.includes(who))
    const rowsOf = (...kinds: string[]) =>
      own.filter(({ kind }) => kinds.includes(kind)).flatMap(({ rows }) => rows)
    const forwarded = rowsOf('inference', 'status', 'administration')
    test.each(forwarded)('%s %s passes as it is', async (...row) => {
      const [method, target] = row
      const methods = method === 'GET' ? ['GET', 'HEAD'] : [method]
      for (const each of methods) {
        const request = rawFor([each, target], who)
        const direct = await statusOf(request, upstream.url)
        upstream.reset()
        const status = await statusOf(request)
        expect([status, passed()]).toEqual([direct, [`${each} ${target}`]])
      }
    })

    const listed = rowsOf('listing')
    test.each(listed)('%s %s is answered by the gate', async (...row) => {
      const answer = await send(rawFor(row, who))
      const members = MEMBERS.find(([path]) => row[1].startsWith(path))?.[1]
      expect([answer.status, Object.keys(JSON.parse(textOf(answer)))]).toEqual([200, members])
      const head = await send(rawFor(['HEAD', row[1]], who))
      expect([head.status, head.body.length, head.extra.length]).toEqual([200, 0, 0])
      expect(passed()).toEqual([])
    })
  })

  describe('a path that llama-swap does not serve', () => {
    test.each(UNKNOWN)('%s %s is not found, whoever asks', async (...row) => {
      for (const who of ['user', 'every'] as const) {
        const answer = await send(rawFor(row, who))
        expect([answer.status, JSON.parse(textOf(answer))]).toEqual([
          404,
          {
            error: {
              message:
                'No such path. The API is below /v1, for example POST /v1/chat/completions or GET /v1/models.',
              type: 'not_found_error',
              param: null,
              code: 'not_found',
            },
          },
        ])
      }
      expect((await send(rawFor(row, 'nobody'))).status).toBe(401)
      expect(callsTo(upstream)).toEqual([])
    })

    const exact = [...INFERENCE, ...LISTING, ...SETTINGS, ...RUNNING, ...STATUS, ...ADMIN]
      .map(([method, target]): Row => [method, target.replace(/\?.*/, '')])
      .filter(
        ([, path]) =>
          !/^\/(ui|upstream|comfyui|logs\/stream|api\/(captures|models\/unload|inflight))(\/|$)/.test(
            path,
          ),
      )
    test.each(exact)('%s %s/ with a slash at the end is not found', async (method, path) => {
      expect((await send(rawFor([method, `${path}/`], 'every'))).status).toBe(404)
      expect(callsTo(upstream)).toEqual([])
    })
  })

  test.each(OTHER_METHODS)('%s %s is answered with 405 and Allow: %s', async (...row) => {
    const [method, path, allow] = row
    const answer = await send(rawFor([method, path], 'every'))
    const allowed = headerValue(answer, 'allow')?.split(', ').toSorted().join(', ')
    expect([answer.status, allowed, upstream.requests]).toEqual([405, allow, []])
  })

  test.each([...ADMIN_EFFECT, ['GET', '/api/captures/1'] as const])(
    'a refused %s %s says which scope it needs, in JSON',
    async (...row) => {
      const answer = await send(rawFor(row, 'user'))
      expect([answer.status, JSON.parse(textOf(answer))]).toEqual([
        403,
        {
          error: {
            message:
              'This API key lacks the scope "admin" that this path needs. The owner of the gate can add it to the key in config.json.',
            type: 'permission_error',
            param: null,
            code: 'scope_missing',
          },
        },
      ])
    },
  )

  describe('in a browser', () => {
    test.each(ADMIN_READING)('%s %s opens by the password', async (...row) => {
      const headers = { ...NAVIGATION, Authorization: basic(KEYS.admin) }
      const status = await statusOf(rawFor(row, 'nobody', headers))
      expect([status < 400, passed()]).toEqual([true, [`GET ${row[1]}`]])
      expect(upstream.requests.map(({ headers: sent }) => sent['authorization'])).toEqual([
        undefined,
      ])
    })

    test('a page of llama-swap comes with what keeps other pages out', async () => {
      // Without encodings: Miniflare compresses text as Cloudflare's edge does.
      const headers = { ...NAVIGATION, 'Accept-Encoding': '', Authorization: basic(KEYS.admin) }
      const answer = await send(rawFor(['GET', '/ui/'], 'nobody', headers))
      const names = ['x-frame-options', 'x-content-type-options', 'cross-origin-resource-policy']
      expect([
        answer.status,
        textOf(answer),
        ...names.map((name) => headerValue(answer, name)),
      ]).toEqual([
        200,
        '<!doctype html><title>llama-swap</title><p>admin:/ui/</p>',
        'SAMEORIGIN',
        'nosniff',
        'same-origin',
      ])
    })

    test('the redirect to the pages is passed on, not followed', async () => {
      const headers = { ...NAVIGATION, Authorization: basic(KEYS.admin) }
      const answer = await send(rawFor(['GET', '/ui'], 'nobody', headers))
      expect([answer.status, headerValue(answer, 'location'), passed()]).toEqual([
        307,
        '/ui/',
        ['GET /ui'],
      ])
    })

    test.each<[target: string, accept: string, scheme: keyof typeof CHALLENGES]>([
      ['/ui/', NAVIGATION.Accept, 'Basic'],
      ['/logs', NAVIGATION.Accept, 'Basic'],
      ['/api/captures/1', 'text/html', 'Basic'],
      ['/unload', NAVIGATION.Accept, 'Basic'],
      ['/ui/', '*/*', 'Bearer'],
      ['/api/captures/1', 'application/json', 'Bearer'],
      ['/v1/models', NAVIGATION.Accept, 'Bearer'],
      ['/running', NAVIGATION.Accept, 'Bearer'],
      [`/props?model=${MODEL}`, NAVIGATION.Accept, 'Bearer'],
      ['/nowhere', NAVIGATION.Accept, 'Bearer'],
    ])('GET %s for %s is challenged with %s', async (target, accept, scheme) => {
      for (const authorization of [undefined, basic('sk-wrong'), 'Bearer sk-wrong']) {
        const credential = authorization && { Authorization: authorization }
        const headers = { ...NAVIGATION, Accept: accept, ...credential }
        const answer = await send(rawFor(['GET', target], 'nobody', headers))
        expect([answer.status, headerValues(answer, 'www-authenticate')]).toEqual([
          401,
          [CHALLENGES[scheme]],
        ])
      }
      expect(callsTo(upstream)).toEqual([])
    })

    test.each([
      ['a wrong password', basic('sk-wrong'), 401],
      ['the password of a user', basic(KEYS.user), 403],
      ['the key as user name', `Basic ${btoa(`${KEYS.admin}:`)}`, 401],
      ['the key without a colon', `Basic ${btoa(KEYS.admin)}`, 401],
      ['something that is not base64', 'Basic %%%', 401],
    ])('%s opens nothing', async (_what, authorization, status) => {
      for (const [, target] of ADMIN_READING) {
        const headers = { ...NAVIGATION, Authorization: authorization }
        expect((await send(rawFor(['GET', target], 'nobody', headers))).status).toBe(status)
      }
      expect(callsTo(upstream)).toEqual([])
    })

    test.each(INFERENCE)('%s %s does not take a password', async (...row) => {
      const headers = { ...NAVIGATION, Authorization: basic(ALL_KEY) }
      const answer = await send(rawFor(row, 'nobody', headers))
      expect([answer.status, headerValue(answer, 'www-authenticate')]).toEqual([
        401,
        'Bearer realm="swapgate"',
      ])
      expect(callsTo(upstream)).toEqual([])
    })
  })

  describe.each(PAGES)('a request with a password that says it comes from %s', (...page) => {
    const [, evidence, isOwn] = page
    test(`changes ${isOwn ? 'something' : 'nothing'}`, async () => {
      const headers = { Authorization: basic(KEYS.admin), ...evidence }
      for (const row of ADMIN_EFFECT) {
        upstream.reset()
        const { status } = await send(rawFor(row, 'nobody', headers))
        const [method, target] = row
        expect([row, status === 403, passed()]).toEqual([
          row,
          !isOwn,
          isOwn ? [`${method} ${target}`] : [],
        ])
      }
    })

    test('may look at a page', async () => {
      const headers = { Authorization: basic(KEYS.admin), ...evidence }
      expect((await send(rawFor(['GET', '/logs'], 'nobody', headers))).status).toBe(200)
    })

    test('may do everything when it sends its key itself', async () => {
      const { status } = await send(rawFor(['GET', '/unload'], 'admin', evidence))
      expect([status, upstream.loaded()]).toEqual([200, undefined])
    })
  })

  test.each(gets('/', '/health', '/api/hello'))('%s %s needs no key', async (...row) => {
    for (const method of ['GET', 'HEAD'])
      expect((await send(rawFor([method, row[1]], 'nobody'))).status).toBe(200)
    expect(callsTo(upstream)).toEqual([])
  })

  test('an open stream of the administration stays open', async () => {
    const [method, target] = ADMIN.find(([, path]) => OPEN_STREAMS.test(path))!
    const connection = await openRaw(gate.url, rawRequest(rawFor([method, target], 'admin')))
    await connection.readUntil(`admin:${target}`)
    upstream.release()
    expect((await connection.answer()).ending).toBe('complete')
    connection.close()
  })
})
