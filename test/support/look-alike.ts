import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Behaviour } from './look-alike/behaviour.ts'
import { LOCAL_MODELS } from './look-alike/catalogue.ts'
import { Exchange, GateGone } from './look-alike/exchange.ts'
import { perform } from './look-alike/perform.ts'
import type { RecordedRequest } from './look-alike/recorded-request.ts'
import { startModelServers, type ModelServers } from './look-alike/model-servers.ts'
import type { Box, Routed } from './look-alike/route.ts'
import { route, runningIn } from './look-alike/route.ts'
import { SwapSchedule, type Swapping } from './look-alike/swapping.ts'

/** A llama-swap with llama-servers behind it, in the test's hands. */
export type LookAlike = {
  /** No trailing slash. */
  url: string
  /** The models' own servers, past llama-swap. */
  servers: ModelServers
  /** Every request in the order in which its body was complete, or its upload broken off. */
  requests: RecordedRequest[]
  /** The next requests to inference paths get these, one each; then the usual answer again. */
  behave(...behaviours: Behaviour[]): void
  /** The same for one decoded path, inference or not, before the common queue. */
  behaveAt(path: string, ...behaviours: Behaviour[]): void
  /** Lets every held answer (`silence`, `never-headers`, `endless`, open admin streams) go on. */
  release(): void
  /** How many answers are held. */
  held(): number
  /** The resident model's id, or undefined after an unload. */
  loaded(): string | undefined
  /** The models that were loaded since the last reset, in order; only where swaps take time. */
  loads(): readonly string[]
  /** The most requests to models that were under way at a time, since the last reset. */
  peak(): number
  /** Closes connections on which no request is under way, as a server does after a while. */
  closeIdle(): void
  /** Forgets requests and queues, drops whatever is under way, and loads the first model again. */
  reset(): void
  /** The first request, past or to come, of which the predicate becomes true. */
  waitFor(
    predicate: (request: RecordedRequest) => boolean,
    withinMs?: number,
  ): Promise<RecordedRequest>
  /** Stops listening and drops every connection. */
  stop(): Promise<void>
}

/** Header sizes up to Go's default limit are accepted. */
const MAX_HEADER_BYTES = 1024 * 1024

/** Long enough for what happens at once, on a machine that is busy with other things. */
const SOON_MS = 10_000

const FIRST_LOADED = LOCAL_MODELS[0]?.id

/**
 * Starts a look-alike on a free port of 127.0.0.1.
 *
 * @param swapping has requests wait for their model as llama-swap does; without it every model is there at once
 */
export async function startLookAlike(swapping?: Swapping): Promise<LookAlike> {
  const requests: RecordedRequest[] = []
  const queue: Behaviour[] = []
  const queues = new Map<string, Behaviour[]>()
  const open = new Set<Exchange>()
  const schedule = swapping && new SwapSchedule(swapping)
  schedule?.reset(FIRST_LOADED)
  const loading: Omit<Box, 'servers'> = { loaded: FIRST_LOADED, schedule }
  const servers = await startModelServers(() => runningIn(loading))
  const box: Box = Object.assign(loading, { servers })
  const underWay = new Set<Exchange>()
  let peak = 0

  function nextBehaviour(routed: Routed): Behaviour {
    const forPath = queues.get(routed.path)?.shift()
    return forPath ?? (routed.inference ? queue.shift() : undefined) ?? { kind: 'normal' }
  }

  async function converse(exchange: Exchange): Promise<void> {
    const whole = await exchange.readBody()
    const routed = await route(exchange.record, box)
    // Dropped by a reset: it belongs to the test before.
    if (exchange.record.state === 'finished') return
    requests.push(exchange.record)
    if (!whole) return
    const behaviour = nextBehaviour(routed)
    if (routed.inference) countUnderWay(exchange)
    const leave = routed.needs && (await schedule?.enter(routed.needs, exchange.over))
    if (leave) exchange.over.addEventListener('abort', leave)
    const usual = await routed.answer(behaviour.kind === 'normal' ? behaviour.tokens : undefined)
    const chosen: Behaviour =
      routed.staysOpen && behaviour.kind === 'normal'
        ? { kind: 'silence', frames: usual.pieces.length }
        : behaviour
    await perform(chosen.kind, { exchange, behaviour: chosen, usual })
  }

  function countUnderWay(exchange: Exchange): void {
    underWay.add(exchange)
    exchange.over.addEventListener('abort', () => underWay.delete(exchange))
    peak = Math.max(peak, underWay.size)
  }

  const server = listenFor((incoming, response, connection) => {
    const exchange = new Exchange(incoming, response, connection)
    open.add(exchange)
    exchange.over.addEventListener('abort', () => open.delete(exchange))
    converse(exchange).catch((error: unknown) => {
      if (!(error instanceof GateGone)) throw error
    })
  })
  const url = await listen(server)

  function forget(): void {
    for (const exchange of open) exchange.reset()
    requests.length = 0
    queue.length = 0
    queues.clear()
    box.loaded = FIRST_LOADED
    schedule?.reset(FIRST_LOADED)
    servers.reset()
    peak = 0
  }

  return {
    url,
    servers,
    requests,
    behave: (...behaviours) => void queue.push(...behaviours),
    behaveAt(path, ...behaviours) {
      queues.set(path, [...(queues.get(path) ?? []), ...behaviours])
    },
    release() {
      for (const exchange of open) exchange.release()
    },
    held: () => [...open].filter((exchange) => exchange.isHeld).length,
    loaded: () => box.loaded,
    loads: () => schedule?.loads ?? [],
    peak: () => peak,
    closeIdle: () => server.closeIdleConnections(),
    reset: forget,
    waitFor: (predicate, withinMs = SOON_MS) => waitFor(requests, predicate, withinMs),
    async stop() {
      const closed = once(server, 'close')
      server.close()
      forget()
      server.closeAllConnections()
      await Promise.all([closed, servers.stop()])
    },
  }
}

/** A server without time-outs, like llama-swap's, that numbers its connections. */
function listenFor(
  onRequest: (incoming: IncomingMessage, response: ServerResponse, connection: number) => void,
): Server {
  const numbers = new WeakMap<Socket, number>()
  let connections = 0
  const options = { keepAliveTimeout: 0, requestTimeout: 0, maxHeaderSize: MAX_HEADER_BYTES }
  const server = createServer({ ...options, headersTimeout: 0 }, (incoming, response) => {
    onRequest(incoming, response, numbers.get(incoming.socket) ?? 0)
  })
  return server.on('connection', (socket) => {
    connections++
    numbers.set(socket, connections)
    // A reset by the gate is an expected event here; the exchange sees the close.
    socket.on('error', () => {})
  })
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port')
  return `http://127.0.0.1:${address.port}`
}

/** Looks again and again, since a predicate may ask about what changes later (`state`, bytes). */
async function waitFor(
  requests: readonly RecordedRequest[],
  predicate: (request: RecordedRequest) => boolean,
  withinMs: number,
): Promise<RecordedRequest> {
  const until = performance.now() + withinMs
  for (;;) {
    const found = requests.find(predicate)
    if (found !== undefined) return found
    if (performance.now() > until) {
      const seen = requests.map((r) => `${r.method} ${r.url} (${r.state})`)
      throw new Error(`no such request within ${withinMs} ms; seen: ${seen.join(', ') || 'none'}`)
    }
    await sleep(3)
  }
}
