import { statusOf, type GateError } from '../errors/gate-error.ts'
import { messageOf } from '../errors/message-of.ts'
import type { DialectVoice } from './dialect.ts'

/** OpenAI's `type` and `code` of a refusal. */
function typeAndCode(error: GateError): { type: string; code: string } {
  if (error.kind === 'upstream-refused')
    return { type: error.type ?? typeOfStatus(error.status), code: error.code ?? 'upstream_error' }
  if (error.kind === 'stream-cut') return { type: 'server_error', code: 'stream_interrupted' }
  return { type: typeOfStatus(statusOf(error)), code: CODES[error.kind] }
}

function typeOfStatus(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 404) return 'not_found_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

const CODES: Record<Exclude<GateError['kind'], 'upstream-refused' | 'stream-cut'>, string> = {
  'bad-host': 'invalid_host',
  'bad-path': 'not_found',
  'bad-request': 'invalid_request',
  'body-too-large': 'request_too_large',
  'body-encoded': 'unsupported_encoding',
  'upgrade-refused': 'upgrade_not_supported',
  'method-not-allowed': 'method_not_allowed',
  'route-unknown': 'not_found',
  'credential-missing': 'missing_api_key',
  'credential-malformed': 'malformed_api_key',
  'credential-unknown': 'invalid_api_key',
  'credentials-conflict': 'conflicting_api_keys',
  'basic-not-here': 'invalid_api_key',
  'key-expired': 'expired_api_key',
  'key-disabled': 'disabled_api_key',
  'scope-missing': 'scope_missing',
  'cross-site': 'cross_site_request',
  'model-missing': 'model_missing',
  'model-unknown': 'model_not_found',
  'prompt-too-long': 'context_length_exceeded',
  'upstream-unreachable': 'upstream_unavailable',
  'upstream-broken': 'upstream_failed',
  'upstream-timeout': 'upstream_timeout',
  'upstream-busy': 'upstream_busy',
  'upstream-key-refused': 'upstream_key_refused',
  'model-loading': 'model_loading',
  'model-load-failed': 'model_load_failed',
  draining: 'shutting_down',
  internal: 'internal_error',
}

function errorBody(error: GateError): string {
  const { type, code } = typeAndCode(error)
  const param = error.kind === 'bad-request' ? (error.param ?? null) : null
  return JSON.stringify({ error: { message: messageOf(error), type, param, code } })
}

/** OpenAI's API: `{"error":{message,type,param,code}}`; stream errors as a data frame, comments as heartbeat. */
export const openai: DialectVoice = {
  errorBody,
  errorFrame: (error) => `data: ${errorBody(error)}\n\n`,
  heartbeat: ': keep-alive\n\n',
}
