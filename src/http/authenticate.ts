import { readCredential } from '../auth/credential.ts'
import { createKeyring, type LookedUp } from '../auth/keyring.ts'
import type { Deps } from '../deps.ts'
import { readToldClient, TOLD_CLIENT } from '../proxy/told-client.ts'
import type { GateContext, GateMiddleware } from './gate-env.ts'
import { findRoute } from '../routes/find-route.ts'
import type { RouteKind } from '../routes/route-table.ts'
import { refuse } from './refuse.ts'

/** Finds out who is asking: credential → keyring → principal. */
export function authenticate({ config, sha256, clock }: Deps): GateMiddleware {
  const keyring = createKeyring(config.keys, sha256)
  return async (c, next) => {
    const credential = readCredential(c.req.header('authorization'), c.req.header('x-api-key'))
    if (credential.kind === 'none') return refuse(c, { kind: 'credential-missing' })
    if (credential.kind === 'malformed') return refuse(c, { kind: 'credential-malformed' })
    if (credential.kind === 'conflict') return refuse(c, { kind: 'credentials-conflict' })
    const kind = kindOf(c.req.method, c.env.target.path)
    const byPassword = credential.scheme === 'basic'
    // A browser would add the password to the requests of any page, so it never opens inference.
    if (byPassword && (kind === undefined || kind === 'inference'))
      return refuse(c, { kind: 'basic-not-here' })
    const found = await keyring.find(credential.secret, clock.now())
    nameClient(c, found)
    if (!found.ok) return refuse(c, found.error)
    // What llama-swap's pages list is listed for those who may open the pages.
    if (byPassword && kind !== 'admin' && !found.principal.scopes.includes('admin'))
      return refuse(c, { kind: 'basic-not-here' })
    c.set('principal', found.principal)
    c.set('secret', credential.secret)
    c.set('scheme', credential.scheme)
    return next()
  }
}

/** Who is asking, for log, usage and queue: the key, or whom another gate names as its client. */
function nameClient(c: GateContext, found: LookedUp): void {
  const scope = c.get('scope')
  scope.keyId = found.ok ? found.principal.keyId : found.keyId
  scope.ownKeyId = scope.keyId
  const told = readToldClient(c.req.header(TOLD_CLIENT))
  if (!told || !found.ok) return
  // The likely reason is a key that lacks "edge": its owner finds it in each line of the log.
  if (!found.principal.edge) {
    scope.reason = 'swapgate-client-not-believed'
    return
  }
  scope.keyId = `${scope.keyId}/${told.keyId}`
  scope.clientAddress = told.address
  scope.edgeRequestId = REQUEST_ID.exec(c.req.header('x-request-id') ?? '')?.[0]
}

/** As gates make it. */
const REQUEST_ID = /^[0-9a-f-]{36}$/

function kindOf(method: string, path: string): RouteKind | undefined {
  const found = findRoute(method, path)
  return found.found === 'route' ? found.route.kind : undefined
}
