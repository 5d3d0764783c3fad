import type { Gate } from '../../src/app.ts'
import type { Listening } from '../process/start-gate.ts'

/** Bun closes a connection after 10 s of silence unless told otherwise; 0 leaves time to the gate. */
const NO_IDLE_TIMEOUT = 0

/** Serves a gate with Bun.serve. */
export async function serve(
  gate: Gate,
  { host, port }: { host: string; port: number },
): Promise<Listening> {
  const server = Bun.serve({
    hostname: host,
    port,
    idleTimeout: NO_IDLE_TIMEOUT,
    // The gate has its own limit and its own answer; Bun's would cut the connection.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: (request, self) =>
      gate.fetch(request, { clientAddress: self.requestIP(request)?.address }),
  })
  return {
    url: server.url.origin,
    async stop(graceMs) {
      const deadline = setTimeout(() => void server.stop(true), graceMs)
      await server.stop()
      clearTimeout(deadline)
    },
  }
}
