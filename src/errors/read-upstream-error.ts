import type { Dialect } from '../dialects/dialect.ts'
import type { GateError } from './gate-error.ts'
import { overflowIn, saidBy, saysLoadFailed, type Overflow, type Said } from './said-by.ts'

/** An error answer of upstream, whole. */
export type UpstreamAnswer = {
  status: number
  retryAfter: string | undefined
  body: string
  /** The model that the client asked for, for the one text of unknown models. */
  model: string | undefined
}

/** `as-is`: the bytes go to the client unchanged. `overflow`: the prompt was too long for the model. */
export type ReadError =
  | { kind: 'as-is'; overflow: Overflow }
  | { kind: 'error'; error: GateError; overflow?: Overflow }

/** The model went away while the request waited; the next request loads it again. */
const UNLOADED = /model unloaded|shutting down|process is not ready/i
/** llama-server answers an input over the physical batch size with 500, which sends clients into a loop. */
const INPUT_TOO_LARGE = /too large to process/i

/**
 * Reads what llama-swap or llama-server answered instead of a result: llama-swap's envelope, llama-server's, the bare
 * string of older versions, plain text, and the empty 502.
 *
 * llama-server's context overflow goes to OpenAI clients byte for byte, because OpenCode knows it by its words; for
 * Anthropic clients it becomes the only text that Claude Code understands.
 */
export function readUpstreamError(answer: UpstreamAnswer, dialect: Dialect): ReadError {
  const said = saidBy(answer.body)
  if (isOverflow(answer.status, said)) return readOverflow(said, dialect)
  return { kind: 'error', error: gateErrorFor(answer, said) }
}

function isOverflow(status: number, said: Said): boolean {
  return status === 400 && said.type === 'exceed_context_size_error'
}

function readOverflow(said: Said, dialect: Dialect): ReadError {
  const overflow = overflowIn(said)
  if (dialect === 'openai') return { kind: 'as-is', overflow }
  const message =
    said.tokens === undefined || said.context === undefined
      ? 'prompt is too long'
      : `prompt is too long: ${said.tokens} tokens > ${said.context} maximum`
  return { kind: 'error', error: { kind: 'prompt-too-long', message }, overflow }
}

function gateErrorFor(answer: UpstreamAnswer, said: Said): GateError {
  const { status } = answer
  if (status === 401 || status === 403 || status === 407) return { kind: 'upstream-key-refused' }
  if (status === 404) return notFound(answer, said)
  if (status === 413) return { kind: 'body-too-large' }
  if (status === 429) return { kind: 'upstream-busy', retryAfterSeconds: secondsOf(answer) }
  if (status < 500) return refused(status, said)
  return serverError(answer, said)
}

function notFound({ model }: UpstreamAnswer, said: Said): GateError {
  if (model !== undefined && /no router for requested model|model not found/i.test(said.message))
    return { kind: 'model-unknown', model }
  if (/no model id/i.test(said.message)) return { kind: 'model-missing' }
  return refused(404, said)
}

function serverError(answer: UpstreamAnswer, said: Said): GateError {
  const { status } = answer
  if (saysLoadFailed(said.message)) return { kind: 'model-load-failed' }
  if (UNLOADED.test(said.message)) return { kind: 'model-loading', retryAfterSeconds: 1 }
  // Without its type: that is "server_error", and with it the 400 would be retried all the same.
  if (INPUT_TOO_LARGE.test(said.message)) return refused(400, { message: said.message })
  if (status === 503) return { kind: 'model-loading', retryAfterSeconds: secondsOf(answer) }
  if (status === 504) return { kind: 'upstream-timeout' }
  if (status === 508) return { kind: 'loop' }
  if (status === 501 || status === 500) return refused(status, said)
  return { kind: 'upstream-broken' }
}

/** In the place of words that are not for clients. */
export const UNSAID = 'The model server refused the request.'

function refused(status: number, said: Said): GateError {
  const { message, type, code } = said
  return {
    kind: 'upstream-refused',
    status,
    message: isPresentable(message) ? message : UNSAID,
    ...(isWord(type) && { type }),
    ...(isWord(code) && { code }),
  }
}

const LONGEST_MESSAGE = 2000
/** A proxy's page; and text that names hosts, ports and errnos of the owner's network. */
const NOT_FOR_CLIENTS = /^</
const NAMES_A_HOST = new RegExp(
  [
    // Go's net and crypto/tls.
    String.raw`\b(?:dial|read|write) (?:tcp|udp|unix)\b|\blookup \S|no such host|\bx509\b`,
    // IPv4, IPv6 in brackets, host and port, a URL.
    String.raw`\b\d{1,3}(?:\.\d{1,3}){3}\b|\[[0-9a-f]*:[0-9a-f:.]*(?:%\w+)?\]|\blocalhost\b`,
    String.raw`\b[a-z][\w.-]*:\d{2,5}\b|\bport \d|\/\/`,
    // Errors of the system, as Node, Python and Rust write them.
    String.raw`\bE(?:CONN|HOST|NET|ADDR|PIPE|TIMEDOUT|NOTFOUND|AI_)|\b(?:errno|os error) \d`,
  ].join('|'),
  'i',
)

function isPresentable(message: string): boolean {
  if (message === '' || message.length > LONGEST_MESSAGE) return false
  return !NOT_FOR_CLIENTS.test(message) && !NAMES_A_HOST.test(message)
}

/** A type or a code as APIs have them: `invalid_request_error`, `BadRequestError`; no number, no address. */
function isWord(text: string | undefined): text is string {
  return text !== undefined && /^[A-Za-z_]{1,64}$/.test(text) && isPresentable(text)
}

/** Retry-After in seconds (RFC 9110 §10.2.3); one second where upstream gave none, a date or nonsense. */
function secondsOf({ retryAfter = '' }: UpstreamAnswer): number {
  return /^\d{1,6}$/.test(retryAfter) ? Math.max(1, Number(retryAfter)) : 1
}
