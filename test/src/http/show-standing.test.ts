import { describe, expect, test } from 'vitest'
import { CountersUnavailable } from '../../../src/errors/counters-unavailable.ts'
import { createEstimator } from '../../../src/limit/estimate.ts'
import { createMemoryLimitStore } from '../../../src/limit/memory-store.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { codeOf, KEYS, openGate, post } from './open-gate.ts'
import { answerInference, answerUsing, limitFieldsOf, withLimits } from './limited-key.ts'

const LIMITED = withLimits({ requestsPerMinute: 60, burst: 5, tokensPerDay: 1000 })
const CHAT = '/v1/chat/completions'
const asked = post(KEYS.user, { model: 'glm-4.7-flash', max_tokens: 10 })
const user = { key: KEYS.user }

const UNUSED = {
  'x-ratelimit-limit-requests': '60',
  'x-ratelimit-remaining-requests': '5',
  'x-ratelimit-reset-requests': '0s',
  'x-ratelimit-limit-tokens': '1000',
  'x-ratelimit-remaining-tokens': '1000',
  'x-ratelimit-reset-tokens': '0s',
}

describe('an answer that the gate gives itself', () => {
  test.each<[string, Parameters<Awaited<ReturnType<typeof openGate>>['ask']>[1], number]>([
    ['/v1/models', user, 200],
    ['/usage', user, 200],
    ['/nothing', user, 404],
    ['/running', user, 403],
    ['/v1/embeddings', { method: 'POST', ...user, body: '{' }, 400],
    ['/v1/embeddings', post(KEYS.user, {}), 400],
  ])('to %s tells what is left of the limits', async (path, question, status) => {
    const { ask } = await openGate(LIMITED)
    const answer = await ask(path, question)
    expect([answer.status, limitFieldsOf(answer)]).toEqual([
      status,
      status === 200 ? UNUSED : { ...UNUSED, 'x-should-retry': 'false' },
    ])
  })

  test("tells it in Anthropic's words on its routes", async () => {
    const { ask } = await openGate(LIMITED)
    expect(limitFieldsOf(await ask('/v1/messages', post(KEYS.user, {})))).toEqual({
      'anthropic-ratelimit-requests-limit': '60',
      'anthropic-ratelimit-requests-remaining': '5',
      'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:00Z',
      'anthropic-ratelimit-tokens-limit': '1000',
      'anthropic-ratelimit-tokens-remaining': '1000',
      'anthropic-ratelimit-tokens-reset': '2026-01-01T00:00:00Z',
      'x-should-retry': 'false',
    })
  })

  test.each<[string, Parameters<Awaited<ReturnType<typeof openGate>>['ask']>[1]]>([
    ['/health', {}],
    ['/v1/models', {}],
    ['/v1/models', { key: 'sk-unknown' }],
    ['/v1/models', { method: 'OPTIONS' }],
    ['/v1//models', user],
  ])('to %s tells nothing where the key is not known', async (path, question) => {
    const { ask } = await openGate(LIMITED)
    const told = Object.keys(limitFieldsOf(await ask(path, question)))
    expect(told.filter((name) => name.includes('ratelimit'))).toEqual([])
  })

  test('looks without taking anything', async () => {
    const { ask } = await openGate(LIMITED)
    for (let i = 0; i < 20; i++) await ask('/v1/models', user)
    expect(limitFieldsOf(await ask('/v1/models', user))).toEqual(UNUSED)
  })
})

const inVain = () => new Promise<never>(() => {})

describe('where the limits cannot be looked at', () => {
  const clock = fakeClock()
  const faults = [new CountersUnavailable(new Error('silent')), new Error('a bug')]
  const ready: Array<[string, Parameters<Awaited<ReturnType<typeof openGate>>['ask']>[1]]> = [
    ['/v1/models', user],
    ['/opencode.json', user],
    ['/usage', user],
    ['/nothing', user],
    ['/running', user],
    ['/v1/embeddings', { method: 'POST', ...user, body: '{' }],
  ]

  describe.each(faults)('with %s', (fault) => {
    const store = createMemoryLimitStore({ clock })
    const peek = () => Promise.reject(fault)

    test.each(ready)('the answer to %s stays what it is, without them', async (path, question) => {
      const whole = await (await openGate(LIMITED)).ask(path, question)
      const { ask, failures } = await openGate(LIMITED, { limits: { ...store, peek } })
      const answer = await ask(path, question)
      const told = Object.keys(limitFieldsOf(answer))
      expect([answer.status, answer.text, told.filter((name) => /ratelimit/.test(name))]).toEqual([
        whole.status,
        whole.text,
        [],
      ])
      expect(failures).toEqual([{ requestId: answer.headers['x-request-id'], error: fault }])
    })
  })

  test('an answer that is ready waits for them for half a second', async () => {
    const store = createMemoryLimitStore({ clock })
    const gate = await openGate(LIMITED, { limits: { ...store, peek: inVain } })
    let isOver = false
    const asking = gate.ask('/v1/models', user).finally(() => (isOver = true))
    await gate.clock.advance(499)
    const early = isOver
    await gate.clock.advance(1)
    const { status, headers } = await asking
    const told = Object.keys(headers).filter((name) => /ratelimit/.test(name))
    expect([early, status, told, gate.failures]).toEqual([false, 200, [], []])
  })

  test('usage that cannot be had is a passing trouble of the gate, told and logged once', async () => {
    const gone = new CountersUnavailable(new Error('silent'))
    const { ask, failures, events } = await openGate(LIMITED, {
      usage: { append() {}, flush: async () => {}, totals: () => Promise.reject(gone) },
    })
    const answer = await ask('/usage', user)
    expect([answer.status, answer.headers['retry-after'], codeOf(answer)]).toEqual([
      503,
      '5',
      'counters_unavailable',
    ])
    expect([failures.map(({ error }) => error), events.map(({ outcome }) => outcome)]).toEqual([
      [gone],
      ['refused'],
    ])
  })
})

describe('an answer of a model', () => {
  test('tells what is left after its request, with what that may use still taken', async () => {
    const { ask, upstream } = await openGate(LIMITED)
    upstream.onCall = answerInference(answerUsing(40, 30, 5))
    const bodyBytes = String(asked.body).length
    const { tokens } = createEstimator().estimate('a', { bodyBytes, maxOutput: 10 })
    expect(limitFieldsOf(await ask(CHAT, asked))).toEqual({
      ...UNUSED,
      'x-ratelimit-remaining-requests': '4',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-remaining-tokens': String(1000 - tokens),
      'x-ratelimit-reset-tokens': '24h0m0s',
    })
  })

  test('tells it once: upstream’s own fields do not come through', async () => {
    const { gate, upstream } = await openGate(LIMITED)
    upstream.onCall = answerInference({
      headers: [
        ['x-ratelimit-limit-requests', '999'],
        ['x-ratelimit-remaining-requests', '999'],
        ['x-ratelimit-limit-tokens', '999'],
      ],
      body: '{}',
    })
    const request = new Request(`http://gate.test:3000${CHAT}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEYS.user}`, 'content-type': 'application/json' },
      body: '{"model":"glm-4.7-flash","max_tokens":10}',
    })
    const { headers } = await gate.fetch(request, {})
    expect([
      headers.get('x-ratelimit-limit-requests'),
      headers.get('x-ratelimit-remaining-requests'),
      headers.get('x-ratelimit-limit-tokens'),
    ]).toEqual(['60', '4', '1000'])
  })

  test('of upstream’s own pages tells nothing: they count for nothing', async () => {
    const { ask } = await openGate({
      keys: [{ id: 'a', secret: KEYS.admin, scopes: ['admin'], limits: { requestsPerMinute: 1 } }],
    })
    expect(limitFieldsOf(await ask('/logs', { key: KEYS.admin }))).toEqual({})
  })
})
