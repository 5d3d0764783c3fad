import { voiceOf } from '../dialects/dialect-of.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { HeaderPairs } from '../deps.ts'
import { headersOf, statusOf, type GateError } from './gate-error.ts'

/** The field by which a gate in front knows an error of a gate from that of anybody on the way: its kind. */
export const ERROR_MARK = 'swapgate-error'

/** A refusal as it leaves the gate. */
export type Refusal = { status: number; headers: HeaderPairs; body: Uint8Array }

const encoder = new TextEncoder()

/** The one place where a refusal becomes status, headers and bytes, in the dialect of the path. */
export function refusalOf(error: GateError, dialect: Dialect): Refusal {
  const body = encoder.encode(voiceOf(dialect).errorBody(error))
  const headers: HeaderPairs = [
    ['content-type', 'application/json'],
    ['content-length', String(body.length)],
    ['cache-control', 'no-store'],
    [ERROR_MARK, error.kind],
    ...Object.entries(headersOf(error)),
  ]
  return { status: statusOf(error), headers, body }
}
