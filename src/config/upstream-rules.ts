import { isThisMachine } from './is-loopback.ts'
import type { GateConfig } from './schema.ts'
import type { ConfigProblem } from './substitute.ts'

type Upstream = GateConfig['upstream']
type JsonObject = Record<string, unknown>

/** Why there is no queue, for what only a queue could keep. */
export function whyNoQueue({ kind }: Upstream): string {
  return kind === 'swapgate'
    ? 'queue is off where upstream is a gate (upstream.kind), which has the queue'
    : 'queue is false'
}

/** The queue belongs to the gate at the box: one in front of it has none, unless the file says so. */
export function withQueueOfKind(raw: JsonObject): JsonObject {
  const { upstream } = raw
  const isGate =
    typeof upstream === 'object' &&
    upstream !== null &&
    'kind' in upstream &&
    upstream.kind === 'swapgate'
  return isGate && !('queue' in raw) ? { ...raw, queue: false } : raw
}

/** A key that cannot be one, and two credentials for upstream, of which it would see one. */
export function upstreamProblems({ apiKey, headers }: Upstream): ConfigProblem[] {
  if (apiKey?.startsWith('sha256:'))
    return [
      {
        path: ['upstream', 'apiKey'],
        message:
          'is the hash of a key; the key itself (sk-…) is needed here, as "{env:NAME}" for example',
      },
    ]
  const name = Object.keys(headers).find((header) => header.toLowerCase() === 'authorization')
  if (apiKey === undefined || name === undefined) return []
  return [
    {
      path: ['upstream', 'headers', name],
      message: 'would take the place of upstream.apiKey; remove one of the two',
    },
  ]
}

/** What should be said about the way to upstream. */
export function upstreamWarnings({ url, kind, apiKey, headers }: Upstream): string[] {
  const warnings: string[] = []
  const { protocol, hostname } = new URL(url)
  const secrets = [
    ...(apiKey === undefined ? [] : ['upstream.apiKey']),
    ...(Object.keys(headers).length === 0 ? [] : ['upstream.headers']),
  ]
  if (protocol === 'http:' && secrets.length > 0 && !isNear(hostname))
    warnings.push(
      `${secrets.join(' and ')} and every prompt travel to ${hostname} in the clear; use https:// in upstream.url.`,
    )
  const hasKey = apiKey !== undefined || Object.keys(headers).some((name) => CREDENTIAL.test(name))
  if (kind === 'swapgate' && !hasKey)
    warnings.push(
      'upstream is a gate, but upstream.apiKey is not set: it will refuse every request. Set it to a key that has "edge": true there.',
    )
  return warnings
}

const CREDENTIAL = /^(?:authorization|x-api-key)$/i

/** This machine, and names and addresses that only a home or a private network has. */
function isNear(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isThisMachine(host)) return true
  if (host.includes(':')) return PRIVATE_IPV6.test(host)
  return PRIVATE_IPV4.test(host) || PRIVATE_NAME.test(host)
}

/** RFC 1918, RFC 3927, and RFC 6598, from which Tailscale gives its addresses. The URL parser writes them so. */
const PRIVATE_IPV4 =
  /^(?:10\.\d+|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))(?:\.\d+){2}$/
/** RFC 4193 and RFC 4291 §2.5.6. */
const PRIVATE_IPV6 = /^(?:f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):/
/** RFC 6762, ICANN's .internal, Tailscale's names, and those without a dot. */
const PRIVATE_NAME = /^[^.]+$|\.(?:local|internal|ts\.net)\.?$/
