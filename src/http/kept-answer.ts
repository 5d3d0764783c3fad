import type { HeaderPairs, Sha256 } from '../deps.ts'
import type { GateContext } from './gate-env.ts'
import { ownAnswer } from './own-answer.ts'

const encoder = new TextEncoder()

/**
 * An answer for one key that a client may keep, if it asks each time whether it is still the same: 304 (RFC 9110
 * §15.4.5) where it is.
 *
 * @param headers fields of the answer beside those that say how it may be kept
 */
export async function keptAnswer(
  c: GateContext,
  text: string,
  { sha256, headers }: { sha256: Sha256; headers: HeaderPairs },
): Promise<Response> {
  const etag = `"${(await sha256(text)).slice(0, 32)}"`
  const kept: HeaderPairs = [
    ['etag', etag],
    ['cache-control', 'private, no-cache'],
    ['vary', 'authorization, x-api-key'],
  ]
  if (!matches(c.req.header('if-none-match'), etag))
    return ownAnswer(c, { status: 200, headers: [...headers, ...kept], body: encoder.encode(text) })
  const pairs = [...kept, ...c.get('scope').ownHeaders]
  return new Response(null, {
    status: 304,
    headers: pairs.map(([name, value]): [string, string] => [name, value]),
  })
}

/** The weak comparison of RFC 9110 §13.1.2: a proxy that compresses marks the tag as weak. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}
