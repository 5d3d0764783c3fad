import { expect, test } from 'vitest'
import { mask, startDemo } from './start-demo.ts'

test('lists the three models as llama-swap does, with names, aliases, context and state', async () => {
  const demo = await startDemo()
  await demo.post('/v1/embeddings', { model: 'glm-4.7-flash', input: 'warm up' })

  const response = await demo.get('/v1/models')

  expect(response.status).toBe(200)
  expect(mask(await response.json())).toEqual({
    object: 'list',
    data: [
      {
        id: 'glm-4.7-flash',
        object: 'model',
        created: 0,
        owned_by: 'llama-swap',
        name: 'GLM 4.7 Flash (General)',
        context_length: 131_072,
        meta: { llamaswap: { type: 'model' }, n_ctx: 131_072 },
        status: { value: 'loaded' },
      },
      {
        id: 'gpt-oss-120b',
        object: 'model',
        created: 0,
        owned_by: 'llama-swap',
        name: 'GPT-OSS 120B (Reasoning)',
        context_length: 98_304,
        meta: { llamaswap: { type: 'model' }, n_ctx: 98_304 },
        status: { value: 'unloaded' },
      },
      {
        id: 'qwen3-coder-next',
        object: 'model',
        created: 0,
        owned_by: 'llama-swap',
        name: 'Qwen3 Coder Next (Coding)',
        context_length: 131_072,
        meta: { llamaswap: { aliases: ['coder'], type: 'model' }, n_ctx: 131_072 },
        status: { value: 'unloaded' },
      },
    ],
  })
})

test('shows nothing running at first and the resident model with its command afterwards', async () => {
  const demo = await startDemo()
  const before: unknown = await (await demo.get('/running')).json()

  await demo.post('/v1/embeddings', { model: 'coder', input: 'warm up' })
  const after: unknown = await (await demo.get('/running')).json()

  expect(before).toEqual({ running: [] })
  expect(after).toEqual({
    running: [
      {
        model: 'qwen3-coder-next',
        state: 'ready',
        cmd: 'llama-server --port 5802 -m qwen3-coder-next.gguf -c 131072 -np 4 -kvu',
        proxy: `${demo.url}/servers/qwen3-coder-next`,
        ttl: 0,
        name: 'Qwen3 Coder Next (Coding)',
        description: '',
      },
    ],
  })
})

test('describes a model under every address of its props', async () => {
  const demo = await startDemo()
  const expected = {
    default_generation_settings: { n_ctx: 98_304 },
    total_slots: 4,
    model_alias: 'gpt-oss-120b',
    model_path: 'gpt-oss-120b.gguf',
    modalities: { vision: false, video: false, audio: false },
    chat_template_caps: { supports_tools: true, supports_tool_calls: true },
    build_info: 'demo',
  }

  const byQuery: unknown = await (await demo.get('/props?model=gpt-oss-120b')).json()
  const byPath: unknown = await (await demo.get('/upstream/gpt-oss-120b/props')).json()

  expect([byQuery, byPath]).toEqual([expected, expected])
})

test('the server of a model describes it while it is ready, and is not started for it', async () => {
  const demo = await startDemo()
  const asked = '/servers/gpt-oss-120b/props'
  const before = await demo.get(asked)
  const loaded: unknown = await (await demo.get('/running')).json()
  const byQuery: unknown = await (await demo.get('/props?model=gpt-oss-120b')).json()
  const ready = await demo.get(asked)
  expect([before.status, loaded, ready.status, await ready.json()]).toEqual([
    503,
    { running: [] },
    200,
    byQuery,
  ])
})

test('answers health, logs and a page for people', async () => {
  const demo = await startDemo()

  const health = await demo.get('/health')
  const ui = await demo.get('/ui/')
  const root = await demo.get('/')

  expect([health.status, await health.text()]).toEqual([200, 'OK'])
  expect([ui.status, ui.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect(await ui.text()).toContain('stands in for llama-swap')
  expect([root.status, root.headers.get('location')]).toEqual([302, '/ui'])
  expect(await (await demo.get('/logs')).text()).toBe(
    '[INFO] GET /health 200\n[INFO] GET /ui/ 200\n[INFO] GET / 302\n',
  )
})
