import type {
  HeaderPairs,
  OutboundRequest,
  Upstream,
  UpstreamCall,
  UpstreamEvents,
} from '../deps.ts'
import { guardedEvents } from './guarded-events.ts'

/** The runtime's `fetch`, given from outside because each runtime has its own switches for it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/**
 * Upstream over `fetch`, for the runtimes where that is the fast way.
 *
 * @param origin scheme, host and port of llama-swap, with an optional path prefix and no trailing slash
 * @param onBug is told an exception that an exchange's own events threw
 */
export function createFetchUpstream(
  origin: string,
  fetch: Fetch,
  onBug: (error: unknown) => void = () => {},
): Upstream {
  return {
    send(request, events) {
      const guarded = guardedEvents(events, { bug: onBug, abort: () => call.abort() })
      const call = new FetchCall(fetch, guarded, { origin, request })
      return call
    },
  }
}

class FetchCall implements UpstreamCall {
  readonly #abort = new AbortController()
  readonly #events: UpstreamEvents
  // While set, the client reads too slowly and no further chunk is asked for.
  #waiting: PromiseWithResolvers<void> | undefined
  #over = false

  constructor(
    fetch: Fetch,
    events: UpstreamEvents,
    to: { origin: string; request: OutboundRequest },
  ) {
    this.#events = events
    void this.#run(fetch, to.origin, to.request)
  }

  pause(): void {
    this.#waiting ??= Promise.withResolvers()
  }

  resume(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  abort(): void {
    if (this.#over) return
    this.#over = true
    this.resume()
    // An Error, not a string: a bare string as reason would be thrown as it is.
    this.#abort.abort(new DOMException('The exchange is over.', 'AbortError'))
  }

  async #run(fetch: Fetch, origin: string, request: OutboundRequest): Promise<void> {
    let answered = false
    try {
      const response = await fetch(origin + request.target, initFor(request, this.#abort.signal))
      if (this.#over) return
      if (response.status < 200) return this.#lose()
      answered = true
      this.#events.head(response.status, headersOf(response))
      await this.#read(response)
    } catch (error) {
      if (this.#over) return
      this.#over = true
      // Where the runtime has given up waiting but not asking.
      this.#abort.abort()
      const failure = !answered && isUnreachable(error) ? 'unreachable' : 'reset'
      this.#events.failure(failure, wordsOf(error))
    }
  }

  /** workerd takes an interim answer (RFC 9110 §15.2) for the final one, which then never comes. */
  #lose(): void {
    this.abort()
    this.#events.failure('reset')
  }

  async #read(response: Response): Promise<void> {
    const reader = response.body?.getReader()
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
      if (this.#over) return
      this.#events.chunk(next.value)
      if (this.#waiting) await this.#waiting.promise
    }
    if (this.#over) return
    this.#over = true
    this.#events.end()
  }
}

function initFor(request: OutboundRequest, signal: AbortSignal): RequestInit {
  return {
    method: request.method,
    headers: request.headers.map(([name, value]): [string, string] => [name, value]),
    // llama-swap redirects unclean paths to other routes: a redirect is an answer, not an order.
    redirect: 'manual',
    signal,
    // workerd refuses a body on GET and HEAD, even an empty one.
    ...(request.body && { body: request.body }),
  }
}

/** Every runtime decodes a compressed body and leaves the fields that describe the compressed one. */
function headersOf(response: Response): HeaderPairs {
  const pairs = [...response.headers]
  if (!response.headers.has('content-encoding')) return pairs
  return pairs.filter(([name]) => name !== 'content-encoding' && name !== 'content-length')
}

// Bun puts a code on the error, Node on its cause; workerd only says it in words.
const UNREACHABLE =
  /ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ETIMEDOUT|CONNECT_TIMEOUT|ConnectionRefused|FailedToOpenSocket|internal error/i

function isUnreachable(error: unknown): boolean {
  return UNREACHABLE.test(wordsOf(error))
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const cause = error.cause instanceof Error ? `${error.cause.message} ${codeOf(error.cause)}` : ''
  return `${codeOf(error)} ${error.message} ${cause}`.trim()
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : ''
}
