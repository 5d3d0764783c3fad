import type { HeaderPairs } from '../deps.ts'
import { withoutHopByHop } from './hop-by-hop.ts'
import { holdsAny } from './own-secrets.ts'
import { TOLD_CLIENT } from './told-client.ts'

/**
 * Fields that never go to llama-swap: what the gate sets itself, what a browser adds about its page, and what only a
 * trusted proxy may say; `isForwarded` adds every way to carry a credential. llama-swap forwards Authorization, x-api-key
 * and Cookie unchanged to model processes and to remote peers, and logs the first X-Forwarded-For as the client.
 */
const NOT_FORWARDED = new Set([
  'host',
  'content-length',
  'expect',
  'accept-encoding',
  'cookie',
  'origin',
  'referer',
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
])
const NOT_FORWARDED_PREFIXES = [
  'proxy-',
  'cf-',
  'x-forwarded-',
  'sec-',
  'access-control-',
  'tailscale-',
  'swapgate-',
]

/** Names by which other services take a key. */
const CREDENTIAL_NAMES = /(?:^|-)(?:token|api-key|subscription-key)$|^x-auth(?:-|$)/

/** Query fields by which some services take a key. */
const CREDENTIAL_PARAMETERS = new Set([
  'key',
  'api_key',
  'api-key',
  'apikey',
  'access_token',
  'token',
])

/** What the gate puts on an outbound request beside the client's own fields. */
export type OutboundExtras = {
  /** The credential that the client presented: no field that holds it is forwarded, whatever its name. */
  presentedSecret: string | undefined
  upstreamApiKey: string | undefined
  upstreamHeaders: Readonly<Record<string, string>>
  /** For llama-swap. */
  clientAddress: string | undefined
  /** Who the client is, for another gate. */
  toldClient: string | undefined
  /** Through which gates the request came, and this one. */
  via: string
  requestId: string
  /** Replaces the client's Content-Type when the body was read as something definite. */
  contentType: string | undefined
}

/**
 * Builds the header of the outbound request. Encodings other than identity are excluded, because the runtimes decode
 * them each in its own way and a stream must stay readable frame by frame.
 */
export function outboundHeaders(inbound: HeaderPairs, extras: OutboundExtras): HeaderPairs {
  const own = new Map<string, string>([
    ['accept-encoding', 'identity;q=1, *;q=0'],
    ['x-request-id', extras.requestId],
    ['via', extras.via],
  ])
  if (extras.contentType !== undefined) own.set('content-type', extras.contentType)
  const { clientAddress, toldClient } = extras
  if (clientAddress !== undefined) own.set('x-forwarded-for', clientAddress)
  if (toldClient !== undefined) own.set(TOLD_CLIENT, toldClient)
  if (extras.upstreamApiKey !== undefined)
    own.set('authorization', `Bearer ${extras.upstreamApiKey}`)
  for (const [name, value] of Object.entries(extras.upstreamHeaders))
    own.set(name.toLowerCase(), value)
  const secret = extras.presentedSecret
  // Names come in lower case.
  const secretName = secret?.toLowerCase()
  const kept = withoutHopByHop(inbound).filter(
    ([name, value]) =>
      !own.has(name) &&
      isForwarded(name) &&
      !holdsSecret(value, secret) &&
      !holdsSecret(name, secretName),
  )
  return [...kept, ...own]
}

function isForwarded(name: string): boolean {
  return (
    !NOT_FORWARDED.has(name) &&
    !name.includes('authorization') &&
    !CREDENTIAL_NAMES.test(name) &&
    !NOT_FORWARDED_PREFIXES.some((prefix) => name.startsWith(prefix))
  )
}

function holdsSecret(value: string, secret: string | undefined): boolean {
  return secret !== undefined && value.includes(secret)
}

/** What of the query goes on. */
export type QueryRule = {
  /** llama-swap's own pages use fields of these names as filters; there is no model to be mistaken in. */
  isAdmin: boolean
  /** The only model that may be named; undefined drops every `model` field. */
  model: string | undefined
  presentedSecret: string | undefined
}

/**
 * Rebuilds the query from its parsed fields, so that no second reading of the same text can find another model.
 *
 * @returns the query with its leading `?`, or an empty string
 */
export function outboundSearch(search: string, rule: QueryRule): string {
  if (search.length < 2) return ''
  const kept = new URLSearchParams()
  for (const [name, value] of new URLSearchParams(search)) {
    const isRuledOut = name === 'model' || CREDENTIAL_PARAMETERS.has(name.toLowerCase())
    if (isRuledOut && !rule.isAdmin) continue
    if (!holdsSecret(`${name}=${value}`, rule.presentedSecret)) kept.append(name, value)
  }
  if (rule.model !== undefined) kept.append('model', rule.model)
  return kept.size === 0 ? '' : `?${kept.toString()}`
}

/** What a proxy or a tunnel on the way adds or asks of browsers is not for this gate's own origin. */
const NOT_RETURNED = new Set([
  'set-cookie',
  'server',
  'alt-svc',
  'date',
  'via',
  'forwarded',
  'nel',
  'report-to',
  'reporting-endpoints',
  'clear-site-data',
  'refresh',
  'strict-transport-security',
  'www-authenticate',
])
const NOT_RETURNED_PREFIXES = ['access-control-', 'proxy-', 'swapgate-', 'cf-', 'x-forwarded-']

// A target on this gate. llama-swap redirects by path; anything absolute would name the owner's network. Browsers read
// a backslash as a slash.
const OWN_LOCATION = /^(?:\/(?![/\\])|[\w.-]+(?:\/|$)|\?)/

/**
 * The fields of upstream's answer that the client gets: none of the connection or of a proxy on its way (RFC 9110
 * §11.7), no CORS (llama-server sends an empty `Access-Control-Allow-Origin`, llama-swap echoes any origin), no request
 * ids and no limits but the gate's (a peer's are those of the owner's account there), and nothing that gates tell each
 * other.
 *
 * @param secrets of the configuration: no field that holds one comes back
 */
export function returnedHeaders(
  upstream: HeaderPairs,
  secrets: readonly string[] = [],
): HeaderPairs {
  return withoutHopByHop(upstream).filter(
    ([name, value]) =>
      !NOT_RETURNED.has(name) &&
      !NOT_RETURNED_PREFIXES.some((prefix) => name.startsWith(prefix)) &&
      !name.endsWith('request-id') &&
      !name.includes('ratelimit-') &&
      (name !== 'location' || OWN_LOCATION.test(value)) &&
      !holdsAny(value, secrets),
  )
}
