import { describe, expect, test } from 'vitest'
import type { ConfigFile } from '../../../src/config/schema.ts'
import { JSON_HEADERS, jsonAnswer } from '../../support/fake-upstream.ts'
import { RecordingClient } from '../../support/recording-client.ts'
import { answerInference, answerUsing } from './limited-key.ts'
import {
  answerEverything,
  codeOf,
  KEYS,
  openGate,
  openWarmGate,
  post,
  requestOf,
  type Asked,
  type OpenGate,
} from './open-gate.ts'

const CHAT = '/v1/chat/completions'
const MODEL = 'glm-4.7-flash'
const EDGE = KEYS.user
const PEER = { clientAddress: '192.0.2.1' }
const TOLD = '"203.0.113.7";key="friend"'

const HOME: ConfigFile = {
  keys: [
    { id: 'worker', secret: EDGE, edge: true },
    { id: 'laptop', secret: KEYS.all, scopes: ['inference', 'status'] },
  ],
}

/** A request as the gate in front sends it, with further fields. */
function ofEdge(
  told: string | undefined,
  fields: Record<string, string> = {},
  key: string = EDGE,
): Asked {
  const client: Record<string, string> = told === undefined ? {} : { 'swapgate-client': told }
  return {
    ...post(key, { model: MODEL, messages: [] }),
    host: PEER,
    headers: { 'content-type': 'application/json', ...client, ...fields },
  }
}

describe('what another gate tells of its client', () => {
  test.each<[string, string, string | undefined, object]>([
    [
      'is believed from its key',
      EDGE,
      TOLD,
      { keyId: 'worker/friend', clientAddress: '203.0.113.7' },
    ],
    [
      'may be IPv6',
      EDGE,
      '"2001:db8::7";key="a"',
      { keyId: 'worker/a', clientAddress: '2001:db8::7' },
    ],
    [
      'may be of a gate before it',
      EDGE,
      '"203.0.113.7";key="vps/friend"',
      { keyId: 'worker/vps/friend', clientAddress: '203.0.113.7' },
    ],
    [
      'may lack an address',
      EDGE,
      '"unknown";key="friend"',
      { keyId: 'worker/friend', clientAddress: undefined },
    ],
    ['is nothing from another key', KEYS.all, TOLD, { keyId: 'laptop', ...PEER }],
    ['is nothing where it is missing', EDGE, undefined, { keyId: 'worker', ...PEER }],
    ['is nothing where it is malformed', EDGE, `${TOLD};admin`, { keyId: 'worker', ...PEER }],
    ['is nothing where it comes twice', EDGE, `${TOLD}, ${TOLD}`, { keyId: 'worker', ...PEER }],
  ])('%s', async (...row) => {
    const [, key, told, who] = row
    const { ask, events, records } = await openWarmGate(HOME)
    await ask(CHAT, ofEdge(told, {}, key))
    expect([
      events.map(({ keyId, clientAddress }) => ({ keyId, clientAddress })),
      records.map(({ keyId }) => keyId),
    ]).toEqual([[who], [Object(who).keyId]])
  })

  test('is told in the log where its key lacks the right to tell', async () => {
    const { ask, events } = await openWarmGate(HOME)
    for (const key of [EDGE, KEYS.all]) await ask(CHAT, ofEdge(TOLD, {}, key))
    expect(events.map(({ keyId, reason }) => [keyId, reason])).toEqual([
      ['worker/friend', undefined],
      ['laptop', 'swapgate-client-not-believed'],
    ])
  })

  test.each([
    ['the same', '9b2f0c1e-7c53-4b7e-8a43-3a2c6a3f6f10', '9b2f0c1e-7c53-4b7e-8a43-3a2c6a3f6f10'],
    ['none where it is no id of a gate', 'x'.repeat(36), undefined],
  ])('comes with the id of the request there: %s', async (_, sent, edgeRequestId) => {
    const { ask, events } = await openWarmGate(HOME)
    await ask(CHAT, ofEdge(TOLD, { 'x-request-id': sent }))
    expect(events.map((event) => event.edgeRequestId)).toEqual([edgeRequestId])
  })

  test('names nobody where the key is refused', async () => {
    const { ask, events } = await openWarmGate({
      keys: [{ id: 'worker', secret: EDGE, edge: true, disabled: true }],
    })
    await ask(CHAT, ofEdge(TOLD))
    expect(events.map(({ keyId, clientAddress }) => ({ keyId, clientAddress }))).toEqual([
      { keyId: 'worker', ...PEER },
    ])
  })

  test('goes no further: llama-swap gets the address alone', async () => {
    const { ask, upstream } = await openWarmGate(HOME)
    await ask(CHAT, ofEdge(TOLD))
    const { 'swapgate-client': told, 'x-forwarded-for': address } = upstream.lastHeaders
    expect({ told, address }).toEqual({ told: undefined, address: '203.0.113.7' })
  })

  test('opens nothing: scopes and models are those of the key', async () => {
    const { ask } = await openGate({
      keys: [
        { id: 'worker', secret: EDGE, edge: true, models: ['gpt-oss-120b'] },
        { id: 'owner', secret: KEYS.admin, scopes: ['admin'] },
      ],
    })
    const asOwner = '"127.0.0.1";key="owner"'
    const answers = [
      await ask('/logs', { key: EDGE, headers: { 'swapgate-client': asOwner } }),
      await ask(CHAT, ofEdge(asOwner)),
    ]
    expect(answers.map((answer) => [answer.status, codeOf(answer)])).toEqual([
      [403, 'scope_missing'],
      [404, 'model_not_found'],
    ])
  })

  test('does not part the limits: they are of the key in total', async () => {
    const { ask } = await openWarmGate({
      keys: [
        { id: 'worker', secret: EDGE, edge: true, limits: { requestsPerMinute: 2, burst: 2 } },
      ],
    })
    const answers = []
    for (const name of ['a', 'b', 'c'])
      answers.push(await ask(CHAT, ofEdge(`"192.0.2.9";key="${name}"`)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429])
  })

  test('is how its usage is found', async () => {
    const { ask, upstream } = await openWarmGate(HOME)
    upstream.onCall = answerInference(answerUsing(10, 0, 5))
    for (const name of ['friend', 'friend', 'phone'])
      await ask(CHAT, ofEdge(`"192.0.2.9";key="${name}"`))
    const report = async (query: string) => {
      const { text } = await ask(`/usage?by=key&${query}`, { key: KEYS.all })
      return JSON.parse(text).data.map(({ key, requests }: { key: string; requests: number }) => [
        key,
        requests,
      ])
    }
    expect([
      await report(''),
      await report('key=worker/friend'),
      await report('key=worker'),
    ]).toEqual([
      [
        ['worker/friend', 2],
        ['worker/phone', 1],
      ],
      [['worker/friend', 2]],
      [
        ['worker/friend', 2],
        ['worker/phone', 1],
      ],
    ])
    const told = await ask('/usage?key=worker/phone&by=key', { key: EDGE })
    expect(JSON.parse(told.text).data).toMatchObject([{ key: 'worker/phone', requests: 1 }])
    const other = await ask('/usage?key=all', { key: EDGE })
    expect([other.status, codeOf(other)]).toEqual([403, 'scope_missing'])
  })

  test('parts what is learned of habits: one that writes much makes no other look dear', async () => {
    const { ask, upstream, records } = await openWarmGate(HOME)
    const from = (name: string) => ask(CHAT, ofEdge(`"192.0.2.9";key="${name}"`))
    upstream.onCall = answerInference(jsonAnswer({ choices: [] }))
    await from('stranger')
    upstream.onCall = answerInference(answerUsing(10, 0, 3000))
    for (let times = 0; times < 5; times++) await from('writer')
    upstream.onCall = answerInference(jsonAnswer({ choices: [] }))
    for (const name of ['writer', 'reader']) await from(name)
    const [stranger, writer, reader] = [records[0], ...records.slice(-2)].map(
      (record) => record?.tokens,
    )
    expect([reader, writer?.completion === stranger?.completion]).toEqual([stranger, false])
  })

  test('parts the share of the box: told keys take turns', async () => {
    const opened = await openGate({ ...HOME, queue: { slotsPerModel: 1 } })
    const { upstream, clock, gate } = opened
    upstream.onCall = (call) => call.request.target !== CHAT && answerEverything(call)
    const send = async (name: string): Promise<void> => {
      const client = new RecordingClient()
      const asked = ofEdge(`"192.0.2.9";key="${name}"`, { 'x-name': name })
      void gate.fetch(requestOf(CHAT, asked), {
        openClient: () => client.opened,
      })
      await clock.advance(0)
    }
    for (const name of ['greedy', 'greedy', 'greedy', 'modest', 'modest']) await send(name)
    expect(await inTurn(opened)).toEqual(['greedy', 'modest', 'greedy', 'modest', 'greedy'])
  })
})

/** Answers the chats one by one; gives who asked them. */
async function inTurn({ upstream, clock }: OpenGate): Promise<Array<string | undefined>> {
  const order: Array<string | undefined> = []
  for (;;) {
    const live = upstream.calls.filter((call) => call.isLive && call.request.target === CHAT)
    if (live.length === 0) return order
    order.push(Object.fromEntries(live[0]!.request.headers)['x-name'])
    live[0]!.answer(answerUsing(1000, 0, 100))
    await clock.advance(0)
  }
}

describe('a gate in front of another', () => {
  const FRONT: ConfigFile = {
    upstream: { kind: 'swapgate', apiKey: 'sk-of-worker' },
    keys: [{ id: 'friend', secret: EDGE }],
  }

  test('tells it of its client in one field, and of nothing else', async () => {
    const { ask, upstream } = await openWarmGate(FRONT)
    await ask(CHAT, {
      ...ofEdge('"198.51.100.1";key="owner"'),
      host: { clientAddress: '203.0.113.7' },
    })
    const {
      authorization,
      'swapgate-client': told,
      'x-forwarded-for': address,
    } = upstream.lastHeaders
    expect({ authorization, told, address }).toEqual({
      authorization: 'Bearer sk-of-worker',
      told: TOLD,
      address: undefined,
    })
  })

  test('that is itself behind one tells whom it was told', async () => {
    const { ask, upstream } = await openWarmGate({
      ...FRONT,
      keys: [{ id: 'worker', secret: EDGE, edge: true }],
    })
    await ask(CHAT, ofEdge(TOLD))
    expect(upstream.lastHeaders['swapgate-client']).toBe('"203.0.113.7";key="worker/friend"')
  })

  test('tells what the proxy in front of it says of the address', async () => {
    const { ask, upstream, events } = await openWarmGate({
      ...FRONT,
      trustedProxies: [{ from: ['192.0.2.1'], kind: 'x-forwarded-for' }],
    })
    await ask(CHAT, ofEdge(undefined, { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' }))
    expect([
      upstream.lastHeaders['swapgate-client'],
      events.map(({ clientAddress }) => clientAddress),
    ]).toEqual([TOLD, ['203.0.113.7']])
  })

  test('asks it nothing but the list of models, with its own key and in nobody’s name', async () => {
    const { ask, upstream } = await openGate(FRONT)
    await ask(CHAT, ofEdge(undefined))
    expect(upstream.calls.map(({ request }) => [request.method, request.target])).toEqual([
      ['GET', '/v1/models'],
      ['POST', CHAT],
    ])
    const asked = Object.fromEntries(upstream.calls[0]!.request.headers)
    expect(asked['swapgate-client']).toBeUndefined()
  })

  test('passes on what it refuses, but not what it says of the gate’s own key', async () => {
    const { ask, upstream } = await openWarmGate(FRONT)
    const error = {
      message: 'The queue is full.',
      type: 'server_error',
      param: null,
      code: 'queue_full',
    }
    const headers = [
      ...JSON_HEADERS,
      ['retry-after', '5'],
      ['retry-after-ms', '5000'],
      ['swapgate-error', 'queue-full'],
    ] as const
    upstream.onCall = (call) => void call.answer({ ...jsonAnswer({ error }, 503), headers })
    const full = await ask(CHAT, ofEdge(undefined))
    upstream.onCall = (call) => void call.answer({ ...jsonAnswer({ error }, 403), headers })
    const forbidden = await ask(CHAT, ofEdge(undefined))
    expect([
      [
        full.status,
        full.text,
        full.headers['retry-after'],
        full.headers['retry-after-ms'],
        full.headers['x-should-retry'],
        full.headers['swapgate-error'],
      ],
      [forbidden.status, codeOf(forbidden)],
    ]).toEqual([
      [503, JSON.stringify({ error }), '5', '5000', undefined, 'queue-full'],
      [502, 'upstream_key_refused'],
    ])
  })
})

describe('a loop that upstream tells of', () => {
  test.each([
    ['/v1/models', { key: EDGE }],
    [CHAT, post(EDGE, { model: MODEL })],
  ] as const)('is told to who asked %s', async (path, asked) => {
    const { ask, upstream } = await openGate()
    const error = { message: 'm', type: 'server_error', param: null, code: 'loop_detected' }
    upstream.onCall = (call) => void call.answer(jsonAnswer({ error }, 508))
    const answer = await ask(path, asked)
    expect([answer.status, codeOf(answer), answer.headers['x-should-retry']]).toEqual([
      508,
      'loop_detected',
      'false',
    ])
  })

  test('is told to who waits in the queue, which cannot see what is loaded', async () => {
    const { ask, upstream } = await openGate({ queue: {} })
    upstream.onCall = (call) => void call.answer(jsonAnswer({ error: { message: 'm' } }, 508))
    const answer = await ask(CHAT, post(EDGE, { model: MODEL }))
    expect([answer.status, codeOf(answer)]).toEqual([508, 'loop_detected'])
  })
})

test('what is refused to the clients of a gate is recorded sixty times in a minute for all of them', async () => {
  const { ask, clock, records, events } = await openWarmGate(HOME)
  const refuse = (client: number): Promise<unknown> =>
    ask(CHAT, {
      ...ofEdge(`"192.0.2.9";key="made-up-${client}"`),
      body: JSON.stringify({ messages: [] }),
    })
  for (let client = 0; client < 65; client++) await refuse(client)
  const inTheFirst = records.length
  await clock.advance(60_000)
  await refuse(65)
  expect([inTheFirst, records.length, events.length, events.at(-1)?.keyId]).toEqual([
    60,
    61,
    66,
    'worker/made-up-65',
  ])
})
