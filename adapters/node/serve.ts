import { once } from 'node:events'
import { createServer, IncomingMessage, ServerResponse, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { getRequestListener, type Http2Bindings, type HttpBindings } from '@hono/node-server'
import type { Gate } from '../../src/app.ts'
import type { BodyTime } from '../../src/body/body-time.ts'
import type { HeaderPairs, HostBindings } from '../../src/deps.ts'
import type { Listening, ServeOptions } from '../process/start-gate.ts'
import { systemClock } from '../process/system-clock.ts'
import { openOutgoing } from './client-end.ts'
import { readIncoming } from './read-incoming.ts'

/** Idle connections are kept longer than clients and tunnels keep theirs, so that they close first and no request is lost. */
const KEEP_ALIVE_MS = 75_000
/** Probes find out that a client has vanished without a word; noDelay lets each frame leave at once. */
const SOCKETS = { keepAlive: true, keepAliveInitialDelay: 30_000, noDelay: true }
/** How exactly the time for a header is kept. */
const LOOK_EVERY_MS = 500
/** The gate ends a slow body itself; node:http, which would not say why, comes after it. */
const SPARE_MS = 10_000
/** How often connections that went idle during a drain are closed. */
const SWEEP_MS = 250

/** Serves a gate with node:http. */
export async function serve(
  gate: Gate,
  { host, port, timeouts }: ServeOptions,
): Promise<Listening> {
  const { requestHeadersMs, requestBodyMs } = timeouts
  const time = { clock: systemClock, withinMs: requestBodyMs }
  const answer = getRequestListener((request, env) => gate.fetch(request, bindingsFor(env, time)))
  const times = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: requestHeadersMs,
    requestTimeout: requestHeadersMs + requestBodyMs + SPARE_MS,
    connectionsCheckingInterval: LOOK_EVERY_MS,
  }
  const server = createServer(
    { ...SOCKETS, ...times },
    (incoming, outgoing) => void answer(incoming, outgoing),
  )
  const connections = connectionsOf(server)
  server.listen(port, host)
  await once(server, 'listening')
  return { url: urlOf(server), stop: (graceMs) => stop(server, connections, graceMs) }
}

/** The open connections with the last answer on each; undefined where no request has come yet. */
type Connections = Map<Socket, ServerResponse | undefined>

function connectionsOf(server: Server): Connections {
  const connections: Connections = new Map()
  server.on('connection', (socket) => {
    connections.set(socket, undefined)
    socket.once('close', () => connections.delete(socket))
  })
  server.prependListener('request', ({ socket }, outgoing) => connections.set(socket, outgoing))
  return connections
}

function bindingsFor(
  { incoming, outgoing }: HttpBindings | Http2Bindings,
  time: BodyTime,
): HostBindings {
  if (!(incoming instanceof IncomingMessage) || !(outgoing instanceof ServerResponse))
    throw new TypeError('expected an HTTP/1 exchange')
  return {
    clientAddress: incoming.socket.remoteAddress,
    rawTarget: incoming.url,
    headers: () => headersOf(incoming.rawHeaders),
    readBody: (maxBytes) => readIncoming(incoming, maxBytes, time),
    // Hono answers HEAD with a copy of the Response to GET; what is already written would be answered a second time.
    openClient: incoming.method === 'HEAD' ? undefined : () => openOutgoing(outgoing),
  }
}

function headersOf(raw: string[]): HeaderPairs {
  const pairs: Array<[string, string]> = []
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i]!.toLowerCase(), raw[i + 1]!])
  return pairs
}

function urlOf(server: Server): string {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address')
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}

async function stop(server: Server, connections: Connections, graceMs: number): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  // Told so, a client sends its next request elsewhere and not into a connection that is about to be closed.
  for (const outgoing of connections.values()) if (outgoing) outgoing.shouldKeepAlive = false
  server.prependListener('request', (_incoming, outgoing) => {
    outgoing.shouldKeepAlive = false
  })
  const sweep = setInterval(() => {
    // A kept-alive connection whose answer ends now would stay open for the whole keep-alive time.
    server.closeIdleConnections()
    // A browser opens connections before it needs them. node:http takes them for busy.
    for (const [socket, used] of connections) if (!used) socket.destroy()
  }, SWEEP_MS)
  const deadline = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearInterval(sweep)
  clearTimeout(deadline)
  // The server is closed a moment before its connections tell what became of their answers.
  await Promise.all(
    [...connections.keys()].map(
      (socket) => new Promise((resolve) => socket.once('close', resolve)),
    ),
  )
}
