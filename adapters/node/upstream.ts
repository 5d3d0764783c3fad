import { Pool, type Dispatcher } from 'undici'
import type {
  HeaderPairs,
  OutboundRequest,
  Upstream,
  UpstreamCall,
  UpstreamEvents,
} from '../../src/deps.ts'
import { withoutSlash } from '../../src/config/without-slash.ts'
import { guardedEvents } from '../../src/proxy/guarded-events.ts'

/**
 * Upstream over undici's dispatcher: Node's `fetch` costs five times as much per request, and gives up after 300 s of
 * silence, which a model load or a long prompt easily takes. Deadlines are the relay's.
 *
 * @param onBug is told an exception that an exchange's own events threw
 */
export function createUndiciUpstream(
  url: string,
  onBug: (error: unknown) => void = () => {},
): Upstream {
  const { origin, pathname } = new URL(url)
  const prefix = withoutSlash(pathname)
  const pool = new Pool(origin, { headersTimeout: 0, bodyTimeout: 0, pipelining: 1 })
  return {
    send(request, events) {
      const guarded = guardedEvents(events, { bug: onBug, abort: () => call.abort() })
      const call = new UndiciCall(guarded)
      pool.dispatch(optionsFor(request, prefix), call)
      return call
    },
  }
}

function optionsFor(request: OutboundRequest, prefix: string): Dispatcher.DispatchOptions {
  return {
    method: request.method,
    path: prefix + request.target,
    headers: request.headers.flat(),
    body: request.body ?? null,
  }
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
])

class UndiciCall implements UpstreamCall, Dispatcher.DispatchHandler {
  readonly #events: UpstreamEvents
  #controller: Dispatcher.DispatchController | undefined
  // Set when the exchange is over for us: what undici still tells is nobody's business.
  #over = false

  constructor(events: UpstreamEvents) {
    this.#events = events
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    this.#controller?.resume()
  }

  abort(): void {
    if (this.#over) return
    this.#over = true
    this.#controller?.abort(new Error('The exchange is over.'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // Left while the connection was being made: nothing has been sent yet, and nothing will be.
    if (this.#over) controller.abort(new Error('The exchange is over.'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // Informational answers (RFC 9110 §15.2) come before the real one.
    if (this.#over || status < 200) return
    this.#events.head(status, pairsOf(headers))
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over) this.#events.chunk(chunk)
  }

  onResponseEnd(): void {
    if (this.#over) return
    this.#over = true
    this.#events.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return
    this.#over = true
    this.#events.failure(isUnreachable(error) ? 'unreachable' : 'reset', causeOf(error))
  }
}

function pairsOf(headers: Record<string, string | string[] | undefined>): HeaderPairs {
  const pairs: Array<[string, string]> = []
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') pairs.push([name, value])
    else for (const one of value ?? []) pairs.push([name, one])
  }
  return pairs
}

/** Nothing was sent: the connection could not be made. Several addresses of one name fail together. */
function isUnreachable(error: Error): boolean {
  if (error instanceof AggregateError)
    return error.errors.every((one) => one instanceof Error && isUnreachable(one))
  return 'code' in error && UNREACHABLE.has(String(error.code))
}

function causeOf(error: Error): string {
  const [first] = error instanceof AggregateError ? error.errors : []
  if (first instanceof Error) return causeOf(first)
  return 'code' in error ? String(error.code) : error.message
}
