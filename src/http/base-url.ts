import { withoutSlash } from '../config/without-slash.ts'
import type { GateContext } from './gate-env.ts'

/**
 * Where the client reaches the gate, without a slash at the end: as the owner says, or as the request came. A proxy that
 * ends TLS says so in X-Forwarded-Proto, which counts only from one that is trusted.
 *
 * @param publicUrl the owner's word, which wins
 */
export function baseUrlOf(c: GateContext, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return withoutSlash(publicUrl)
  return `${schemeOf(c)}://${c.env.target.host}`
}

/**
 * The same as a browser tells it in a query, which may know of TLS that the gate does not: another scheme or port, but
 * the host of the request or of `publicUrl`. Undefined for anything else.
 */
export function toldBaseUrl(
  c: GateContext,
  publicUrl: string | undefined,
  told: string,
): string | undefined {
  if (!/^https?:\/\//i.test(told) || !URL.canParse(told)) return undefined
  const { origin, hostname, href } = new URL(told)
  if (publicUrl !== undefined && withoutSlash(told) === withoutSlash(publicUrl))
    return withoutSlash(publicUrl)
  const own = [`http://${c.env.target.host}`, ...(publicUrl === undefined ? [] : [publicUrl])]
  const isOwn = own.some((url) => new URL(url).hostname === hostname)
  // A path, a query or a user's name would make it longer.
  return isOwn && href === `${origin}/` ? origin : undefined
}

function schemeOf(c: GateContext): 'http' | 'https' {
  if (/^https:/i.test(c.req.url)) return 'https'
  // Nobody but a trusted proxy can make the client another one than the peer.
  const isByProxy = c.get('scope').clientAddress !== c.env.clientAddress
  // The last entry is the one that the proxy itself wrote.
  const told = c.req.header('x-forwarded-proto')?.split(',').at(-1)?.trim()
  return isByProxy && told?.toLowerCase() === 'https' ? 'https' : 'http'
}
