import type { GateContext } from './gate-env.ts'

/**
 * Where the client reaches the gate, without a slash at the end: as the owner says, or as the request came. A proxy that
 * ends TLS says so in X-Forwarded-Proto, which counts only from one that is trusted.
 *
 * @param publicUrl the owner's word, which wins
 */
export function baseUrlOf(c: GateContext, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, '')
  return `${schemeOf(c)}://${c.env.target.host}`
}

function schemeOf(c: GateContext): 'http' | 'https' {
  if (/^https:/i.test(c.req.url)) return 'https'
  // Nobody but a trusted proxy can make the client another one than the peer.
  const isByProxy = c.get('scope').clientAddress !== c.env.clientAddress
  // The last entry is the one that the proxy itself wrote.
  const told = c.req.header('x-forwarded-proto')?.split(',').at(-1)?.trim()
  return isByProxy && told?.toLowerCase() === 'https' ? 'https' : 'http'
}
