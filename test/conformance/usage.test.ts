import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { openRaw, sendRaw, type RawConnection } from '../support/raw-http.ts'
import { textOf, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawJsonPost, rawRequest } from '../support/raw-http/raw-request.ts'
import { harnesses } from './gates.ts'

const CHAT = '/v1/chat/completions'
const MODEL = 'gpt-oss-120b'
const ALIAS = 'gpt'
/** Two models that only one test each asks for. */
const FRESH = 'qwen3-coder-next'
const OTHER = 'glm-4.7-flash'
const ASK = { messages: [{ role: 'user', content: 'hi' }], prompt: 'hi' }

/** Every way to ask for text, streamed or not, and one that only measures. */
const WAYS = [
  ...[CHAT, '/v1/completions', '/v1/responses', '/v1/messages', '/completion'].flatMap((path) =>
    [false, true].map((stream) => ({ path, stream, tokens: { cached: 24, completion: 4 } })),
  ),
  { path: '/v1/embeddings', stream: false, tokens: { cached: 0, completion: 0 } },
].map((way, index) => ({ ...way, key: `way-${index}` }))

const KEYS = [
  ...WAYS.map(({ key }) => ({ id: key })),
  ...['alice', 'bob', 'alias', 'fresh', 'asked', 'fin', 'rst', 'lost'].map((id) => ({ id })),
  { id: 'few', limits: { requestsPerMinute: 1 } },
  { id: 'status', scopes: ['status' as const] },
  { id: 'admin', scopes: ['admin' as const] },
].map((key) => ({ ...key, secret: secretOf(key.id) }))

function secretOf(id: string): string {
  return `sk-${id}-0123456789abcdef0123456789`
}

function post(key: string, body: object, path = CHAT): Buffer {
  return rawJsonPost(path, { model: MODEL, ...ASK, ...body }, authorizationOf(key))
}

function authorizationOf(key: string): Record<string, string> {
  return { Authorization: `Bearer ${secretOf(key)}` }
}

/** The sums of one group; times and bytes are only there. */
function sums(counts: Partial<Record<string, number>>): Record<string, unknown> {
  const { prompt_tokens = 0, completion_tokens = 0 } = counts
  return {
    requests: 1,
    completed: 1,
    cached_tokens: 0,
    estimated_requests: 0,
    queue_ms: expect.any(Number),
    duration_ms: expect.any(Number),
    bytes_in: expect.any(Number),
    bytes_out: expect.any(Number),
    ...counts,
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
  }
}

const USUAL = { prompt_tokens: 25, cached_tokens: 24, completion_tokens: 4 }

describe.each(harnesses)('usage on $name', (harness) => {
  const folder = mkdtempSync(join(tmpdir(), 'swapgate-usage-'))
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    gate = await harness.start({
      upstream: { url: upstream.url },
      keys: KEYS,
      limits: { requestsPerMinute: null },
      queue: { idleMs: 0 },
      usage: { file: join(folder, 'usage.sqlite') },
    })
  })
  afterEach(() => upstream.reset())
  afterAll(async () => {
    await Promise.all([gate.stop(), upstream.stop()])
    rmSync(folder, { recursive: true })
  })

  function ask(key: string, body: object, path = CHAT): Promise<RawAnswer> {
    return sendRaw(gate.url, post(key, body, path))
  }

  function usage(key: string, query = ''): Promise<RawAnswer> {
    const target = `/usage${query}`
    return sendRaw(gate.url, rawRequest({ target, headers: authorizationOf(key) }))
  }

  async function report(key: string, query = '') {
    return JSON.parse(textOf(await usage(key, query)))
  }

  /** What a key sees of itself, by model, once as many requests as that have ended. */
  async function settled(key: string, requests = 1): Promise<Record<string, unknown>[]> {
    await expect.poll(async () => (await report(key)).total.requests).toBe(requests)
    return (await report(key)).data
  }

  test.each(WAYS)(
    'counts the tokens of $path, streamed: $stream',
    async ({ key, path, stream, tokens }) => {
      const request = post(key, { stream }, path)
      const answer = await sendRaw(gate.url, request)
      const { cached, completion } = tokens
      expect([answer.status, await settled(key)]).toEqual([
        200,
        [
          {
            model: MODEL,
            ...sums({
              prompt_tokens: 25,
              cached_tokens: cached,
              completion_tokens: completion,
              bytes_in: request.length - request.indexOf('\r\n\r\n') - 4,
              bytes_out: answer.body.length,
            }),
          },
        ],
      ])
    },
  )

  test('is counted under the id of a model, by whatever name it was asked for', async () => {
    await ask('alias', { model: ALIAS })
    await ask('alias', { model: MODEL, stream: true })
    expect(await settled('alias', 2)).toEqual([
      {
        model: MODEL,
        ...sums({
          requests: 2,
          completed: 2,
          prompt_tokens: 50,
          cached_tokens: 48,
          completion_tokens: 8,
        }),
      },
    ])
  })

  test('is asked of upstream where a client did not, which the client never sees', async () => {
    const before = await ask('fresh', { model: FRESH, stream: true })
    const after = await ask('fresh', { model: FRESH, stream: true })
    const calls = upstream.requests.filter(({ url }) => url === CHAT)
    const usual = await sendRaw(upstream.url, post('fresh', { model: FRESH, stream: true }))
    expect(calls.map(({ body }) => JSON.parse(body.toString()))).toEqual([
      { model: FRESH, ...ASK, stream: true, stream_options: { include_usage: true } },
      // Known for a llama.cpp by now, which tells it unasked at the end.
      { model: FRESH, ...ASK, stream: true, return_progress: true },
    ])
    expect([choicesIn(before), textOf(after), before.ending]).toEqual([
      choicesIn(usual),
      textOf(usual),
      'complete',
    ])
    expect(await settled('fresh', 2)).toEqual([
      {
        model: FRESH,
        ...sums({
          requests: 2,
          completed: 2,
          prompt_tokens: 50,
          cached_tokens: 48,
          completion_tokens: 8,
        }),
      },
    ])
  })

  test('reaches a client that asked for it, byte for byte', async () => {
    const body = { model: OTHER, stream: true, stream_options: { include_usage: true } }
    const answer = await ask('asked', body)
    const usual = textOf(await sendRaw(upstream.url, post('asked', body)))
    expect([textOf(answer), usual.includes('"choices":[]')]).toEqual([usual, true])
    expect(await settled('asked')).toEqual([{ model: OTHER, ...sums(USUAL) }])
  })

  test.each([
    { way: 'by FIN', key: 'fin', leave: (client: RawConnection) => client.close() },
    { way: 'by RST', key: 'rst', leave: (client: RawConnection) => client.destroy() },
  ])('of a stream that its client leaves $way is an estimate', async ({ key, leave }) => {
    upstream.behave({ kind: 'endless', everyMs: 20 })
    const client = await openRaw(gate.url, post(key, { stream: true }))
    await client.readUntil('Hello')
    leave(client)
    const [group = {}, ...others] = await settled(key)
    expect([group, others]).toEqual([
      {
        model: MODEL,
        ...sums({}),
        completed: 0,
        estimated_requests: 1,
        prompt_tokens: expect.any(Number),
        completion_tokens: expect.any(Number),
        total_tokens: expect.any(Number),
      },
      [],
    ])
    expect(group['prompt_tokens']).toBeGreaterThan(0)
    expect(group['completion_tokens']).toBeGreaterThan(0)
  })

  test('of what was refused is a request without tokens', async () => {
    await ask('few', {})
    const refused = await ask('few', {})
    const unknown = await ask('lost', { model: 'gpt-oss-121b' })
    const none = await ask('lost', { model: undefined })
    expect([refused, unknown, none].map(({ status }) => status)).toEqual([429, 404, 400])
    expect([await settled('few', 2), await settled('lost', 2)]).toEqual([
      [{ model: MODEL, ...sums({ ...USUAL, requests: 2, completed: 1 }) }],
      [
        { model: null, ...sums({ completed: 0 }) },
        { model: 'gpt-oss-121b', ...sums({ completed: 0 }) },
      ],
    ])
  })

  describe('is told', () => {
    beforeAll(async () => {
      await Promise.all(['alice', 'alice', 'bob'].map((key) => ask(key, {})))
    })

    test('to a key about itself, by model, day and key', async () => {
      const two = sums({
        requests: 2,
        completed: 2,
        prompt_tokens: 50,
        cached_tokens: 48,
        completion_tokens: 8,
      })
      const of = { object: 'usage', since: expect.any(String), until: expect.any(String) }
      const groups = { model: MODEL, key: 'alice', day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) }
      const bys = ['model', 'key', 'day'] as const
      await settled('alice', 2)
      const told = await Promise.all(bys.map((by) => report('alice', `?by=${by}`)))
      expect(told).toEqual(
        bys.map((by) => ({
          ...of,
          by,
          key: 'alice',
          data: [{ [by]: groups[by], ...two }],
          total: two,
        })),
      )
      expect(await report('alice', '?key=alice&since=1h')).toEqual({
        ...told[0],
        since: expect.any(String),
        until: expect.any(String),
      })
    })

    test.each(['status', 'admin'])(
      'to a key with scope %s about all, or about one',
      async (key) => {
        await settled('bob')
        const all = await report(key, '?by=key')
        const one = await report(key, '?by=key&key=bob')
        const alone = { key: 'bob', ...sums(USUAL) }
        const ids: string[] = all.data.map((group: { key: string }) => group.key)
        expect([all.key, ids.includes('alice'), all.data, one.key, one.data]).toEqual([
          null,
          true,
          expect.arrayContaining([alone]),
          'bob',
          [alone],
        ])
      },
    )

    test('to nobody else: another key is out of reach, and so is a request without one', async () => {
      const [other, keyless, wrong] = await Promise.all([
        usage('alice', '?key=bob'),
        sendRaw(gate.url, rawRequest({ target: '/usage' })),
        usage('nobody'),
      ])
      expect(
        [other, keyless, wrong].map((answer) => [
          answer.status,
          JSON.parse(textOf(answer)).error.code,
        ]),
      ).toEqual([
        [403, 'scope_missing'],
        [401, 'missing_api_key'],
        [401, 'invalid_api_key'],
      ])
    })

    test.each([
      { query: '?since=yesterday', param: 'since' },
      { query: '?since=2026-02-30', param: 'since' },
      { query: '?since=1d&since=2d', param: 'since' },
      { query: '?by=week', param: 'by' },
      { query: '?key=', param: 'key' },
      { query: '?until=2026-01-01', param: 'until' },
    ])('only when it was asked for rightly: $query', async ({ query, param }) => {
      const answer = await usage('alice', query)
      expect([answer.status, JSON.parse(textOf(answer))]).toEqual([
        400,
        {
          error: {
            message: expect.stringContaining(`"${param}"`),
            type: 'invalid_request_error',
            param,
            code: 'invalid_request',
          },
        },
      ])
    })
  })
})

/** The choices of each chunk of a streamed chat. */
function choicesIn(answer: RawAnswer): unknown[] {
  return textOf(answer)
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: {'))
    .map((frame) => JSON.parse(frame.slice('data: '.length)).choices)
}
