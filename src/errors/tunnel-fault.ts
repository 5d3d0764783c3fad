import type { GateError } from './gate-error.ts'
import { saysLoadFailed, wordsOf } from './said-by.ts'

/** What an answer shows of who gave it: llama-swap, or something on the way to it. */
export type SeenAnswer = {
  status: number
  /** The value of a header field; its name in lower case. */
  field: (name: string) => string | undefined
  body: string
}

/** Cloudflare's own statuses for an origin or a tunnel that is not there. */
const CLOUDFLARE_DOWN = new Set([520, 521, 522, 523, 525, 526, 527, 530])
const CLOUDFLARE_TIMEOUT = 524
/** Its answer to programs, which need no page. */
const CLOUDFLARE_TEXT = /^error code: \d{3,4}\s*$/i
/** What stands in frp's page for a box that is not there. */
const FRP_WORDS = /Faithfully yours, frp|github\.com\/fatedier\/frp/

/**
 * What a proxy or a tunnel on the way says in llama-swap's place, on routes where llama-swap has no pages: that the box is
 * not there, that it was too slow, or that somebody should log in. Undefined where it may be llama-swap's own answer.
 */
export function tunnelFault(answer: SeenAnswer): GateError | undefined {
  const { status, body } = answer
  if (CLOUDFLARE_DOWN.has(status)) return { kind: 'upstream-unreachable' }
  if (status === CLOUDFLARE_TIMEOUT) return { kind: 'upstream-timeout' }
  if (isElsewhere(answer)) return { kind: 'upstream-not-llama-swap' }
  // Words of llama-swap or of a model, whatever their type says.
  if (status >= 400 && (wordsOf(body) || saysLoadFailed(body))) return undefined
  const isText = CLOUDFLARE_TEXT.test(body) && isOfCloudflare(answer)
  return isText || isPage(answer.field('content-type')) ? faultOfPage(answer) : undefined
}

function isOfCloudflare({ field }: SeenAnswer): boolean {
  return field('cf-ray') !== undefined || field('server')?.toLowerCase() === 'cloudflare'
}

/** A page that is missing may be missing at the model; a tunnel without its other end says who it is. */
function isOfCarrier(answer: SeenAnswer): boolean {
  const isOfNgrok = answer.field('ngrok-error-code') !== undefined
  return isOfNgrok || isOfCloudflare(answer) || FRP_WORDS.test(answer.body)
}

/** A page where none belongs. */
function faultOfPage(answer: SeenAnswer): GateError | undefined {
  switch (answer.status) {
    // A login page.
    case 200:
    case 403:
      return { kind: 'upstream-not-llama-swap' }
    // frp and ngrok without a client.
    case 404:
      return isOfCarrier(answer) ? { kind: 'upstream-unreachable' } : undefined
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
function isElsewhere({ status, field }: SeenAnswer): boolean {
  if (status < 300 || status >= 400) return false
  return /^(?:[a-z][a-z0-9+.-]*:)?\/\//i.test(field('location') ?? '')
}

/** Whether a body is a page for people. */
export function isPage(contentType: string | undefined): boolean {
  return /^text\/html\b/i.test(contentType ?? '')
}
