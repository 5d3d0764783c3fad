import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'

/** An error of llama-server; its `code` is also the HTTP status. */
export interface LlamaError {
  readonly code: number
  readonly message: string
  readonly type: string
  readonly n_prompt_tokens?: number
  readonly n_ctx?: number
}

/** An error of llama-swap itself. */
export interface SwapError {
  readonly status: number
  readonly message: string
  readonly type: string
  readonly code: string
}

export const NO_MODEL = notFound('no model id could be identified')
export const UNKNOWN_MODEL = notFound('no router for requested model')
export const MODEL_NOT_FOUND = notFound('model not found')
export const UNLOADED_WHILE_WAITING: SwapError = {
  status: 500,
  message: 'unspecific error: group: model unloaded',
  type: 'server_error',
  code: 'internal_error',
}
export const TOO_MANY_REQUESTS: SwapError = {
  status: 429,
  message: 'Too many requests',
  type: 'rate_limit_error',
  code: 'concurrency_limit',
}

/** Answers with JSON. */
export function sendJson(res: ServerResponse, status: number, value: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  res.end(JSON.stringify(value))
}

/** Answers with plain text. */
export function sendText(res: ServerResponse, text: string): void {
  res.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
  res.end(text)
}

/** Answers without a body, as llama-swap does when the process behind it went away. */
export function sendEmpty(
  res: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders = {},
): void {
  res.writeHead(status, { 'content-length': 0, ...headers })
  res.end()
}

/** Answers with an error in llama-server's envelope; it closes the connection after errors. */
export function sendLlamaError(res: ServerResponse, error: LlamaError): void {
  res.setHeader('connection', 'close')
  sendJson(res, error.code, { error })
}

/** Answers with an error in llama-swap's envelope. */
export function sendSwapError(res: ServerResponse, error: SwapError): void {
  const { status, message, type, code } = error
  if (status === 429) res.setHeader('retry-after', '1')
  sendJson(res, status, { src: 'llama-swap', error: { message, type, param: null, code } })
}

/** The body every prompt gets that does not fit into the context. */
export function overflow(promptTokens: number, context: number): LlamaError {
  return {
    code: 400,
    message: `request (${promptTokens} tokens) exceeds the available context size (${context} tokens), try increasing it`,
    type: 'exceed_context_size_error',
    n_prompt_tokens: promptTokens,
    n_ctx: context,
  }
}

function notFound(message: string): SwapError {
  return { status: 404, message, type: 'invalid_request_error', code: 'not_found' }
}
