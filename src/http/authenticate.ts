import { readCredential } from '../auth/credential.ts'
import { createKeyring } from '../auth/keyring.ts'
import type { Deps } from '../deps.ts'
import type { GateMiddleware } from './gate-env.ts'
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
    if (!found.ok) {
      c.get('scope').keyId = found.keyId
      return refuse(c, found.error)
    }
    c.get('scope').keyId = found.principal.keyId
    // What llama-swap's pages list is listed for those who may open the pages.
    if (byPassword && kind !== 'admin' && !found.principal.scopes.includes('admin'))
      return refuse(c, { kind: 'basic-not-here' })
    c.set('principal', found.principal)
    c.set('secret', credential.secret)
    return next()
  }
}

function kindOf(method: string, path: string): RouteKind | undefined {
  const found = findRoute(method, path)
  return found.found === 'route' ? found.route.kind : undefined
}
