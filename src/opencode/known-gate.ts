import { withoutSlash } from '../config/without-slash.ts'
import { field } from '../json/read-unknown.ts'
import { secretsIn } from './check/address/address-secrets.ts'
import { isBelow, isPastGate, isSameHost, parseUrl } from './check/providers-of-gate.ts'
import { misplacedUrl } from './check/read-written.ts'

/** The gate whose settings are written. */
export type KnownGate = {
  /** All addresses that are known of it, without `/v1`; the one that is written first. */
  gateUrls: readonly [string, ...string[]]
  /** Where llama-swap listens behind it; undefined where nobody knows. */
  upstreamUrl?: string | undefined
  /** What OpenCode makes of a text in which `{env:NAME}` stands; without it, that is not known. */
  replaced?: ((text: string) => string) | undefined
}

const PLACEHOLDER = /\{(?:env|file):|\$\{/

/** The address of a provider as it is written, also where OpenCode does not look for it. */
function writtenAddress(provider: unknown): string | undefined {
  const written = field(field(provider, 'options'), 'baseURL') ?? field(provider, 'api')
  if (typeof written === 'string') return written
  return misplacedUrl({ replaced: (text) => text }, provider)?.address
}

/** Whether OpenCode puts something else into the address of a provider: the text of it stays then. */
export function isFilledIn(provider: unknown): boolean {
  return PLACEHOLDER.test(writtenAddress(provider) ?? '')
}

/** Where a provider of OpenCode 1 leads; undefined where no address is written, and where OpenCode alone knows. */
export function addressOf(
  provider: unknown,
  { replaced = (text) => text }: Pick<KnownGate, 'replaced'>,
): string | undefined {
  const written = writtenAddress(provider)
  if (written === undefined || !PLACEHOLDER.test(written)) return written
  const address = replaced(written)
  return PLACEHOLDER.test(address) || !parseUrl(address) ? undefined : address
}

/** People leave the scheme out. */
export function readAddress(address: string): URL | undefined {
  return parseUrl(address.includes('://') ? address : `http://${address}`)
}

/** Whether an address is the gate's. */
export function isAtGate(address: string | undefined, { gateUrls }: KnownGate): boolean {
  const url = address === undefined ? undefined : readAddress(address)
  return url !== undefined && gateUrls.some((known) => isBelow(url, known))
}

/** Whether an address leads to the llama-swap behind the gate, and not to the gate. */
export function isBehindGate(address: string | undefined, gate: KnownGate): boolean {
  const { gateUrls, upstreamUrl } = gate
  const url = address === undefined ? undefined : readAddress(address)
  if (!url || upstreamUrl === undefined || isAtGate(address, gate)) return false
  return isPastGate(url, { urls: gateUrls, upstreamUrl, isUpstreamKnown: true })
}

/**
 * Whether a `baseURL` needs no other: it is any of the gate's addresses, with the right path. What OpenCode fills in is
 * the person's own way to write it. Where an address holds what may be the only copy of a key, a person has to take
 * that out.
 */
export function mayStay(written: unknown, { gateUrls }: KnownGate): boolean {
  if (typeof written !== 'string') return false
  if (PLACEHOLDER.test(written) || secretsIn(written).length > 0) return true
  const url = parseUrl(written)
  if (!url) return false
  return gateUrls.some((known) => {
    const right = `${withoutSlash(known)}/v1`
    return isSameHost(url, right) && wayOf(url) === wayOf(new URL(right))
  })
}

function wayOf({ protocol, pathname, search, hash }: URL): string {
  return protocol + withoutSlash(pathname) + search + hash
}
