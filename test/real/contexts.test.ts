import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { harnesses } from '../conformance/gates.ts'
import type { Running } from '../harness.ts'
import { postJson } from './client.ts'
import { startLlamaServer, type LlamaServer } from './llama-server.ts'

const MODEL = 'gpt-oss-120b'
const KEY = 'sk-user-0123456789abcdef0123456789'
const AUTHORIZATION = { authorization: `Bearer ${KEY}` }
/** What one of two slots has of 1000 tokens, rounded up by the server. */
const CONTEXT = 512

/** What llama-swap says and passes on, in front of one model that may run or not. */
type Front = { url: string; asked: string[]; isRunning: boolean; stop(): Promise<void> }

async function startFront(model: LlamaServer, path: string): Promise<Front> {
  const front = { asked: [] as string[], isRunning: false }
  const cmd = `llama-server --port ${new URL(model.url).port} -m ${path} -c 1000 -np 2`
  const server: Server = createServer((request, response) => {
    const body: Buffer[] = []
    request.on('data', (piece: Buffer) => body.push(piece))
    request.on('end', () => {
      front.asked.push(`${request.method} ${request.url}`)
      const answer = (value: object): void => void response.end(JSON.stringify(value))
      response.setHeader('content-type', 'application/json')
      const running = [{ model: MODEL, state: 'ready', cmd, proxy: model.url }]
      if (request.url === '/v1/models') return answer({ object: 'list', data: [{ id: MODEL }] })
      if (request.url === '/running') return answer({ running: front.isRunning ? running : [] })
      void passOn(Buffer.concat(body).toString())
    })
    async function passOn(text: string): Promise<void> {
      const told = await fetch(model.url + request.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: text,
      })
      response.writeHead(told.status, { 'content-type': told.headers.get('content-type') ?? '' })
      response.end(await told.text())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address')
  return Object.assign(front, {
    url: `http://127.0.0.1:${address.port}`,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}

type Listed = { context_length?: number; meta: { swapgate: { context_source: string } } }

async function contextAt(gate: Running): Promise<[tokens: number | undefined, source: string]> {
  const answer = await fetch(`${gate.url}/v1/models`, { headers: AUTHORIZATION })
  const { data }: { data: [Listed] } = JSON.parse(await answer.text())
  return [data[0].context_length, data[0].meta.swapgate.context_source]
}

async function post(gate: Running, path: string, length: number): Promise<string> {
  const messages = [{ role: 'user', content: 'x'.repeat(length) }]
  const answer = await postJson(
    gate.url + path,
    { model: MODEL, max_tokens: 8, messages },
    { headers: AUTHORIZATION },
  )
  return `${answer.status} ${await answer.text()}`
}

describe.each(harnesses)('the context of a real llama-server, on $name', (harness) => {
  const asksServers = harness.cannot['model-servers'] === undefined
  let model: LlamaServer
  let front: Front
  let gate: Running
  beforeAll(async () => {
    model = await startLlamaServer({
      model: MODEL,
      contextSize: 1000,
      parallel: 2,
      script: { ballastMegabytes: 0 },
    })
    const { model_path: path } = await model.props()
    front = await startFront(model, String(path))
    gate = await harness.start({
      upstream: { url: front.url, configFile: './none.yaml' },
      keys: [{ id: 'user', secret: KEY }],
      usage: { file: null },
    })
  })
  afterAll(async () => {
    await gate?.stop()
    await front?.stop()
    await model?.stop()
  })

  test('is unknown before it runs, and then what it says itself', async () => {
    expect(await contextAt(gate)).toEqual([undefined, 'unknown'])
    front.isRunning = true
    const { default_generation_settings: settings } = await model.props()
    expect(settings.n_ctx).toBe(CONTEXT)
    await expect
      .poll(() => contextAt(gate), { timeout: 10_000 })
      .toEqual(asksServers ? [CONTEXT, 'props'] : [undefined, 'unknown'])
    // Never through llama-swap, where a question is use.
    expect(new Set(front.asked)).toEqual(new Set(['GET /v1/models', 'GET /running']))
  })

  test('is what it says when a request is too long, and its words go on unchanged', async () => {
    const told = await post(gate, '/v1/chat/completions', 2000)
    expect(told).toMatch(
      /^400 \{"error":\{"code":400,"message":"request \(\d+ tokens\) exceeds the available context size \(512 tokens\), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":\d+,"n_ctx":512\}\}$/,
    )
    expect(await post(gate, '/v1/messages', 2000)).toMatch(
      /^400 .*"message":"prompt is too long: \d+ tokens > 512 maximum"/,
    )
    expect(await contextAt(gate)).toEqual([CONTEXT, 'overflow'])
  })
})
