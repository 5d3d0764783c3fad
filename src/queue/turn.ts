import type { GateError } from '../errors/gate-error.ts'

/** A request's place in front of upstream. */
export type Turn = {
  /** Calls one of the two once, maybe at once: the request may be sent now, or never will be. */
  wait(on: { granted(): void; refused(error: GateError): void }): void
  /** Upstream has begun to answer, so the model is loaded. */
  answered(): void
  /** Whether the model of a request that was sent is loaded, as far as that is known. */
  hasModel(): boolean
  /** The request is over, or its client has gone: the place is free. `tokens` were computed. */
  leave(tokens: number): void
}

/** Where there is no queue every request is sent at once. */
export const FREE_TURN: Turn = {
  wait: (on) => on.granted(),
  answered() {},
  hasModel: () => true,
  leave() {},
}
