import type { GateMiddleware } from './gate-env.ts'
import { freshText } from './own-answer.ts'
import { refuse } from './refuse.ts'

/** `GET /health`: open, and says nothing but that the gate runs. */
export const health: GateMiddleware = async (c) =>
  freshText(c, JSON.stringify({ status: 'ok' }), 'application/json')

/** `GET /` and `GET /api/hello`: Claude Code asks for their HEAD, without a key, before it starts. */
export const hello: GateMiddleware = async (c) => {
  const text = 'swapgate is running. The API is below /v1 and needs a key.\n'
  const answer = freshText(c, text, 'text/plain; charset=UTF-8')
  // A browser gets a page there.
  if (c.env.target.path === '/') answer.headers.append('vary', 'Accept')
  return answer
}

/** Refuses an address with no canonical form before any route is looked at; a page may still read why. */
export const refuseBadAddress: GateMiddleware = async (c, next) => {
  const { badAddress } = c.env
  return badAddress === undefined ? next() : refuse(c, { kind: badAddress })
}

/**
 * A request to change protocols. Codex first tries `/v1/responses` as a WebSocket; 426 sends it on to plain HTTP at once.
 * No other upgrade is served either, so none can slip past the checks.
 */
export const refuseUpgrade: GateMiddleware = async (c, next) => {
  // Other protocols are offers that a server may ignore (RFC 9110 §7.8): curl and Java offer h2c with plain requests.
  if (!/\bwebsocket\b/i.test(c.req.header('upgrade') ?? '')) return next()
  return refuse(c, { kind: 'upgrade-refused' })
}
