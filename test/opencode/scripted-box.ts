import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { readChatCall, type ChatCall } from './chat-call.ts'
import { send, type Reply } from './reply.ts'

/** What the box answers to a request of OpenCode. */
export type Script = (call: ChatCall) => Reply

export type ScriptedBox = {
  /** Without a slash at the end. */
  url: string
  /** Every chat request in the order of arrival. */
  calls: readonly ChatCall[]
  /** The most chat requests that were under way at a time. */
  peak: () => number
  stop: () => Promise<void>
}

/** A model of the box; `listing` stands in its record of `/v1/models`. */
export type BoxModel = { id: string; cmd: string; listing?: Record<string, unknown> }

/** A llama-swap in which every model is loaded, and whose chat answers the test writes. */
export async function startScriptedBox(
  models: readonly BoxModel[],
  script: Script,
): Promise<ScriptedBox> {
  const calls: ChatCall[] = []
  let underWay = 0
  let peak = 0

  async function chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const read = readChatCall(await text(request), request.headers)
    const same = calls.filter(
      (call) => call.kind === read.kind && call.sessionId === read.sessionId,
    )
    const call = { ...read, nth: same.length + 1 }
    calls.push(call)
    peak = Math.max(peak, ++underWay)
    await send(response, call.kind === 'title' ? { kind: 'text', text: 'A title' } : script(call))
    underWay--
  }

  const server = createServer((request, response) => {
    const path = request.url ?? ''
    if (path === '/v1/chat/completions') {
      chat(request, response).catch((cause: unknown) => response.destroy(new Error(String(cause))))
      return
    }
    answer(response, { '/v1/models': listing(models), '/running': running(models) }[path])
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    calls,
    peak: () => peak,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function answer(response: ServerResponse, body: object | undefined): void {
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body ?? { error: 'not found' }))
}

function listing(models: readonly BoxModel[]): object {
  const data = models.map((model) => ({
    id: model.id,
    object: 'model',
    created: 1_790_000_000,
    owned_by: 'llama-swap',
    meta: { llamaswap: { type: 'model' } },
    status: { value: 'loaded' },
    ...model.listing,
  }))
  return { object: 'list', data }
}

function running(models: readonly BoxModel[]): object {
  const records = models.map(({ id, cmd }) => ({
    model: id,
    state: 'ready',
    cmd,
    proxy: 'http://127.0.0.1:1',
    ttl: 0,
    name: '',
    description: '',
  }))
  return { running: records }
}
