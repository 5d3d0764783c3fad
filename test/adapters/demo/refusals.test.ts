import { describe, expect, test } from 'vitest'
import { startDemo } from './start-demo.ts'

const tooLong = 'x'.repeat(98_304 * 4)

async function statusAndBody(response: Response): Promise<[number, string]> {
  return [response.status, await response.text()]
}

describe('a prompt over the context', () => {
  test.each([
    ['/v1/chat/completions', { messages: [{ role: 'user', content: tooLong }] }, 98_312],
    ['/v1/messages', { messages: [{ role: 'user', content: tooLong }] }, 98_312],
    ['/v1/responses', { input: tooLong, stream: true }, 98_304],
    ['/v1/completions', { prompt: tooLong, stream: true }, 98_304],
  ])('gets the overflow of llama-server on %s', async (path, body, tokens) => {
    const demo = await startDemo()

    const response = await demo.post(path, { model: 'gpt-oss-120b', ...body })

    expect(response.headers.get('connection')).toBe('close')
    expect(await statusAndBody(response)).toEqual([
      400,
      `{"error":{"code":400,"message":"request (${tokens} tokens) exceeds the available context ` +
        `size (98304 tokens), try increasing it","type":"exceed_context_size_error",` +
        `"n_prompt_tokens":${tokens},"n_ctx":98304}}`,
    ])
  })

  test('does not count a picture by its bytes', async () => {
    const demo = await startDemo()
    const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${tooLong}` } }
    const messages = [{ role: 'user', content: [picture, { type: 'text', text: 'what is it' }] }]

    const response = await demo.post('/v1/chat/completions', { model: 'gpt-oss-120b', messages })

    expect(response.status).toBe(200)
  })
})

describe('a model that llama-swap cannot find', () => {
  const unknown =
    '{"src":"llama-swap","error":{"message":"no router for requested model",' +
    '"type":"invalid_request_error","param":null,"code":"not_found"}}'
  const missing =
    '{"src":"llama-swap","error":{"message":"no model id could be identified",' +
    '"type":"invalid_request_error","param":null,"code":"not_found"}}'

  test.each([
    ['an unknown name', { model: 'gpt-5' }, unknown],
    ['a number', { model: 5 }, unknown],
    ['no name', {}, missing],
    ['an empty name', { model: '' }, missing],
    ['no object', ['coder'], missing],
  ])('is refused: %s', async (_, body, expected) => {
    const demo = await startDemo()

    const response = await demo.post('/v1/chat/completions', body)

    expect(await statusAndBody(response)).toEqual([404, expected])
  })

  test('is not looked for in a body that is not called JSON', async () => {
    const demo = await startDemo()

    const response = await fetch(`${demo.url}/v1/messages`, {
      method: 'POST',
      body: '{"model":"coder"}',
    })

    expect(await statusAndBody(response)).toEqual([404, missing])
  })
})

test.each([
  [
    '/v1/chat/completions',
    { code: 400, message: "'messages' is required", type: 'invalid_request_error' },
  ],
  ['/v1/messages', { code: 500, message: "'messages' is required", type: 'server_error' }],
  [
    '/v1/messages/count_tokens',
    { code: 500, message: "'messages' is required", type: 'server_error' },
  ],
  ['/v1/responses', { code: 400, message: "'input' is required", type: 'invalid_request_error' }],
  [
    '/v1/embeddings',
    { code: 400, message: '"input" or "content" must be provided', type: 'invalid_request_error' },
  ],
])('%s without a prompt gets the complaint of llama-server', async (path, error) => {
  const demo = await startDemo()

  const response = await demo.post(path, { model: 'coder' })

  expect([response.status, await response.json()]).toEqual([error.code, { error }])
})

test('unknown paths and wrong methods are answered in plain text, as by a Go router', async () => {
  const demo = await startDemo()

  const unknown = await demo.get('/v1/models/')
  const wrong = await demo.post('/v1/models', {})

  expect(await statusAndBody(unknown)).toEqual([404, '404 page not found\n'])
  expect(wrong.headers.get('allow')).toBe('GET, HEAD')
  expect(await statusAndBody(wrong)).toEqual([405, 'Method Not Allowed\n'])
})
