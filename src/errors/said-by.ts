import { parsedJson } from '../json/read-unknown.ts'

/** What an error answer of upstream says. */
export type Said = {
  message: string
  type?: string | undefined
  code?: string | undefined
  tokens?: number
  context?: number
}

/** How long a prompt was, and how long one may be, in tokens; undefined where that was not said. */
export type Overflow = { prompt: number | undefined; context: number | undefined }

/** What an error says of a prompt that was too long. */
export function overflowIn({ tokens, context }: Said): Overflow {
  return { prompt: tokens, context }
}

/** The words of an error answer in any of upstream's shapes; of what is no such JSON, the text itself. */
export function saidBy(body: string): Said {
  const text = body.trim()
  return wordsOf(text) ?? { message: text }
}

/** The words of a JSON error, `{"error": …}` with an object or a bare string; undefined for anything else. */
export function wordsOf(body: string): Said | undefined {
  const value = parsedJson(body)
  if (typeof value !== 'object' || value === null || !('error' in value)) return undefined
  const { error } = value
  if (typeof error === 'string') return { message: error }
  if (typeof error !== 'object' || error === null) return undefined
  return {
    message: stringIn(error, 'message') ?? '',
    type: stringIn(error, 'type'),
    code: stringIn(error, 'code'),
    ...numbersIn(error),
  }
}

/** llama-swap's words for a load that did not come up, each seen with status 500. */
const LOAD_FAILED = /health check timed out|exited prematurely|upstream command/i

/** Whether an error's words are llama-swap's for a load that did not come up. */
export function saysLoadFailed(message: string): boolean {
  return LOAD_FAILED.test(message)
}

function stringIn(object: object, name: string): string | undefined {
  const value: unknown = Object.getOwnPropertyDescriptor(object, name)?.value
  return typeof value === 'string' ? value : undefined
}

function numbersIn(error: object): { tokens?: number; context?: number } {
  const tokens: unknown = 'n_prompt_tokens' in error ? error.n_prompt_tokens : undefined
  const context: unknown = 'n_ctx' in error ? error.n_ctx : undefined
  return isCount(tokens) && isCount(context) ? { tokens, context } : {}
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}
