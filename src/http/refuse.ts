import type { GateError } from '../errors/gate-error.ts'
import { isRefusal, statusOf } from '../errors/gate-error.ts'
import { refusalOf } from '../errors/refusal.ts'
import { findRoute } from '../routes/find-route.ts'
import type { GateContext } from './gate-env.ts'
import { ownAnswer } from './own-answer.ts'

/** Answers a request with a refusal, and notes why for the log. */
export function refuse(c: GateContext, error: GateError): Response {
  const scope = c.get('scope')
  scope.isRefused = isRefusal(error)
  scope.reason = error.kind === 'limit-reached' ? error.limit : error.kind
  const refusal = refusalOf(error, scope.dialect)
  if (statusOf(error) !== 401 || !isPageOfAdmin(c)) return ownAnswer(c, refusal)
  const headers = refusal.headers.filter(([name]) => name !== 'www-authenticate')
  // RFC 7617: the one answer that may open a browser's password box.
  const challenge = ['www-authenticate', 'Basic realm="swapgate", charset="UTF-8"'] as const
  return ownAnswer(c, { ...refusal, headers: [...headers, challenge] })
}

function isPageOfAdmin(c: GateContext): boolean {
  const found = findRoute(c.req.method, c.env.target.path)
  const wantsPage = c.req.header('accept')?.includes('text/html') ?? false
  return found.found === 'route' && found.route.kind === 'admin' && wantsPage
}
