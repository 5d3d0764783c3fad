import type { GateConfig } from './config/schema.ts'
import type { LimitStore } from './limit/limit-store.ts'
import type { ModelConfig } from './llama-swap/model-config.ts'
import type { RequestEvent } from './log/request-event.ts'
import type { UsageStore } from './usage/usage-store.ts'

/** Header fields in the order of the wire; names in lower case, one pair per field line. */
export type HeaderPairs = ReadonlyArray<readonly [name: string, value: string]>

/** What the gate sends to llama-swap: built from scratch, never the client's request passed on. */
export type OutboundRequest = {
  method: string
  /** Origin-form request target (RFC 9112 §3.2.1): the canonical path and the rebuilt query. */
  target: string
  headers: HeaderPairs
  body: Uint8Array<ArrayBuffer> | undefined
}

/** Why an exchange with upstream ended without a whole answer. */
export type UpstreamFailure = 'unreachable' | 'reset'

/**
 * What upstream does, told as it happens, from within `send` at the earliest. After `end`, `failure` or an abort nothing
 * more is told.
 */
export type UpstreamEvents = {
  head(status: number, headers: HeaderPairs): void
  chunk(bytes: Uint8Array): void
  end(): void
  /** `cause` is for the owner's eyes: the system's word for it, where there is one. */
  failure(failure: UpstreamFailure, cause?: string): void
}

/** A running exchange with upstream. `abort` closes it so that llama-swap sees the client leave. */
export type UpstreamCall = { pause(): void; resume(): void; abort(): void }

/** Carries one request to llama-swap and reports the answer piece by piece, with backpressure. */
export type Upstream = { send(request: OutboundRequest, events: UpstreamEvents): UpstreamCall }

/** The client's end of one exchange: where the answer is written, and how a leaving client is seen. */
export type ClientEnd = {
  /** The client has left, maybe before `listen`: nothing needs to be asked of upstream for it. */
  readonly isGone: boolean
  /** Commits the answer: status and headers are on their way and cannot change. */
  head(status: number, headers: HeaderPairs): void
  /** Returns false when the client reads too slowly; the next `drained` says when to go on. */
  write(bytes: Uint8Array): boolean
  end(): void
  /** Ends the connection so that the client sees a failure, after what was written has left. */
  break(): void
  /** `gone` is called once if the client leaves before `end` or `break`. */
  listen(on: { drained(): void; gone(): void }): void
}

/** A client end together with the value that the runtime wants back from its handler. */
export type OpenedClient = { client: ClientEnd; response: Promise<Response> }

/** Time as the gate sees it, so that tests own it. */
export type Clock = {
  /** Milliseconds since the epoch; may jump. */
  now(): number
  /** Calls `run` once after `ms`; the returned function cancels it. */
  setTimer(ms: number, run: () => void): () => void
}

/** Receives one structured event per finished request, and the few events of the gate itself. */
export type Logger = {
  request(event: RequestEvent): void
  /** A bug: an exception that nobody expected. */
  failure(requestId: string, error: unknown): void
}

/** Tells what stands in llama-swap's own configuration file; undefined where none is readable. */
export type ModelConfigSource = { read(): Promise<ModelConfig | undefined> }

/**
 * Asks a running model's own server for its description, past llama-swap: through llama-swap the question would count as
 * use, keep the model loaded and take a place.
 *
 * @param server base URL of the server, as `GET /running` names it
 * @param wantsKey whether it was started with a key: only then is one shown to it, and not before it asks for one
 * @returns the text of its `/props`; undefined where it does not answer
 */
export type AskModelServer = (server: string, wantsKey: boolean) => Promise<string | undefined>

/** SHA-256 (FIPS 180-4) of UTF-8 text as lower-case hex; a port because the fast way differs by runtime. */
export type Sha256 = (text: string) => string | Promise<string>

/** Everything that the gate needs from outside; given once per process to `createApp`. */
export type Deps = {
  config: GateConfig
  upstream: Upstream
  clock: Clock
  logger: Logger
  sha256: Sha256
  modelConfig: ModelConfigSource
  /** Missing where no server of the box can be reached, as on Workers. */
  askModelServer?: AskModelServer | undefined
  limits: LimitStore
  usage: UsageStore
}

/** The body of a request, or why there is none: all of these are answers, not errors. */
export type BodyRead = Uint8Array<ArrayBuffer> | 'too-large' | 'too-slow' | 'aborted'

/** What only the host knows of one request; travels as Hono's bindings. */
export type HostBindings = {
  /** Address of the socket's peer, without port. */
  clientAddress?: string | undefined
  /** The request target as it stood on the wire, where the runtime still has it. */
  rawTarget?: string | undefined
  /** The request's header fields, where the runtime has them cheaper than `Headers` does. */
  headers?: (() => HeaderPairs) | undefined
  /** Reads the request body, at most `maxBytes` of it, within the time that the host was given for it. */
  readBody?: ((maxBytes: number) => Promise<BodyRead>) | undefined
  /** Opens the client's end where the runtime can write to the connection itself. */
  openClient?: (() => OpenedClient) | undefined
}
