import type { GateError } from '../errors/gate-error.ts'

/** The API family of a path: decides the shape of errors, heartbeats and error frames. */
export type Dialect = 'openai' | 'anthropic'

/** What one dialect says differently from the other. */
export type DialectVoice = {
  /** The JSON body of a refusal. */
  errorBody(error: GateError): string
  /** An error as one complete frame of an event stream that has already begun. */
  errorFrame(error: GateError): string
  /** A frame that clients ignore, to keep proxies and clients from giving up. */
  heartbeat: string
}
