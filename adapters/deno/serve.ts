import type { Gate } from '../../src/app.ts'
import type { Listening } from '../process/start-gate.ts'

/** Serves a gate with Deno.serve. */
export async function serve(
  gate: Gate,
  { host, port }: { host: string; port: number },
): Promise<Listening> {
  const server = Deno.serve(
    { hostname: host, port, onListen: () => {}, onError },
    (request, { remoteAddr }) => gate.fetch(request, { clientAddress: remoteAddr.hostname }),
  )
  const { hostname, port: bound } = server.addr
  return {
    url: `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${bound}`,
    async stop(graceMs) {
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
