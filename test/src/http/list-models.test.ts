import { describe, expect, test } from 'vitest'
import { jsonAnswer, type WholeAnswer } from '../../support/fake-upstream.ts'
import { codeOf, KEYS, openGate, RUNNING } from './open-gate.ts'

const idsIn = (text: string): unknown => JSON.parse(text).data.map(({ id }: { id: string }) => id)

const ARCHITECTURE = {
  input_modalities: ['text'],
  output_modalities: ['text'],
  modality: 'text->text',
}
const WITHOUT_TIME = { created: 0, created_at: '1970-01-01T00:00:00.000Z' }
/** Both sound like models that think. */
const CHAT = { use: 'chat', reasoning: true }

/** What the gate makes of the records of llama-swap's list. */
const RECORDS = [
  {
    id: 'glm-4.7-flash',
    object: 'model',
    owned_by: 'llama-swap',
    ...WITHOUT_TIME,
    type: 'model',
    display_name: 'glm-4.7-flash',
    context_length: 32768,
    max_model_len: 32768,
    architecture: ARCHITECTURE,
    meta: {
      n_ctx: 32768,
      swapgate: {
        context_source: 'listing',
        context_certainty: 'estimate',
        context_why: "llama-swap's list says so, where it was written by hand",
        ...CHAT,
      },
    },
  },
  {
    id: 'gpt-oss-120b',
    object: 'model',
    owned_by: 'llama-swap',
    ...WITHOUT_TIME,
    type: 'model',
    display_name: 'gpt-oss-120b',
    architecture: ARCHITECTURE,
    meta: {
      llamaswap: { aliases: ['big'] },
      swapgate: {
        context_source: 'unknown',
        context_why: 'nobody has said it yet; it is learned when the model runs',
        ...CHAT,
      },
    },
  },
  {
    id: 'cloud/x',
    object: 'model',
    owned_by: 'llama-swap',
    ...WITHOUT_TIME,
    type: 'model',
    display_name: 'cloud/x',
    architecture: ARCHITECTURE,
    meta: {
      llamaswap: { type: 'peer', peerID: 'cloud' },
      swapgate: {
        context_source: 'unknown',
        context_why: 'the model runs on another machine',
        use: 'chat',
        reasoning: false,
      },
    },
  },
]

describe.each(['/v1/models', '/models'])('GET %s', (path) => {
  test('gives a key for all models llama-swap’s records, with what the gate knows of them', async () => {
    const { ask, upstream } = await openGate()
    const answer = await ask(path, { key: KEYS.user })
    expect({
      status: answer.status,
      body: JSON.parse(answer.text),
      type: answer.headers['content-type'],
      cache: answer.headers['cache-control'],
    }).toEqual({
      status: 200,
      body: {
        object: 'list',
        data: RECORDS,
        has_more: false,
        first_id: 'glm-4.7-flash',
        last_id: 'cloud/x',
      },
      type: 'application/json',
      cache: 'no-store',
    })
    expect(upstream.calls.map(({ request }) => request.target)).toEqual(['/running', '/v1/models'])
  })

  test('gives another key what it may use, and nothing of the rest', async () => {
    const { ask } = await openGate()
    const answer = await ask(path, { key: KEYS.limited })
    expect(JSON.parse(answer.text)).toEqual({
      object: 'list',
      data: [RECORDS[0]],
      has_more: false,
      first_id: 'glm-4.7-flash',
      last_id: 'glm-4.7-flash',
    })
    expect(answer.text).not.toContain('gpt-oss')
  })

  test('gives a key without any model an empty list', async () => {
    const { ask } = await openGate({ keys: [{ id: 'k', secret: KEYS.user, models: ['other'] }] })
    expect(JSON.parse((await ask(path, { key: KEYS.user })).text)).toEqual({
      object: 'list',
      data: [],
      has_more: false,
      first_id: null,
      last_id: null,
    })
  })

  test('gives HEAD the same without its content', async () => {
    const { ask } = await openGate()
    const answer = await ask(path, { key: KEYS.user, method: 'HEAD' })
    expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([
      200,
      '',
      'application/json',
    ])
  })

  test('asks each time: a model that was added is there at once', async () => {
    const { ask, upstream } = await openGate()
    await ask(path, { key: KEYS.user })
    upstream.onCall = (call) =>
      void call.answer(jsonAnswer({ object: 'list', data: [{ id: 'new' }] }))
    expect(idsIn((await ask(path, { key: KEYS.user })).text)).toEqual(['new'])
  })

  test.each<[string, string[], string[]]>([
    ['an id', ['gpt-oss-120b'], ['gpt-oss-120b']],
    ['an alias', ['big'], ['gpt-oss-120b']],
    [
      'a pattern',
      ['*o*'],
      ['glm-4.7-flash', 'gpt-oss-120b', 'cloud/x'].filter((id) => id.includes('o')),
    ],
    ['a peer', ['cloud/*'], ['cloud/x']],
    ['nothing that exists', ['other'], []],
  ])('shows a key with %s exactly that', async (_, models, ids) => {
    const { ask } = await openGate({ keys: [{ id: 'k', secret: KEYS.user, models }] })
    expect(idsIn((await ask(path, { key: KEYS.user })).text)).toEqual(ids)
  })

  test.each<[string, WholeAnswer, number, string]>([
    ['is no listing', jsonAnswer({ models: [] }), 502, 'upstream_misconfigured'],
    ['is no JSON', { headers: [], body: 'oops' }, 502, 'upstream_misconfigured'],
    ['is an error', jsonAnswer({ error: 'x' }, 500), 502, 'upstream_failed'],
    ['refuses the gate’s key', jsonAnswer({ error: 'x' }, 401), 502, 'upstream_key_refused'],
    ['forbids it', jsonAnswer({ error: 'x' }, 403), 502, 'upstream_key_refused'],
    ['redirects', { status: 307, headers: [['location', '/']] }, 502, 'upstream_misconfigured'],
  ])('is a refusal when upstream’s answer %s', async (...row) => {
    const [, whole, status, code] = row
    const { ask, upstream } = await openGate()
    upstream.onCall = (call) => void call.answer(whole)
    const answer = await ask(path, { key: KEYS.user })
    expect([answer.status, codeOf(answer)]).toEqual([status, code])
  })

  test.each([
    ['unreachable', 503, 'upstream_unavailable'],
    ['reset', 503, 'upstream_unavailable'],
  ] as const)('is a refusal when upstream is %s', async (failure, status, code) => {
    const { ask, upstream } = await openGate()
    upstream.onCall = (call) => void call.failure(failure)
    const answer = await ask(path, { key: KEYS.user })
    expect([answer.status, codeOf(answer)]).toEqual([status, code])
  })

  test('is a 504 when upstream says nothing for ten seconds, and upstream is left', async () => {
    const { ask, upstream, clock } = await openGate()
    upstream.onCall = undefined
    const asking = ask(path, { key: KEYS.user })
    await clock.advance(10_000)
    const answer = await asking
    expect([answer.status, codeOf(answer), upstream.last.aborts, clock.pending()]).toEqual([
      504,
      'upstream_timeout',
      1,
      0,
    ])
  })

  test('leaves no timer behind', async () => {
    const { ask, clock } = await openGate()
    await ask(path, { key: KEYS.user })
    expect(clock.pending()).toBe(0)
  })
})

describe('GET /running', () => {
  test('shows a status key what is loaded of its models, without commands, ports and keys', async () => {
    const { ask } = await openGate()
    const answer = await ask('/running', { key: KEYS.status })
    expect([answer.status, answer.headers['cache-control'], JSON.parse(answer.text)]).toEqual([
      200,
      'no-store',
      {
        running: [
          { model: 'glm-4.7-flash', state: 'ready', ttl: 0, name: 'GLM', description: 'd' },
        ],
      },
    ])
  })

  test('shows a status key for all models all of them', async () => {
    const { ask } = await openGate({ keys: [{ id: 'k', secret: KEYS.status, scopes: ['status'] }] })
    const answer = await ask('/running', { key: KEYS.status })
    expect(JSON.parse(answer.text).running.map(({ model }: { model: string }) => model)).toEqual([
      'glm-4.7-flash',
      'gpt-oss-120b',
    ])
    expect(answer.text).not.toMatch(/cmd|proxy|llama-server|127\.0\.0\.1/)
  })

  test('keeps a field that is new in llama-swap to itself', async () => {
    const { ask, upstream } = await openGate({
      keys: [{ id: 'k', secret: KEYS.status, scopes: ['status'] }],
    })
    upstream.onCall = (call) =>
      void call.answer(
        jsonAnswer({ running: [{ model: 'a', state: 'ready', env: ['TOKEN=x'] }], host: 'box' }),
      )
    expect((await ask('/running', { key: KEYS.status })).text).toBe(
      '{"running":[{"model":"a","state":"ready"}]}',
    )
  })

  test('gives an admin llama-swap’s own answer', async () => {
    const { ask } = await openGate()
    expect(JSON.parse((await ask('/running', { key: KEYS.admin })).text)).toEqual(RUNNING)
  })

  test.each<[string, WholeAnswer, string]>([
    ['has no list', jsonAnswer({ running: {} }), 'upstream_misconfigured'],
    ['is no JSON', { body: 'oops' }, 'upstream_misconfigured'],
    ['refuses the gate’s key', jsonAnswer({}, 401), 'upstream_key_refused'],
  ])('is a refusal when upstream’s answer %s', async (_, whole, code) => {
    const { ask, upstream } = await openGate()
    upstream.onCall = (call) => void call.answer(whole)
    const answer = await ask('/running', { key: KEYS.status })
    expect([answer.status, codeOf(answer)]).toEqual([502, code])
  })

  test('shows nothing of an entry that names no model', async () => {
    const { ask, upstream } = await openGate({
      keys: [{ id: 'k', secret: KEYS.status, scopes: ['status'], models: ['a'] }],
    })
    upstream.onCall = (call) =>
      void call.answer(
        jsonAnswer({
          running: [null, 1, {}, { state: 'ready' }, { model: 'a' }],
          data: [{ id: 'a' }],
        }),
      )
    expect(JSON.parse((await ask('/running', { key: KEYS.status })).text)).toEqual({
      running: [{ model: 'a' }],
    })
  })
})
