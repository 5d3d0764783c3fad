import type { Gate } from '../../src/app.ts'
import { readBody } from '../../src/body/read-body.ts'
import { openResponseClient } from '../../src/proxy/response-client.ts'
import type { Listening } from '../process/start-gate.ts'
import { systemClock } from '../process/system-clock.ts'

/** Bun closes a connection after 10 s of silence unless told otherwise; 0 leaves time to the gate. */
const NO_IDLE_TIMEOUT = 0
/** For an answer that was broken off: an error in its body does not reach a client that does not read. */
const BROKEN_IDLE_S = 5

/** Serves a gate with Bun.serve, which has no switch for TCP keep-alive: the heartbeats of a stream stand in for it. */
export async function serve(
  gate: Gate,
  { host, port }: { host: string; port: number },
): Promise<Listening> {
  let isStopping = false
  const server = Bun.serve({
    hostname: host,
    port,
    idleTimeout: NO_IDLE_TIMEOUT,
    // The gate has its own limit and its own answer; Bun's would cut the connection.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: async (request, self) => {
      const response = await gate.fetch(request, {
        clientAddress: self.requestIP(request)?.address,
        readBody: (maxBytes) => readBody(request, maxBytes, systemClock),
        openClient: () =>
          openResponseClient(request.signal, systemClock, () =>
            self.timeout(request, BROKEN_IDLE_S),
          ),
      })
      return isStopping ? closing(response) : response
    },
  })
  return {
    url: server.url.origin,
    async stop(graceMs) {
      isStopping = true
      const deadline = setTimeout(() => void server.stop(true), graceMs)
      await server.stop()
      clearTimeout(deadline)
    },
  }
}

/** Told so, a client sends its next request elsewhere and not into a connection that is about to be closed. */
function closing(response: Response): Response {
  response.headers.set('connection', 'close')
  return response
}
