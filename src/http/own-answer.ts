import type { HeaderPairs } from '../deps.ts'
import type { GateContext } from './gate-env.ts'

const encoder = new TextEncoder()

/** An answer that the gate gives itself: with the fields of every answer, its size noted for the log. */
export function ownAnswer(
  c: GateContext,
  answer: { status: number; headers: HeaderPairs; body: Uint8Array },
): Response {
  const scope = c.get('scope')
  const isHead = c.req.method === 'HEAD'
  scope.bytesOut = isHead ? 0 : answer.body.length
  const pairs = [...answer.headers, ...scope.ownHeaders]
  return new Response(new Uint8Array(answer.body), {
    status: answer.status,
    headers: pairs.map(([name, value]): [string, string] => [name, value]),
  })
}

/** Text that is true only now, such as a listing. */
export function freshText(c: GateContext, text: string, contentType: string): Response {
  const headers: HeaderPairs = [
    ['content-type', contentType],
    ['cache-control', 'no-store'],
  ]
  return ownAnswer(c, { status: 200, headers, body: encoder.encode(text) })
}
