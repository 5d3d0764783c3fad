import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  JSON_HEADERS,
  jsonAnswer,
  STREAM_TYPE,
  type WholeAnswer,
} from '../../support/fake-upstream.ts'
import { RecordingClient } from '../../support/recording-client.ts'
import { CHAT as CHAT_STREAM } from '../../support/sse-samples.ts'
import { objectText } from '../body/json-text.ts'
import {
  basic,
  KEYS,
  openGate,
  openWarmGate,
  ORIGIN,
  post,
  requestOf,
  UPSTREAM_KEY,
} from './open-gate.ts'

const CHAT = '/v1/chat/completions'
const json = { 'content-type': 'application/json' }

describe('the bytes of a body', () => {
  test.each([
    ['large integers', '{"model":"a","seed":9007199254740993,"n":12345678901234567890}'],
    ['the order of fields', '{"z":1,"model":"a","a":2,"10":3,"9":4}'],
    ['unknown fields', '{"model":"a","x_new":{"deep":[1,{"er":null}]}}'],
    ['spacing', ' {\r\n\t"model" : "a" ,\n "x":[ ] }\n'],
    ['number spelling', '{"model":"a","t":1.0,"u":1e0,"v":-0,"w":0.10}'],
    ['UTF-8', '{"model":"a","m":"grüß 世界 👩‍💻🌍"}'],
    ['escapes', '{"mod\\u0065l":"\\u0061","m":"\\u00fc\\/\\ud83d"}'],
    ['duplicates below the top', '{"model":"a","x":{"model":1,"model":2}}'],
  ])('reach upstream unchanged: %s', async (_, body) => {
    const { ask, upstream } = await openGate()
    await ask(CHAT, { method: 'POST', key: KEYS.user, headers: json, body })
    expect(upstream.lastBody).toBe(body)
  })

  test('reach upstream unchanged whatever they are', async () => {
    const { ask, upstream } = await openGate()
    await fc.assert(
      fc.asyncProperty(objectText, async ({ text, members }) => {
        const names = members.map(({ name }): unknown => JSON.parse(name))
        fc.pre(
          new Set(names).size === names.length &&
            !names.includes('model') &&
            !names.includes('stream'),
        )
        const body = text.replace('{', `{"model":"a"${members.length === 0 ? '' : ','}`)
        expect((await ask(CHAT, { method: 'POST', key: KEYS.user, body })).status).toBe(200)
        expect(upstream.lastBody).toBe(body)
      }),
    )
  })

  test('that are no text reach upstream unchanged', async () => {
    const body = new Uint8Array([0x7b, 0x22, 0x6d, 0x22, 0x3a, 0x22, 0xff, 0x00, 0xfe, 0x22, 0x7d])
    const { ask, upstream } = await openGate()
    await ask('/api/profiles/active', { method: 'PUT', key: KEYS.admin, body })
    expect(upstream.last.request.body).toEqual(body)
  })

  test('of an answer reach the client unchanged', async () => {
    const { ask, upstream } = await openGate()
    const body = '{ "id":9007199254740993,"z":1,"a":"\\u00fc" }'
    upstream.onCall = (call) =>
      void call.answer({ headers: [['content-type', 'application/json']], body })
    expect((await ask(CHAT, post(KEYS.user, { model: 'a' }))).text).toBe(body)
  })
})

describe('the request that llama-swap gets', () => {
  test('is built by the gate: its key, its id, the checked content type, and the address of the client', async () => {
    const { ask, upstream } = await openGate({
      upstream: { apiKey: UPSTREAM_KEY, headers: { 'X-Tunnel': 't' } },
    })
    const answer = await ask(`${CHAT}?beta=true&model=other&key=${KEYS.user}`, {
      ...post(KEYS.user, { model: 'a' }),
      headers: {
        'content-type': 'text/plain',
        accept: '*/*',
        'user-agent': 'opencode/1.0',
        'x-session-id': 's',
        'x-forwarded-for': '203.0.113.9',
        'cf-connecting-ip': '203.0.113.9',
        cookie: 'session=1',
        origin: 'https://chat.example.com',
        'x-other': `my key is ${KEYS.user}`,
        'x-request-id': 'mine',
      },
      host: { clientAddress: '192.0.2.7' },
    })
    const { method, target } = upstream.last.request
    expect({ method, target, headers: upstream.lastHeaders }).toEqual({
      method: 'POST',
      target: `${CHAT}?beta=true`,
      headers: {
        accept: '*/*',
        'accept-encoding': 'identity;q=1, *;q=0',
        authorization: `Bearer ${UPSTREAM_KEY}`,
        'content-type': 'application/json',
        'user-agent': 'opencode/1.0',
        via: expect.stringMatching(/^1\.1 swapgate-[0-9a-f]{8}$/),
        'x-forwarded-for': '192.0.2.7',
        'x-request-id': answer.headers['x-request-id'],
        'x-session-id': 's',
        'x-tunnel': 't',
      },
    })
  })

  test('takes the header fields from the host where it has them cheaper', async () => {
    const { ask, upstream } = await openGate()
    const host = {
      headers: () =>
        [
          ['x-raw', '1'],
          ['x-raw', '2'],
          ['cookie', 'a=b'],
        ] as const,
    }
    await ask(CHAT, { ...post(KEYS.user, { model: 'a' }), host })
    expect(upstream.last.request.headers.slice(0, 2)).toEqual([
      ['x-raw', '1'],
      ['x-raw', '2'],
    ])
    expect(upstream.lastHeaders['cookie']).toBe(undefined)
  })

  test('holds no credential of the client, wherever it stood', async () => {
    const { ask, upstream } = await openWarmGate()
    const attempts = [
      { headers: { ...json, authorization: `Bearer ${KEYS.all}` } },
      { headers: { ...json, 'x-api-key': KEYS.all } },
      {
        key: KEYS.all,
        headers: { ...json, 'x-goog-api-key': KEYS.all, 'api-key': KEYS.all, 'x-a': KEYS.all },
      },
      { key: KEYS.all, headers: { ...json, cookie: KEYS.all, 'proxy-authorization': KEYS.all } },
    ]
    for (const asked of attempts)
      await ask(`${CHAT}?key=${KEYS.all}&x=${KEYS.all}&${KEYS.all}`, {
        method: 'POST',
        body: '{"model":"a"}',
        ...asked,
      })
    await ask(`/logs?key=${KEYS.all}`, { headers: basic(KEYS.all) })
    const sent = JSON.stringify(
      upstream.calls.map(({ request: { target, headers } }) => [target, headers]),
    )
    expect({ calls: upstream.calls.length, holdsKey: sent.includes(KEYS.all) }).toEqual({
      calls: 5,
      holdsKey: false,
    })
  })

  test.each([
    ['GET', '/props?model=a%2Fb&x=1', '/props?x=1&model=a%2Fb'],
    ['HEAD', '/props?model=a', '/props?model=a'],
    ['GET', '/logs?no-history', '/logs?no-history='],
    ['GET', '/upstream/a/props?model=b', '/upstream/a/props?model=b'],
    ['POST', '/api/models/unload/a', '/api/models/unload/a'],
  ])('%s %s is %s', async (method, path, target) => {
    const { ask, upstream } = await openGate()
    await ask(path, { method, key: KEYS.all })
    expect([upstream.last.request.method, upstream.last.request.target]).toEqual([method, target])
  })

  test('of a form keeps its bytes under the one spelling of its type', async () => {
    const body = '--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n--x--'
    const { ask, upstream } = await openGate()
    await ask('/v1/audio/transcriptions', {
      method: 'POST',
      key: KEYS.user,
      headers: { 'content-type': 'Multipart/Form-Data;boundary=x' },
      body,
    })
    expect([upstream.lastBody, upstream.lastHeaders['content-type']]).toEqual([
      body,
      'multipart/form-data; boundary="x"',
    ])
  })
})

describe('the answer', () => {
  test('carries the ids of the request under both names', async () => {
    const { ask, upstream, events } = await openGate()
    upstream.onCall = (call) =>
      void call.answer({
        headers: [
          ['x-request-id', 'theirs'],
          ['request-id', 'theirs'],
        ],
      })
    const { headers } = await ask(CHAT, post(KEYS.user, { model: 'a' }))
    expect([headers['x-request-id'], headers['request-id']]).toEqual([
      events[0]?.requestId,
      events[0]?.requestId,
    ])
  })

  test.each([
    ['a stream that was asked for', CHAT, { stream: true }, 200],
    ['a stream that was not', CHAT, {}, undefined],
    ['a route that has no stream', '/v1/embeddings', { stream: true }, undefined],
  ])('%s begins with a heartbeat as it should', async (...row) => {
    const [, path, extra, status] = row
    const { gate, upstream, clock } = await openWarmGate({
      heartbeat: { afterMs: 10_000, everyMs: 5_000 },
    })
    upstream.onCall = undefined
    const client = new RecordingClient()
    void gate.fetch(requestOf(path, post(KEYS.user, { model: 'a', ...extra })), {
      openClient: () => client.opened,
    })
    await clock.advance(10_000)
    expect(client.status).toBe(status)
  })

  test('speaks the dialect of its path in a stream, too', async () => {
    const { gate, upstream, clock } = await openWarmGate()
    upstream.onCall = undefined
    const client = new RecordingClient()
    const asked = post(KEYS.user, { model: 'a', stream: true })
    void gate.fetch(requestOf('/v1/messages', asked), { openClient: () => client.opened })
    await clock.advance(30_000)
    upstream.last.failure('reset')
    expect(client.text).toBe(
      'event: ping\ndata: {"type": "ping"}\n\nevent: error\ndata: {"type":"error","error":{"type":"api_error","message":"The model server ended the stream before the answer was complete."}}\n\n',
    )
  })

  test('of a HEAD has the fields and no content', async () => {
    const { ask, upstream } = await openGate()
    upstream.onCall = (call) =>
      void call
        .head(200, [
          ['content-type', 'application/json'],
          ['content-length', '99'],
        ])
        .end()
    const answer = await ask('/props?model=a', { method: 'HEAD', key: KEYS.user })
    expect([answer.status, answer.text, answer.headers['content-length']]).toEqual([200, '', '99'])
  })

  test('is a stream of web standards where the host has nothing of its own', async () => {
    const { ask, upstream, events } = await openGate()
    upstream.onCall = (call) => void call.answer({ headers: STREAM_TYPE, body: CHAT_STREAM.bytes })
    const answer = await ask(CHAT, post(KEYS.user, { model: 'a', stream: true }))
    expect([answer.text, answer.headers['x-accel-buffering'], events[0]?.outcome]).toEqual([
      CHAT_STREAM.text,
      'no',
      'completed',
    ])
  })

  test('that nobody reads makes upstream wait', async () => {
    const { gate, upstream } = await openWarmGate()
    upstream.onCall = (call) => void call.head(200, STREAM_TYPE).chunk(': a\n\n').chunk(': b\n\n')
    const response = await gate.fetch(
      requestOf(CHAT, post(KEYS.user, { model: 'a', stream: true })),
      {},
    )
    expect(upstream.last.did).toEqual(['pause'])
    const reader = response.body!.getReader()
    await reader.read()
    await reader.read()
    expect(upstream.last.did).toEqual(['pause', 'resume'])
    await reader.cancel()
    expect(upstream.last.did).toEqual(['pause', 'resume', 'abort'])
  })
})

describe('llama-swap’s own pages', () => {
  const page: WholeAnswer = {
    headers: [
      ['content-type', 'text/html'],
      ['x-frame-options', 'ALLOWALL'],
      ['set-cookie', 'a=b'],
    ],
    body: '<html>',
  }

  test('come as they are, for this gate’s own origin only', async () => {
    const { ask, upstream } = await openGate()
    upstream.onCall = (call) =>
      void call.answer({
        ...page,
        headers: [
          ['content-type', 'text/html'],
          ['set-cookie', 'a=b'],
        ],
      })
    const answer = await ask('/ui/', { key: KEYS.admin })
    expect(answer).toEqual({
      status: 200,
      text: '<html>',
      headers: {
        'content-type': 'text/html',
        'cross-origin-resource-policy': 'same-origin',
        'request-id': answer.headers['x-request-id'],
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
        'x-request-id': answer.headers['x-request-id'],
      },
    })
  })

  test.each([
    [302, '/ui/', '/ui/'],
    [307, 'http://127.0.0.1:8080/ui/', undefined],
    [404, undefined, undefined],
    [409, undefined, undefined],
  ])('a %i to %s passes as %s, and is never followed', async (status, location, returned) => {
    const { ask, upstream } = await openGate()
    upstream.onCall = (call) =>
      void call.answer({
        status,
        headers: location === undefined ? [] : [['location', location]],
        body: 'text',
      })
    const answer = await ask('/ui', { key: KEYS.admin })
    expect([answer.status, answer.headers['location'], answer.text, upstream.calls.length]).toEqual(
      [status, returned, 'text', 1],
    )
  })

  test('inference has none of their fields', async () => {
    const { ask } = await openGate()
    const { headers } = await ask(CHAT, post(KEYS.user, { model: 'a' }))
    expect([headers['x-frame-options'], headers['cross-origin-resource-policy']]).toEqual([
      undefined,
      undefined,
    ])
  })

  test('a page’s address is that of the gate, so nothing of the client’s origin goes up', async () => {
    const { ask, upstream } = await openGate()
    await ask('/ui/', {
      headers: {
        ...basic(KEYS.admin),
        origin: ORIGIN,
        referer: `${ORIGIN}/ui/`,
        'sec-fetch-site': 'same-origin',
      },
    })
    const sent = Object.keys(upstream.lastHeaders)
    expect(sent.filter((name) => /^(?:origin|referer|sec-)/.test(name))).toEqual([])
  })
})

test.each([
  ['/v1/chat/completions', post(KEYS.user, { model: 'glm-4.7-flash' })],
  ['/logs', { key: KEYS.admin }],
] as const)(
  'an upstream that repeats the gate’s own key tells it to nobody: %s',
  async (...row) => {
    const [path, asked] = row
    const { ask, upstream } = await openWarmGate({
      upstream: { apiKey: UPSTREAM_KEY, headers: { 'X-Tunnel': 'tunnel-4242' } },
    })
    upstream.onCall = ({ request }) => {
      const echo = request.headers.filter(([name]) => ['authorization', 'x-tunnel'].includes(name))
      upstream.last.answer({ ...jsonAnswer({ ok: true }), headers: [...JSON_HEADERS, ...echo] })
    }
    const { headers, status } = await ask(path, asked)
    expect([
      upstream.last.request.headers.filter(([, value]) => /4242|internal/.test(value)).length,
      status,
      headers['authorization'],
      headers['x-tunnel'],
    ]).toEqual([2, 200, undefined, undefined])
  },
)
