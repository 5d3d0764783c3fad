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
  committed: boolean
  elapsedMs: number
}

/** The one safe retry: the first attempt, nothing sent to the client, and a failure that no model has caused. */
export function maySendAgain({ attempt, committed, elapsedMs }: FailedAttempt): boolean {
  return attempt === 1 && !committed && elapsedMs < AT_ONCE_MS
}

/** Two connections that were closed at once: nobody is behind what took them, a tunnel without its other end for one. */
export function errorOfReset({ attempt, elapsedMs }: FailedAttempt): GateError {
  const isNobodyThere = attempt > 1 && elapsedMs < AT_ONCE_MS
  return { kind: isNobodyThere ? 'upstream-unreachable' : 'upstream-broken' }
}

/** llama-swap's answer to a dead connection: 502 without a body and without a content type. */
export function isEmpty502({ status, headers, body }: ErrorAnswer): boolean {
  return status === 502 && body.length === 0 && !headers.some(([name]) => name === 'content-type')
}
