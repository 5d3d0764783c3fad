import type { GateError } from './gate-error.ts'

/** What an answer shows of who gave it: llama-swap, or something on the way to it. */
export type SeenAnswer = {
  status: number
  contentType: string | undefined
  location: string | undefined
  body: string
}

/** Cloudflare's own statuses for an origin or a tunnel that is not there. */
const CLOUDFLARE_DOWN = new Set([520, 521, 522, 523, 525, 526, 527, 530])
const CLOUDFLARE_TIMEOUT = 524
/** Its answer to programs, which need no page. */
const CLOUDFLARE_TEXT = /^error code: \d{3,4}\s*$/i

/**
 * What a proxy or a tunnel on the way says in llama-swap's place, on routes where llama-swap has no pages: that the box is
 * not there, that it was too slow, or that somebody should log in. Undefined where it may be llama-swap's own answer.
 */
export function tunnelFault(answer: SeenAnswer): GateError | undefined {
  const { status } = answer
  if (CLOUDFLARE_DOWN.has(status)) return { kind: 'upstream-unreachable' }
  if (status === CLOUDFLARE_TIMEOUT) return { kind: 'upstream-timeout' }
  if (isElsewhere(answer)) return { kind: 'upstream-not-llama-swap' }
  return isPage(answer.contentType) || CLOUDFLARE_TEXT.test(answer.body)
    ? faultOfPage(status)
    : undefined
}

/** A page where none belongs. */
function faultOfPage(status: number): GateError | undefined {
  switch (status) {
    // A login page.
    case 200:
    case 403:
      return { kind: 'upstream-not-llama-swap' }
    // frp and ngrok without a client.
    case 404:
    case 502:
    case 503:
      return { kind: 'upstream-unreachable' }
    case 504:
      return { kind: 'upstream-timeout' }
    default:
      return undefined
  }
}

/** llama-swap redirects by path; a whole address is another server's, for a login or for https. */
function isElsewhere({ status, location }: SeenAnswer): boolean {
  return status >= 300 && status < 400 && /^(?:[a-z][a-z0-9+.-]*:)?\/\//i.test(location ?? '')
}

/** Whether a body is a page for people. */
export function isPage(contentType: string | undefined): boolean {
  return /^text\/html\b/i.test(contentType ?? '')
}
