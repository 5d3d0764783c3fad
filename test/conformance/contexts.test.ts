import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
} from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { CREATED } from '../support/look-alike/completion.ts'
import { overflow } from '../support/look-alike/error-answers.ts'
import { sendRaw } from '../support/raw-http.ts'
import { textOf, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawJsonPost, rawRequest } from '../support/raw-http/raw-request.ts'
import { harnesses, KEYS, ROOMY } from './gates.ts'

const LOADED = 'gpt-oss-120b'
const IDLE = 'glm-4.7-flash'
/** Its list says 131072, which is wrong. */
const MISLISTED = 'qwen3-coder-next'
const SWAP_MS = 400
/** So long that also a busy machine has its list meanwhile. */
const SLOW_SWAP_MS = 5000
const UPSTREAM_KEY = 'internal-0123456789abcdef'

type Told = { tokens: number | undefined; source: string }

const TEXT = { input_modalities: ['text'], output_modalities: ['text'], modality: 'text->text' }

describe.each(harnesses)('on $name', (harness) => {
  const asksServers = harness.cannot['model-servers'] === undefined
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike({ swapMs: SWAP_MS })
  })
  beforeEach(async () => {
    gate = await startBefore(upstream)
  })
  afterEach(async () => {
    await gate.stop()
    upstream.reset()
  })
  afterAll(() => upstream.stop())

  function startBefore({ url }: LookAlike): Promise<Running> {
    return harness.start({
      ...ROOMY,
      upstream: { url, apiKey: UPSTREAM_KEY },
      contexts: { coder: 50_000 },
    })
  }

  async function list(
    key: string = KEYS.user,
  ): Promise<{ id: string; [field: string]: unknown }[]> {
    const headers = { Authorization: `Bearer ${key}` }
    const target = '/v1/models?limit=1000'
    const answer = await sendRaw(gate.url, rawRequest({ target, headers }), { withinMs: 2000 })
    return JSON.parse(textOf(answer)).data
  }

  async function told(id: string): Promise<Told> {
    const record = JSON.parse(JSON.stringify((await list()).find((listed) => listed.id === id)))
    return { tokens: record.context_length, source: record.meta.swapgate.context_source }
  }

  function chat(model: string): Promise<RawAnswer> {
    const headers = { Authorization: `Bearer ${KEYS.user}` }
    const request = rawJsonPost('/v1/chat/completions', { model, messages: [] }, headers)
    return sendRaw(gate.url, request, { withinMs: 4 * SLOW_SWAP_MS })
  }

  test('a model that runs is listed with what its server says, and the others with what is known', async () => {
    const truth: Told = asksServers
      ? { tokens: 32_768, source: 'props' }
      : { tokens: undefined, source: 'unknown' }
    await expect.poll(() => told(LOADED)).toEqual(truth)
    expect([await told(IDLE), await told(MISLISTED)]).toEqual([
      { tokens: undefined, source: 'unknown' },
      { tokens: 50_000, source: 'configured' },
    ])
    expect(new Set(upstream.servers.keys)).toEqual(new Set(asksServers ? [undefined] : []))
  })

  test('a key sees its model in the forms of OpenAI and Anthropic, with all that llama-swap says', async () => {
    await chat(IDLE)
    const use = { use: 'chat', reasoning: true }
    const known = {
      context_length: 65_536,
      max_model_len: 65_536,
      capabilities: { function_calling: true },
      supported_parameters: ['tools', 'tool_choice'],
    }
    const swapgate = asksServers
      ? {
          context_source: 'props',
          context_certainty: 'exact',
          context_why: 'the running model says so',
          ...use,
          slots: 4,
        }
      : {
          context_source: 'unknown',
          context_why: 'nobody has said it yet; it is learned when the model runs',
          ...use,
        }
    await expect
      .poll(() => list(KEYS.limited))
      .toEqual([
        {
          id: IDLE,
          object: 'model',
          created: CREATED,
          owned_by: 'llama-swap',
          type: 'model',
          display_name: IDLE,
          created_at: new Date(CREATED * 1000).toISOString(),
          ...(asksServers && known),
          architecture: TEXT,
          meta: {
            llamaswap: { type: 'model' },
            ...(asksServers && { n_ctx: 65_536 }),
            swapgate,
          },
          status: { value: 'loaded' },
        },
      ])
  })

  test('asking loads nothing, goes past llama-swap, and asks each server once in a while', async () => {
    for (let i = 0; i < 5; i++) await Promise.all([list(), list(), list(KEYS.limited)])
    const urls = new Set(upstream.requests.map(({ method, url }) => `${method} ${url}`))
    expect([upstream.loads(), urls, upstream.servers.asked]).toEqual([
      [],
      new Set(['GET /v1/models', 'GET /running']),
      asksServers ? [`GET /${LOADED}/props`] : [],
    ])
  })

  test('the list is there at once while a model loads, which is asked when it is ready', async () => {
    const slow = await startLookAlike({ swapMs: SLOW_SWAP_MS })
    onTestFinished(() => slow.stop())
    await gate.stop()
    gate = await startBefore(slow)
    let isLoaded = false
    const answered = chat(IDLE).finally(() => (isLoaded = true))
    await expect.poll(() => slow.loads()).toEqual([IDLE])
    const loading = await told(IDLE)
    const asked = slow.servers.asked.includes(`GET /${IDLE}/props`)
    expect([loading.source, isLoaded, asked]).toEqual(['unknown', false, false])
    await answered
    await expect
      .poll(() => told(IDLE))
      .toEqual(
        asksServers
          ? { tokens: 65_536, source: 'props' }
          : { tokens: undefined, source: 'unknown' },
      )
  })

  test('a request that was too long teaches, as long as the model is started with the same command', async () => {
    upstream.behave(overflow(70_000, 32_768))
    expect((await chat(LOADED)).status).toBe(400)
    const source = asksServers ? 'props' : 'overflow'
    await expect.poll(() => told(LOADED)).toEqual({ tokens: 32_768, source })
    upstream.servers.restart(LOADED, { flags: ' -c 4096', contextSize: 4096 })
    await expect
      .poll(() => told(LOADED))
      .toEqual(
        asksServers ? { tokens: 4096, source: 'props' } : { tokens: undefined, source: 'unknown' },
      )
  })
})
