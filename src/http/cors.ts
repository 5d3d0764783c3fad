import type { HeaderPairs } from '../deps.ts'
import type { GateMiddleware } from './gate-env.ts'

const EXPOSED = [
  'x-request-id',
  'request-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-tokens',
  'anthropic-ratelimit-requests-limit',
  'anthropic-ratelimit-requests-remaining',
  'anthropic-ratelimit-requests-reset',
  'anthropic-ratelimit-tokens-limit',
  'anthropic-ratelimit-tokens-remaining',
  'anthropic-ratelimit-tokens-reset',
].join(', ')

const HEADER_NAMES = /^[A-Za-z0-9\-_, ]{1,2000}$/
const DEFAULT_HEADERS = 'authorization, content-type, x-api-key'

/**
 * What lets a page of a configured origin read an answer (WHATWG Fetch §3.3); empty for every other origin. Keys are
 * sent by the page itself, so credentials in the browser's sense are never allowed.
 */
export function corsHeaders(origin: string | undefined, allowed: readonly string[]): HeaderPairs {
  if (allowed.includes('*'))
    return [
      ['access-control-allow-origin', '*'],
      ['access-control-expose-headers', EXPOSED],
    ]
  if (allowed.length === 0) return []
  if (origin === undefined || !allowed.includes(origin)) return [['vary', 'Origin']]
  return [
    ['access-control-allow-origin', origin],
    ['access-control-expose-headers', EXPOSED],
    ['vary', 'Origin'],
  ]
}

/** Answers every preflight here, without a key: none goes to llama-swap, whose own answer allows any origin. */
export const answerPreflight: GateMiddleware = async (c, next) => {
  if (c.req.method !== 'OPTIONS') return next()
  const headers = new Headers()
  for (const [name, value] of c.get('scope').ownHeaders) headers.append(name, value)
  if (headers.has('access-control-allow-origin')) {
    const asked = c.req.header('access-control-request-headers') ?? ''
    // "*" would not cover Authorization, so the names that were asked for are given back.
    headers.set('access-control-allow-headers', HEADER_NAMES.test(asked) ? asked : DEFAULT_HEADERS)
    headers.set('access-control-allow-methods', 'GET, POST, OPTIONS')
    headers.set('access-control-max-age', '7200')
    headers.append('vary', 'Access-Control-Request-Headers')
  }
  return new Response(null, { status: 204, headers })
}
