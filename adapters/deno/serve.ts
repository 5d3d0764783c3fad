import type { Gate } from '../../src/app.ts'
import { readBody } from '../../src/body/read-body.ts'
import { openResponseClient } from '../../src/proxy/response-client.ts'
import type { Listening } from '../process/start-gate.ts'
import { systemClock } from '../process/system-clock.ts'

/**
 * Serves a gate with Deno.serve. It has no switch for TCP keep-alive, for which the heartbeats of a stream stand in, and
 * no time limit for a request's header: a proxy in front must have one.
 */
export async function serve(
  gate: Gate,
  { host, port }: { host: string; port: number },
): Promise<Listening> {
  let isStopping = false
  const server = Deno.serve(
    { hostname: host, port, onListen: () => {}, onError },
    async (request, { remoteAddr }) => {
      // Deno watches a client only from the first look at its signal on: later, one that has left would seem to be there.
      const { signal } = request
      const response = await gate.fetch(request, {
        clientAddress: remoteAddr.hostname,
        readBody: (maxBytes) => readBody(request, maxBytes, systemClock),
        openClient: () => openResponseClient(signal, systemClock),
      })
      return isStopping ? closing(response) : response
    },
  )
  const { hostname, port: bound } = server.addr
  return {
    url: `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${bound}`,
    async stop(graceMs) {
      isStopping = true
      // There is no way to cut what is left after that (aborting throws): the end of the process does it.
      const deadline = Promise.withResolvers<void>()
      const timer = setTimeout(deadline.resolve, graceMs)
      await Promise.race([server.shutdown(), deadline.promise])
      clearTimeout(timer)
    },
  }
}

/** Deno tells here, too, that a body broke off, which the gate has logged; the answer is then not used. */
function onError(error: unknown): Response {
  if (error !== undefined) console.error(error)
  return new Response(null, { status: 500 })
}

/** Told so, a client sends its next request elsewhere and not into a connection that is about to be closed. */
function closing(response: Response): Response {
  response.headers.set('connection', 'close')
  return response
}
