import type { Behaviour } from './behaviour.ts'

type AnswerBehaviour = Extract<Behaviour, { kind: 'answer' }>

const JSON_TYPE = [['content-type', 'application/json']] as const
const JSON_UTF8_TYPE = [['content-type', 'application/json; charset=utf-8']] as const
const TEXT_TYPE = [['content-type', 'text/plain; charset=utf-8']] as const

/** llama-swap's own error envelope. */
export function llamaSwapError(
  status: number,
  message: string,
  kind: { type: string; code: string },
): AnswerBehaviour {
  const error = { message, type: kind.type, param: null, code: kind.code }
  const body = JSON.stringify({ src: 'llama-swap', error })
  return { kind: 'answer', status, headers: JSON_TYPE, body }
}

/** llama-server's error envelope, whose code repeats the status. */
export function llamaServerError(status: number, message: string, type: string): AnswerBehaviour {
  const body = JSON.stringify({ error: { code: status, message, type } })
  return { kind: 'answer', status, headers: JSON_UTF8_TYPE, body }
}

/** llama-swap's error before August 2026: the error is a string. */
export function oldStringError(status: number, message: string): AnswerBehaviour {
  const body = JSON.stringify({ src: 'llama-swap', error: message })
  return { kind: 'answer', status, headers: JSON_TYPE, body }
}

/** A plain-text error: the mux's 404, or 429 of older versions. */
export function plainTextError(status: number, text: string): AnswerBehaviour {
  return { kind: 'answer', status, headers: TEXT_TYPE, body: text }
}

/** The empty 502 of a lost race for a kept-alive connection: no type, no body. */
export function empty502(): AnswerBehaviour {
  return { kind: 'answer', status: 502, headers: [['content-length', '0']] }
}

/** llama-swap's refusal beyond its concurrency limit, with Retry-After. */
export function concurrencyLimit(): AnswerBehaviour {
  const answer = llamaSwapError(429, 'Too many requests', {
    type: 'rate_limit_error',
    code: 'concurrency_limit',
  })
  return { ...answer, headers: [...JSON_TYPE, ['retry-after', '1']] }
}

/** llama-swap could not start the model. */
export function loadFailure(
  message = 'unspecific error: upstream command exited prematurely',
): AnswerBehaviour {
  return llamaSwapError(500, message, { type: 'server_error', code: 'internal_error' })
}

/** llama-server's refusal of a prompt longer than its context, byte for byte. */
export function overflow(promptTokens: number, contextSize: number): AnswerBehaviour {
  return {
    kind: 'answer',
    status: 400,
    headers: JSON_UTF8_TYPE,
    body: overflowBody(promptTokens, contextSize),
  }
}

/** The bytes of an overflow, for comparing with what a client got. */
export function overflowBody(promptTokens: number, contextSize: number): string {
  return (
    `{"error":{"code":400,"message":"request (${promptTokens} tokens) exceeds the available ` +
    `context size (${contextSize} tokens), try increasing it",` +
    `"type":"exceed_context_size_error","n_prompt_tokens":${promptTokens},"n_ctx":${contextSize}}}`
  )
}
