import { describe, expect, test, vi } from 'vitest'
import { startDemo, stopTime, type RunningDemo } from './start-demo.ts'

// At this pace the answer would take minutes, and no other model could be loaded meanwhile.
const slow = { tokensPerSecond: 50 }
const messages = [{ role: 'user', content: 'write 20000 words' }]
/** Long enough for what happens at once, on a machine that is busy with other things. */
const SOON = { timeout: 10_000 }

/** Longer than anything else in these tests: it passes only when a test says so. */
const LOAD_MS = 60_000

async function expectFreeFor(demo: RunningDemo, model: string): Promise<void> {
  const response = await demo.post('/v1/embeddings', { model, input: 'x' })
  expect(response.status).toBe(200)
}

function waitForLog(demo: RunningDemo, line: RegExp): Promise<void> {
  return vi.waitFor(async () => expect(await (await demo.get('/logs')).text()).toMatch(line), SOON)
}

function waitForModel(demo: RunningDemo, state: string): Promise<void> {
  return vi.waitFor(async () => expect(await demo.running()).toEqual([state]), SOON)
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
    await waitForLog(demo, /<qwen3-coder-next> \d{1,4} of 20000 tokens generated/)
  })

  test('stops the generation of a whole answer', async () => {
    const demo = await startDemo(slow)
    const client = new AbortController()
    const answer = demo.post('/v1/chat/completions', { model: 'coder', messages }, client.signal)
    await waitForModel(demo, 'qwen3-coder-next ready')

    client.abort()

    await expect(answer).rejects.toThrow('abort')
    await expectFreeFor(demo, 'glm-4.7-flash')
    await waitForLog(demo, /POST \/v1\/chat\/completions client gone/)
    await waitForLog(demo, /<qwen3-coder-next> \d{1,4} of 20000 tokens generated/)
  })

  test('leaves the queue while its model loads, and the load goes on', async () => {
    stopTime()
    const demo = await startDemo({ ...slow, loadMs: LOAD_MS })
    const client = new AbortController()
    const answer = demo.post('/v1/chat/completions', { model: 'coder', messages }, client.signal)
    await waitForModel(demo, 'qwen3-coder-next starting')

    client.abort()

    await expect(answer).rejects.toThrow('abort')
    expect(await demo.running()).toEqual(['qwen3-coder-next starting'])
    vi.advanceTimersByTime(LOAD_MS)
    expect(await demo.running()).toEqual(['qwen3-coder-next ready'])
    const free = expectFreeFor(demo, 'glm-4.7-flash')
    await waitForModel(demo, 'glm-4.7-flash starting')
    vi.advanceTimersByTime(LOAD_MS)
    await free
    expect(await (await demo.get('/logs')).text()).not.toContain('tokens generated')
  })
})
