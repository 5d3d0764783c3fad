import { describe, expect, test } from 'vitest'
import type { HostBindings } from '../../../src/deps.ts'
import { NO_MODEL_CONFIG } from '../../../src/llama-swap/model-config.ts'
import type { ModelNames } from '../../../src/llama-swap/model-names.ts'
import { codeOf, KEYS, LISTING, openGate, post, type Answer, type Asked } from './open-gate.ts'
import { jsonAnswer } from '../../support/fake-upstream.ts'

const CHAT = '/v1/chat/completions'
const json = { 'content-type': 'application/json' }

const errorOf = ({ status, text }: Answer): unknown => ({ status, ...JSON.parse(text).error })

describe('a body', () => {
  test.each<[string, Asked, number, string]>([
    ['that is no JSON', { body: 'hello' }, 400, 'invalid_request'],
    ['that is missing', {}, 400, 'invalid_request'],
    ['with a field twice', { body: '{"model":"a","model":"b"}' }, 400, 'invalid_request'],
    ['without a model', { body: '{}' }, 400, 'model_missing'],
    [
      'that is compressed',
      { body: '{"model":"a"}', headers: { ...json, 'content-encoding': 'gzip' } },
      415,
      'unsupported_encoding',
    ],
    [
      'that is larger than allowed',
      { body: `{"model":"a","x":"${'y'.repeat(2000)}"}` },
      413,
      'request_too_large',
    ],
  ])('%s is refused before anything is asked of upstream', async (...row) => {
    const [, asked, status, code] = row
    const { ask, upstream } = await openGate({ body: { maxBytes: 2000 } })
    const answer = await ask(CHAT, { method: 'POST', key: KEYS.user, headers: json, ...asked })
    expect([answer.status, codeOf(answer), upstream.calls.length]).toEqual([status, code, 0])
  })

  test('names the field that is wrong', async () => {
    const { ask } = await openGate()
    expect(errorOf(await ask(CHAT, post(KEYS.user, { model: 'a', stream: 'yes' })))).toEqual({
      status: 400,
      message: '"stream" must be true or false.',
      type: 'invalid_request_error',
      param: 'stream',
      code: 'invalid_request',
    })
  })

  test('of exactly the largest size passes', async () => {
    const body = `{"model":"a","x":"${'y'.repeat(1980)}"}`
    const { ask, upstream } = await openGate({ body: { maxBytes: body.length } })
    expect((await ask(CHAT, { method: 'POST', key: KEYS.user, headers: json, body })).status).toBe(
      200,
    )
    expect(upstream.lastBody).toBe(body)
  })

  test.each(['identity', 'Identity'])(
    'with Content-Encoding %s is not compressed',
    async (encoding) => {
      const { ask } = await openGate()
      const asked = {
        ...post(KEYS.user, { model: 'a' }),
        headers: { ...json, 'content-encoding': encoding },
      }
      expect((await ask(CHAT, asked)).status).toBe(200)
    },
  )

  test('is read by the host where it can, with the limit', async () => {
    const limits: number[] = []
    const bytes = new TextEncoder().encode('{"model":"from the host"}')
    const host: HostBindings = {
      readBody: (maxBytes) => (limits.push(maxBytes), Promise.resolve(bytes)),
    }
    const { ask, upstream } = await openGate({ body: { maxBytes: 5000 } })

    await ask(CHAT, { ...post(KEYS.user, { model: 'ignored' }), host })

    expect({ limits, sent: upstream.last.request.body }).toEqual({ limits: [5000], sent: bytes })
    expect(upstream.last.request.body).toBe(bytes)
  })

  test.each([
    ['too-large', 413],
    ['too-slow', 408],
    ['aborted', 400],
  ] as const)('that the host finds to be %s ends the request', async (found, status) => {
    const { ask, upstream } = await openGate()
    const host: HostBindings = { readBody: () => Promise.resolve(found) }
    const answer = await ask(CHAT, { ...post(KEYS.user, { model: 'a' }), host })
    expect([answer.status, upstream.calls.length]).toEqual([status, 0])
  })

  test('of a GET is never read and never sent', async () => {
    const host: HostBindings = { readBody: () => Promise.reject(new Error('read')) }
    const { ask, upstream } = await openGate()
    expect((await ask('/props?model=a', { key: KEYS.user, host })).status).toBe(200)
    expect(upstream.last.request.body).toBe(undefined)
  })
})

/** The one answer for a model that is not there and for one that the key may not use. */
const unknown = (name: string, hint = ''): unknown => ({
  status: 404,
  message: `Unknown model "${name}".${hint} GET /v1/models lists what this key may use.`,
  type: 'not_found_error',
  param: null,
  code: 'model_not_found',
})

describe('a model', () => {
  test('that the key may not use and one that does not exist get the same answer', async () => {
    const { ask } = await openGate()
    const answers = [
      await ask(CHAT, post(KEYS.limited, { model: 'gpt-oss-120b' })),
      await ask(CHAT, post(KEYS.limited, { model: 'no-such-one' })),
    ]
    expect(answers.map(errorOf)).toEqual([unknown('gpt-oss-120b'), unknown('no-such-one')])
    expect(Object.keys(answers[0]!.headers)).toEqual(Object.keys(answers[1]!.headers))
  })

  test('that is nearly one that the key may use is told, and no other is', async () => {
    const { ask } = await openGate()
    const answers = [
      await ask(CHAT, post(KEYS.limited, { model: 'glm-4.7-flahs' })),
      await ask(CHAT, post(KEYS.limited, { model: 'gpt-oss-120' })),
    ]
    expect(answers.map(errorOf)).toEqual([
      unknown('glm-4.7-flahs', ' Did you mean "glm-4.7-flash"?'),
      unknown('gpt-oss-120'),
    ])
  })

  test('for a key of all models passes unchecked; it is looked up for its id only, and seldom', async () => {
    const { ask, upstream } = await openGate()
    const statuses = []
    for (const model of ['anything', 'anything', 'something'])
      statuses.push((await ask(CHAT, post(KEYS.user, { model }))).status)
    expect(statuses).toEqual([200, 200, 200])
    expect(upstream.calls.map(({ request }) => request.target)).toEqual([
      '/v1/models',
      CHAT,
      CHAT,
      CHAT,
    ])
  })

  test('for a key of all models is sent on while nobody can look it up', async () => {
    const { ask, upstream } = await openGate()
    upstream.onCall = (call) =>
      void (call.request.target === '/v1/models'
        ? call.failure('unreachable')
        : call.answer(jsonAnswer({})))
    expect((await ask(CHAT, post(KEYS.user, { model: 'a' }))).status).toBe(200)
  })

  test('for a limited key is looked up first, and not again within half a minute', async () => {
    const { ask, upstream, clock } = await openGate()
    const targets = (): string[] => upstream.calls.splice(0).map(({ request }) => request.target)
    const asked = post(KEYS.limited, { model: 'glm-4.7-flash' })
    await ask(CHAT, asked)
    expect(targets()).toEqual(['/v1/models', CHAT])
    await clock.advance(30_000)
    await ask(CHAT, asked)
    expect(targets()).toEqual([CHAT])
    await clock.advance(1)
    await ask(CHAT, asked)
    expect(targets()).toEqual(['/v1/models', CHAT])
  })

  test('may be allowed by its alias, and reached by its alias', async () => {
    const { ask } = await openGate({
      keys: [
        { id: 'by-alias', secret: KEYS.user, models: ['big'] },
        { id: 'by-id', secret: KEYS.limited, models: ['gpt-oss-120b'] },
      ],
    })
    const statuses = []
    for (const key of [KEYS.user, KEYS.limited])
      for (const model of ['big', 'gpt-oss-120b', 'glm-4.7-flash'])
        statuses.push((await ask(CHAT, post(key, { model }))).status)
    expect(statuses).toEqual([200, 200, 404, 200, 200, 404])
  })

  test('is known from llama-swap’s own configuration, too', async () => {
    const names: ModelNames = {
      ids: new Set(['hidden']),
      aliases: new Map([['nice', 'hidden']]),
      selectors: new Map(),
      pins: new Map(),
    }
    const { ask } = await openGate(
      { keys: [{ id: 'k', secret: KEYS.user, models: ['hid*'] }] },
      { modelConfig: { read: async () => ({ ...NO_MODEL_CONFIG, names }) } },
    )
    const statuses = []
    for (const model of ['hidden', 'nice', 'hidden2'])
      statuses.push((await ask(CHAT, post(KEYS.user, { model }))).status)
    expect(statuses).toEqual([200, 200, 404])
  })

  test('that nobody can look up passes only when the key names it letter by letter; no other answer is final', async () => {
    const { ask, upstream } = await openGate({
      keys: [{ id: 'k', secret: KEYS.user, models: ['a', 'b*'] }],
    })
    upstream.onCall = (call) =>
      void (call.request.target === '/v1/models'
        ? call.failure('unreachable')
        : call.answer(jsonAnswer({})))
    const statuses = []
    for (const model of ['a', 'b1', 'c'])
      statuses.push((await ask(CHAT, post(KEYS.user, { model }))).status)
    expect(statuses).toEqual([200, 503, 503])
  })

  test.each([
    ['in the query of a GET', '/props?model=gpt-oss-120b', {}],
    ['in the query of a HEAD', '/props?model=gpt-oss-120b', { method: 'HEAD' }],
    ['of an audio route', '/v1/audio/voices?model=gpt-oss-120b', {}],
    ['with an escape', CHAT, { method: 'POST', body: '{"mod\\u0065l":"gpt-oss-120b"}' }],
    [
      'behind another content type',
      `${CHAT}?model=glm-4.7-flash`,
      {
        method: 'POST',
        headers: { 'content-type': 'text/plain' },
        body: '{"model":"gpt-oss-120b"}',
      },
    ],
    [
      'in a form',
      '/v1/audio/transcriptions',
      {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
        body: '--x\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-oss-120b\r\n--x--',
      },
    ],
    ['of a peer by its bare name', CHAT, { method: 'POST', body: '{"model":"x"}' }],
  ])('%s is checked all the same', async (_, path, asked: Asked) => {
    const { ask, upstream } = await openGate()
    const answer = await ask(path, { key: KEYS.limited, ...asked })
    expect([answer.status, upstream.calls.map(({ request }) => request.target)]).toEqual([
      404,
      ['/v1/models'],
    ])
  })

  test('the listing that a check needs is asked for with the gate’s own key only', async () => {
    const { ask, upstream } = await openGate()
    await ask(CHAT, {
      ...post(KEYS.limited, { model: LISTING.data[0]!.id }),
      headers: { ...json, cookie: 'a=b', 'x-any': '1' },
    })
    expect(upstream.calls[0]?.request).toEqual({
      method: 'GET',
      target: '/v1/models',
      headers: [
        ['accept', 'application/json'],
        ['accept-encoding', 'identity;q=1, *;q=0'],
        ['x-request-id', 'gate'],
        ['via', expect.stringMatching(/^1\.1 swapgate-[0-9a-f]{8}$/)],
        ['authorization', 'Bearer internal-0123456789abcdef'],
      ],
      body: undefined,
    })
  })
})
