import type { Gate } from '../../src/app.ts'
import { readBody } from '../../src/body/read-body.ts'
import type { BodyRead } from '../../src/deps.ts'
import { openResponseClient } from '../../src/proxy/response-client.ts'
import type { Listening, ServeOptions } from '../process/start-gate.ts'
import { systemClock } from '../process/system-clock.ts'

/** While a request is answered, time is the gate's: Bun would close the connection after some seconds of silence. */
const NO_IDLE_TIMEOUT = 0
/**
 * From an answer to the end of the next request's header, in seconds. Idle connections are kept longer than clients and
 * tunnels keep theirs, so that they close first and no request is lost.
 */
const KEEP_ALIVE_S = 76
/** For an answer that was broken off: an error in its body does not reach a client that does not read. */
const BROKEN_IDLE_S = 5

/**
 * Serves a gate with Bun.serve. It gives the header of a connection's first request 12 s, which nothing changes, and has no
 * switch for TCP keep-alive: the heartbeats of a stream stand in for it.
 */
export async function serve(
  gate: Gate,
  { host, port, timeouts }: ServeOptions,
): Promise<Listening> {
  let isStopping = false
  const server = Bun.serve({
    hostname: host,
    port,
    idleTimeout: KEEP_ALIVE_S,
    // The gate has its own limit and its own answer; Bun's would cut the connection.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: async (request, self) => {
      self.timeout(request, NO_IDLE_TIMEOUT)
      let isStreamed = false
      let read: BodyRead | undefined
      const response = await gate.fetch(request, {
        clientAddress: self.requestIP(request)?.address,
        async readBody(maxBytes) {
          const time = { clock: systemClock, withinMs: timeouts.requestBodyMs }
          return (read = await readBody(request, maxBytes, time))
        },
        openClient() {
          isStreamed = true
          return openResponseClient(request.signal, systemClock, (how) =>
            self.timeout(request, how === 'whole' ? KEEP_ALIVE_S : BROKEN_IDLE_S),
          )
        },
      })
      if (!isStreamed) self.timeout(request, KEEP_ALIVE_S)
      // The rest of a body that came too slowly would hold the connection.
      return isStopping || read === 'too-slow' ? closing(response) : response
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
