import { expect, test } from 'vitest'
import { jsonAnswer } from '../../support/fake-upstream.ts'
import { answerEverything, KEYS, openGate, post, type OpenGate } from './open-gate.ts'

const PROPS = JSON.stringify({ default_generation_settings: { n_ctx: 4096 }, total_slots: 2 })

/** What a list says of each model's context. */
async function contextsOf({ ask }: OpenGate): Promise<Record<string, [string, unknown]>> {
  const { data } = JSON.parse((await ask('/v1/models', { key: KEYS.user })).text)
  return Object.fromEntries(
    data.map((record: { id: string; context_length?: number; meta: { swapgate: object } }) => {
      const { context_source: source } = JSON.parse(JSON.stringify(record.meta.swapgate))
      return [record.id, [source, record.context_length]]
    }),
  )
}

test('the list has what the servers of running models say, by alias and id', async () => {
  const gate = await openGate(
    { contexts: { big: 9000 } },
    { askModelServer: () => Promise.resolve(PROPS) },
  )
  expect(await contextsOf(gate)).toEqual({
    'glm-4.7-flash': ['props', 4096],
    'gpt-oss-120b': ['configured', 9000],
    'cloud/x': ['unknown', undefined],
  })
})

test('a slow server delays the list by a quarter of a second, and the next one has what it said', async () => {
  const said = Promise.withResolvers<string>()
  const gate = await openGate({}, { askModelServer: () => said.promise })
  let isListed = false
  const first = contextsOf(gate).finally(() => (isListed = true))
  await gate.clock.advance(249)
  const before = isListed
  await gate.clock.advance(1)
  const listed = await first
  said.resolve(PROPS)
  await gate.clock.advance(0)
  const next = await contextsOf(gate)
  expect([before, listed['gpt-oss-120b'], next['gpt-oss-120b']]).toEqual([
    false,
    ['unknown', undefined],
    ['props', 4096],
  ])
})

test('llama-swap that does not say what runs still lists', async () => {
  const gate = await openGate()
  gate.upstream.onCall = (call) => {
    if (call.request.target === '/running') call.answer(jsonAnswer({ error: 'x' }, 500))
    else answerEverything(call)
  }
  expect(await contextsOf(gate)).toMatchObject({ 'glm-4.7-flash': ['listing', 32_768] })
})

test('many lists at a time are one question', async () => {
  const gate = await openGate()
  await Promise.all(Array.from({ length: 10 }, () => contextsOf(gate)))
  const asked = gate.upstream.calls.map(({ request }) => request.target).toSorted()
  expect(asked).toEqual(['/running', '/v1/models'])
})

test('a request that was too long teaches the list', async () => {
  const gate = await openGate()
  const error = {
    message: 'request (9000 tokens) exceeds the available context size (8192 tokens)',
    type: 'exceed_context_size_error',
    n_prompt_tokens: 9000,
    n_ctx: 8192,
  }
  gate.upstream.onCall = (call) => {
    if (call.request.method === 'POST') call.answer(jsonAnswer({ error }, 400))
    else answerEverything(call)
  }
  await gate.ask('/v1/chat/completions', post(KEYS.user, { model: 'big' }))
  expect(await contextsOf(gate)).toMatchObject({ 'gpt-oss-120b': ['overflow', 8192] })
})

test('a gate behind this one knows the contexts of its models itself', async () => {
  const record = {
    id: 'a',
    context_length: 1234,
    meta: { swapgate: { context_source: 'props', context_why: 'home', use: 'chat' } },
  }
  const other = { ...record, id: 'b' }
  const gate = await openGate({
    upstream: { kind: 'swapgate', apiKey: 'internal-0123456789abcdef' },
    contexts: { b: 5000 },
  })
  gate.upstream.onCall = (call) => void call.answer(jsonAnswer({ data: [record, other] }))
  const { data } = JSON.parse((await gate.ask('/v1/models', { key: KEYS.user })).text)
  expect({
    kept: data[0],
    own: [data[1].context_length, data[1].meta.swapgate.context_source],
    asked: gate.upstream.calls.map(({ request }) => request.target),
  }).toEqual({ kept: record, own: [5000, 'configured'], asked: ['/v1/models'] })
})
