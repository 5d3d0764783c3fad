import type { HeaderPairs } from '../deps.ts'
import type { GateError } from '../errors/gate-error.ts'
import { readGateError, type PassedOn } from '../errors/read-gate-error.ts'
import { readUpstreamError } from '../errors/read-upstream-error.ts'
import type { Refusal } from '../errors/refusal.ts'
import { isPage, tunnelFault } from '../errors/tunnel-fault.ts'
import { valueOf } from './answer-head.ts'
import type { RelayPlan } from './relay-plan.ts'
import { returnedHeaders } from './rewrite.ts'

/** An error answer as it came, or `broken` in the middle of it. */
export type ErrorAnswer = { status: number; headers: HeaderPairs; body: Uint8Array | 'broken' }

/** What the client is told instead: an error of the gate, or upstream's own bytes. */
export type ReadAnswer = { error: GateError } | ({ answer: Refusal } & PassedOn)

/** Whether an answer is none: an error, a redirect, or a page where none belongs. */
export function isReadAsError(
  status: number,
  headers: HeaderPairs,
  errors: RelayPlan['errors'],
): boolean {
  // A 401 of upstream is about the gate's key: a browser would open its password box for it.
  if (errors === 'as-is') return status === 401
  if (status < 300 || status === 304) return isPage(valueOf(headers, 'content-type'))
  return true
}

const decoder = new TextDecoder()

/** Finds out what an answer means that is none: llama-swap's, another gate's, or of something on the way to it. */
export function readErrorAnswer(
  { status, headers, body: bytes }: ErrorAnswer,
  { dialect, model, errors }: Pick<RelayPlan, 'dialect' | 'model' | 'errors'>,
): ReadAnswer {
  if (bytes === 'broken') return { error: { kind: 'upstream-broken' } }
  const body = decoder.decode(bytes)
  const field = (name: string): string | undefined => valueOf(headers, name)
  const fault = tunnelFault({
    status,
    contentType: field('content-type'),
    location: field('location'),
    body,
  })
  if (fault) return { error: fault }
  // A gate always says something; Caddy and Tailscale without it do not.
  if (errors === 'passed-on' && status === 502 && bytes.length === 0)
    return { error: { kind: 'upstream-unreachable' } }
  if (status < 400) return { error: { kind: 'upstream-broken' } }
  const returned = returnedHeaders(headers)
  const shouldRetry = field('x-should-retry')
  const passed = errors === 'passed-on' && readGateError({ status, shouldRetry, body }, dialect)
  if (passed) return { answer: { status, headers: returned, body: bytes }, ...passed }
  const read = readUpstreamError({ status, retryAfter: field('retry-after'), body, model }, dialect)
  if (read.kind === 'error') return { error: read.error }
  const answer = { status, headers: [...returned, FINAL], body: bytes }
  return { answer, reason: 'context-overflow', frame: undefined }
}

const FINAL = ['x-should-retry', 'false'] as const
