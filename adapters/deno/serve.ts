import type { Gate } from '../../src/app.ts'
import type { Listening } from '../process/start-gate.ts'

/** Serves a gate with Deno.serve. */
export async function serve(
  gate: Gate,
  { host, port }: { host: string; port: number },
): Promise<Listening> {
  const now = new AbortController()
  const server = Deno.serve(
    { hostname: host, port, signal: now.signal, onListen: () => {} },
    (request, { remoteAddr }) => gate.fetch(request, { clientAddress: remoteAddr.hostname }),
  )
  const { hostname, port: bound } = server.addr
  return {
    url: `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${bound}`,
    async stop(graceMs) {
      const deadline = setTimeout(() => now.abort(), graceMs)
      await server.shutdown()
      clearTimeout(deadline)
    },
  }
}
