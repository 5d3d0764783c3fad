import type { Dialect } from '../dialects/dialect.ts'
import { wordsOf } from './said-by.ts'

/** How an error of another gate goes on to the client: as it is, or as a frame of a stream that has already begun. */
export type PassedOn = {
  /** What the gate behind calls it. */
  mark: string
  reason: 'context-overflow' | 'upstream-refused'
  /** undefined where a retry, or the true status, would tell the client more than a frame. */
  frame: string | undefined
}

/** A client cannot see these in a stream: they are known by status 400 and their words. */
const OVERFLOW = /^prompt is too long/

/** The kind of an error; anything else stands for two of them, or for nobody that is a gate. */
const MARK = /^[a-z-]{1,64}$/

const ABOUT_KEY = new Set([401, 403, 407])

/**
 * Reads an error answer of the gate behind this one. Its status, words and retry fields are what the client needs.
 *
 * @param answer its fields `x-should-retry` and `swapgate-error`, and its body
 * @returns undefined for what is no error of a gate, and for what is about this gate's own key
 */
export function readGateError(
  answer: {
    status: number
    shouldRetry: string | undefined
    mark: string | undefined
    body: string
  },
  dialect: Dialect,
): PassedOn | undefined {
  const { status, shouldRetry, mark, body } = answer
  const words = wordsOf(body)
  if (!words || mark === undefined || !MARK.test(mark)) return undefined
  if (status < 400 || ABOUT_KEY.has(status)) return undefined
  if (words.type === 'exceed_context_size_error' || OVERFLOW.test(words.message))
    return { mark, reason: 'context-overflow', frame: undefined }
  const isFinal = status < 500 ? status !== 429 : shouldRetry === 'false'
  const data = `data: ${body.replaceAll(/[\r\n]+/g, ' ').trim()}\n\n`
  const frame = dialect === 'anthropic' ? `event: error\n${data}` : data
  return { mark, reason: 'upstream-refused', frame: isFinal ? frame : undefined }
}
