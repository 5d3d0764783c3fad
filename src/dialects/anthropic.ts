import { statusOf, type GateError } from '../errors/gate-error.ts'
import { messageOf } from '../errors/message-of.ts'
import type { DialectVoice } from './dialect.ts'

const TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
}

function errorBody(error: GateError): string {
  const status = statusOf(error)
  // "Overloaded" invites a retry: it would start the load again that has just failed, or change nothing.
  const type =
    error.kind === 'model-load-failed' || error.kind === 'model-not-loaded'
      ? 'api_error'
      : (TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error'))
  return JSON.stringify({ type: 'error', error: { type, message: messageOf(error) } })
}

/** Anthropic's API: `{"type":"error","error":{type,message}}`; `event: error` in a stream, pings as heartbeat. */
export const anthropic: DialectVoice = {
  errorBody,
  errorFrame: (error) => `event: error\ndata: ${errorBody(error)}\n\n`,
  heartbeat: 'event: ping\ndata: {"type": "ping"}\n\n',
}

// "." and "$" would stop at U+2028, which JSON leaves unescaped.
const BARE_ERROR = /(?<![^\r\n])event: ?error\r?\ndata: ?([^\r\n]*)/g

/**
 * Turns an error frame that llama-server wrote into Anthropic's shape: it sends `event: error` with a bare
 * `{code,message,type}`, which the SDK cannot read. Any other text is given back as it is.
 */
export function repairErrorFrames(frames: string): string {
  return frames.replace(BARE_ERROR, (frame: string, data: string) => {
    const message = bareMessage(data)
    if (message === undefined) return frame
    return anthropic
      .errorFrame({ kind: 'upstream-refused', status: 500, message })
      .replace(/\n\n$/, '')
  })
}

function bareMessage(data: string): string | undefined {
  try {
    const value: unknown = JSON.parse(data)
    if (typeof value !== 'object' || value === null || 'error' in value) return undefined
    return 'message' in value && typeof value.message === 'string' ? value.message : undefined
  } catch {
    return undefined
  }
}
