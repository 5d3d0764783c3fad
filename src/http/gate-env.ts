import type { Context, MiddlewareHandler } from 'hono'
import type { CredentialScheme } from '../auth/credential.ts'
import type { Principal } from '../auth/principal.ts'
import type { HostBindings } from '../deps.ts'
import type { Route } from '../routes/route-table.ts'
import type { CanonicalTarget } from '../routes/canonical-path.ts'
import type { Span } from '../body/scan-json.ts'
import type { Passage } from './passage.ts'
import type { RequestScope } from './request-scope.ts'

/** What identify-model learned, and what forward sends. */
export type Content = {
  body: Uint8Array<ArrayBuffer> | undefined
  /** Replaces the client's Content-Type; undefined leaves it as it is. */
  contentType: string | undefined
  model: string | undefined
  /** The model that the query may name. */
  queryModel: string | undefined
  streamed: boolean
  /** The top-level members of a JSON body. */
  members: ReadonlyMap<string, Span> | undefined
}

/** What middleware hands on to middleware. */
export type GateEnv = {
  Bindings: HostBindings & {
    target: CanonicalTarget
    /** Set where the address has no canonical form: it is refused before any router reads it. */
    badAddress?: 'bad-host' | 'bad-path'
  }
  Variables: {
    scope: RequestScope
    /** The gates that the request came through, as Via names them; undefined where there was none. */
    via: string | undefined
    principal: Principal
    /** The credential as presented, so that no field that repeats it is forwarded. */
    secret: string
    /** How it was presented. */
    scheme: CredentialScheme
    route: Route
    content: Content
    passage: Passage
  }
}

export type GateContext = Context<GateEnv>
export type GateMiddleware = MiddlewareHandler<GateEnv>
