import { describe, expect, test, vi } from 'vitest'
import { startDemo, type RunningDemo } from './start-demo.ts'

// At this pace the answer would take minutes, and no other model could be loaded meanwhile.
const slow = { tokensPerSecond: 50 }
const messages = [{ role: 'user', content: 'write 20000 words' }]

async function expectFreeFor(demo: RunningDemo, model: string): Promise<void> {
  const begun = performance.now()
  const response = await demo.post('/v1/embeddings', { model, input: 'x' })
  expect(response.status).toBe(200)
  expect(performance.now() - begun).toBeLessThan(1000)
}

async function waitForLog(demo: RunningDemo, line: RegExp): Promise<void> {
  await vi.waitFor(async () => expect(await (await demo.get('/logs')).text()).toMatch(line))
}

describe('a client that goes away', () => {
  test.each([
    ['/v1/chat/completions', { messages }],
    ['/v1/messages', { messages }],
    ['/v1/responses', { input: 'write 20000 words' }],
  ])('stops the generation of its stream on %s', async (path, body) => {
    const demo = await startDemo(slow)
    const client = new AbortController()
    const request = { model: 'coder', stream: true, ...body }
    const response = await demo.post(path, request, client.signal)
    const reader = response.body!.getReader()
    await reader.read()

    client.abort()

    await expect(reader.read()).rejects.toThrow('abort')
    await expectFreeFor(demo, 'glm-4.7-flash')
    await waitForLog(demo, /<qwen3-coder-next> \d+ of 20000 tokens generated/)
  })

  test('stops the generation of a whole answer', async () => {
    const demo = await startDemo(slow)
    const client = new AbortController()
    const answer = demo.post('/v1/chat/completions', { model: 'coder', messages }, client.signal)
    setTimeout(() => client.abort(), 100)

    await expect(answer).rejects.toThrow('abort')

    await expectFreeFor(demo, 'glm-4.7-flash')
    await waitForLog(demo, /POST \/v1\/chat\/completions client gone/)
    await waitForLog(demo, /<qwen3-coder-next> \d{1,2} of 20000 tokens generated/)
  })

  test('leaves the queue while its model loads, and the load goes on', async () => {
    const demo = await startDemo({ ...slow, loadMs: 400 })
    const client = new AbortController()
    const answer = demo.post('/v1/chat/completions', { model: 'coder', messages }, client.signal)
    setTimeout(() => client.abort(), 50)

    await expect(answer).rejects.toThrow('abort')

    expect(await demo.running()).toEqual(['qwen3-coder-next starting'])
    await vi.waitFor(async () => expect(await demo.running()).toEqual(['qwen3-coder-next ready']))
    await expectFreeFor(demo, 'glm-4.7-flash')
    expect(await (await demo.get('/logs')).text()).not.toContain('tokens generated')
  })
})
