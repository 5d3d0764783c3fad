import type { GateError } from '../errors/gate-error.ts'
import type { ErrorAnswer } from './read-error-answer.ts'

/**
 * llama-server closes kept-alive connections after streams; llama-swap, or the gate in front of a bare llama-server,
 * then meets a dead connection. Such a failure comes at once. One that takes longer was real work.
 */
const AT_ONCE_MS = 1000

/** What is known when an attempt failed without an answer. */
export type FailedAttempt = {
  failure: 'reset' | 'empty-502'
  attempt: number
  /** How often the request may be sent. */
  most: number
  committed: boolean
  elapsedMs: number
}

/** The one safe retry, where there may be one: nothing sent to the client, and a failure that no model has caused. */
export function maySendAgain({ attempt, most, committed, elapsedMs }: FailedAttempt): boolean {
  return attempt < most && !committed && elapsedMs < AT_ONCE_MS
}

/** Closed at once, and nothing more to try: nobody is behind what took it, a tunnel without its other end for one. */
export function errorOfReset({ attempt, most, elapsedMs }: FailedAttempt): GateError {
  const isNobodyThere = attempt >= most && elapsedMs < AT_ONCE_MS
  return { kind: isNobodyThere ? 'upstream-unreachable' : 'upstream-broken' }
}

/** llama-swap's answer to a dead connection: 502 without a body and without a content type. */
export function isEmpty502({ status, headers, body }: ErrorAnswer): boolean {
  return status === 502 && body.length === 0 && !headers.some(([name]) => name === 'content-type')
}
