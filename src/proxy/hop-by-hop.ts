import type { HeaderPairs } from '../deps.ts'

/** Fields that end at each connection: RFC 9110 §7.6.1, RFC 9112 §9.6, and the ones that proxies agree on. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Fields that a Connection field nominates (RFC 9110 §7.6.1), in lower case. */
export function nominatedBy(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined) return new Set()
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()))
}

/** Leaves out what belongs to the connection that the fields came over. */
export function withoutHopByHop(headers: HeaderPairs): HeaderPairs {
  // The field may come more than once (RFC 9110 §5.3); each line of it nominates.
  const connection = headers.filter(([name]) => name === 'connection').map(([, value]) => value)
  const nominated = nominatedBy(connection.join(','))
  return headers.filter(([name]) => !HOP_BY_HOP.has(name) && !nominated.has(name))
}
