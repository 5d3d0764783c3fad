import { once } from 'node:events'
import { createServer } from 'node:http'
import { originOf } from '../../adapters/demo/server.ts'

/** The least of a llama-swap: a list of models, none of them loaded. */
export type ListingServer = { url: string; stop(): Promise<void> }

/** Starts a server that lists these models, each with a context that was written by hand. */
export async function startListing(
  models: readonly { id: string; name?: string; context_length?: number; meta?: object }[],
): Promise<ListingServer> {
  const data = models.map((model) => ({ object: 'model', created: 0, owned_by: 'x', ...model }))
  const answers: Record<string, unknown> = {
    '/v1/models': { object: 'list', data },
    '/running': { running: [] },
  }
  const server = createServer((request, response) => {
    const answer = answers[request.url ?? '']
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: originOf(server),
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
