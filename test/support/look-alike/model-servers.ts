import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { LOCAL_MODELS, props, type RunningState } from './catalogue.ts'

/** How a model was started, where that is not as usual. */
export type Started = { flags: string; contextSize: number }

/** The servers of the models, which llama-swap runs: on one port here, each below a path of its own. */
export type ModelServers = {
  /** No trailing slash. */
  url: string
  /** What was asked of them, in order: `GET /gpt-oss-120b/props`. */
  asked: string[]
  /** The keys that were shown to them, in the same order. */
  keys: (string | undefined)[]
  /** A model is started with other flags, and so with another context. */
  restart(model: string, started: Started): void
  /** What `GET /running` says of them. */
  states(running: readonly RunningState[]): RunningState[]
  reset(): void
  stop(): Promise<void>
}

/** Starts them on a free port of 127.0.0.1; only models that `running` says are ready answer. */
export async function startModelServers(
  running: () => readonly RunningState[],
): Promise<ModelServers> {
  const asked: string[] = []
  const keys: (string | undefined)[] = []
  const restarted = new Map<string, Started>()

  function answer(request: IncomingMessage, response: ServerResponse): void {
    asked.push(`${request.method} ${request.url}`)
    keys.push(request.headers.authorization)
    const model = LOCAL_MODELS.find(({ id }) => request.url === `/${id}/props`)
    const isReady = running().some(({ model: id, state }) => id === model?.id && state === 'ready')
    if (!model || !isReady) return void response.writeHead(model ? 503 : 404).end()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(props(model, restarted.get(model.id)?.contextSize)))
  }

  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    keys,
    restart: (model, started) => void restarted.set(model, started),
    states: (states) =>
      states.map((state) => ({ ...state, flags: restarted.get(state.model)?.flags ?? '' })),
    reset() {
      asked.length = 0
      keys.length = 0
      restarted.clear()
    },
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
