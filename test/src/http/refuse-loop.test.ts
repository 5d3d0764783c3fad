import { expect, test } from 'vitest'
import { answerEverything, codeOf, KEYS, openGate, post, type Asked } from './open-gate.ts'

const CHAT = '/v1/chat/completions'
const GATES = ['11111111', '22222222', '33333333', '44444444'].map((id) => `1.1 swapgate-${id}`)

function through(count: number): Asked {
  return { key: KEYS.user, headers: { via: GATES.slice(0, count).join(', ') } }
}

async function ownEntry(gate: Awaited<ReturnType<typeof openGate>>): Promise<string> {
  await gate.ask('/v1/models', { key: KEYS.user })
  return gate.upstream.lastHeaders['via']!
}

test.each<[string, Asked]>([
  ['/v1/models', { key: KEYS.user }],
  [CHAT, post(KEYS.user, { model: 'a' })],
  // Before anything is asked about the key: whoever comes round again has the gate's own.
  ['/running', {}],
])('a request to %s that this gate has sent is refused', async (path, asked) => {
  const gate = await openGate()
  const via = await ownEntry(gate)
  gate.upstream.calls.length = 0
  gate.events.length = 0
  const answer = await gate.ask(path, {
    ...asked,
    headers: { 'content-type': 'application/json', via: `1.1 tunnel, ${via}` },
  })
  expect({
    status: answer.status,
    code: codeOf(answer),
    retry: answer.headers['x-should-retry'],
    calls: gate.upstream.calls.length,
    events: gate.events.map(({ status, outcome, reason, keyId }) => ({
      status,
      outcome,
      reason,
      keyId,
    })),
  }).toEqual({
    status: 508,
    code: 'loop_detected',
    retry: 'false',
    calls: 0,
    events: [{ status: 508, outcome: 'refused', reason: 'loop', keyId: undefined }],
  })
})

test('a request that came through four gates is refused, through three it is not', async () => {
  const { ask, upstream } = await openGate()
  const answers = [await ask('/v1/models', through(4)), await ask('/v1/models', through(3))]
  const asked = upstream.calls.map(({ request }) => request.target)
  expect([answers.map(({ status }) => status), asked]).toEqual([
    [508, 200],
    ['/running', '/v1/models'],
  ])
})

test('the gates that a request came through stand before this one, and no other proxy does', async () => {
  const gate = await openGate()
  const own = await ownEntry(gate)
  await gate.ask(CHAT, {
    ...post(KEYS.user, { model: 'a' }),
    headers: { 'content-type': 'application/json', via: `1.1 office.example, ${GATES[0]}, 2 cdn` },
  })
  expect(gate.upstream.lastHeaders['via']).toBe(`${GATES[0]}, ${own}`)
})

test('two gates have two names', async () => {
  const names = [await ownEntry(await openGate()), await ownEntry(await openGate())]
  expect(new Set(names).size).toBe(2)
})

test.each(['/health', '/', '/api/hello'])(
  '%s asks nothing of anybody and is answered',
  async (path) => {
    const { ask } = await openGate()
    expect((await ask(path, { headers: { via: GATES.join(', ') } })).status).toBe(200)
  },
)

test.each<[string, string, Asked]>([
  ['a list of models', '/v1/models', { key: KEYS.user }],
  ['what is loaded', '/running', { key: KEYS.status }],
  ['a model of a limited key', CHAT, post(KEYS.limited, { model: 'new' })],
  ['a model that nobody knows', CHAT, post(KEYS.user, { model: 'new' })],
])('what the gate asks itself for %s goes the way of the request', async (...row) => {
  const [, path, asked] = row
  const gate = await openGate()
  const own = await ownEntry(gate)
  await gate.clock.advance(60_000)
  gate.upstream.calls.length = 0
  await gate.ask(path, {
    ...asked,
    headers: { ...Object(asked.headers), via: `1.1 office.example, ${GATES[0]}` },
  })
  const vias = gate.upstream.calls.map(({ request }) => new Map(request.headers).get('via'))
  expect([vias.length > 0, new Set(vias)]).toEqual([true, new Set([`${GATES[0]}, ${own}`])])
})

test('what the queue asks has no request, and names this gate alone', async () => {
  const gate = await openGate({ queue: {} })
  const own = await ownEntry(gate)
  gate.upstream.onCall = (call) => {
    if (call.request.method === 'GET') answerEverything(call)
  }
  for (const model of ['glm-4.7-flash', 'gpt-oss-120b'])
    void gate.ask(CHAT, {
      ...post(KEYS.user, { model }),
      headers: { 'content-type': 'application/json', via: GATES[0]! },
    })
  await gate.clock.advance(10_000)
  const looks = gate.upstream.calls.filter(({ request }) => request.target === '/running')
  expect([
    looks.length > 0,
    new Set(looks.map(({ request }) => new Map(request.headers).get('via'))),
  ]).toEqual([true, new Set([own])])
})
