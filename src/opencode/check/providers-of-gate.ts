import { withoutSlash } from '../../config/without-slash.ts'
import { isThisMachine } from '../../config/is-loopback.ts'
import { PROVIDER_ID } from '../render-config.ts'
import type { CheckInput, GateFacts } from './check-input.ts'
import type { WrittenProvider } from './read-written.ts'

/**
 * The providers of the file that are meant for this gate: those whose address leads there, or past it to llama-swap, and
 * the one with the usual name. That one may be for another gate, where there is one for this. Where there is none at all,
 * those that nearly lead there with one of its models are looked at, and never changed. All others are none of our
 * business, whatever their models are called.
 */
export function providersOfGate(
  { gate }: Pick<CheckInput, 'gate'>,
  providers: readonly WrittenProvider[],
): WrittenProvider[] {
  const isOurs = (provider: WrittenProvider): boolean => leadsToGate(urlOf(provider), gate)
  const hasOne = providers.some(isOurs)
  const ours = providers.filter(
    (provider) => isOurs(provider) || (provider.id === PROVIDER_ID && !(hasOne && urlOf(provider))),
  )
  if (ours.length > 0) return ours
  return providers.filter(
    (provider) => isNearGate(provider, gate) && provider.models.some(({ real }) => real),
  )
}

/** Whether a provider leads to another path of the gate's server, or to where llama-swap usually is behind it. */
export function isNearGate(provider: WrittenProvider, gate: GateFacts): boolean {
  const url = urlOf(provider)
  if (!url) return false
  return gate.urls.some((known) => isOnServerOf(url, known)) || isNearUpstream(url, gate)
}

/** Whether an address leads to another server than this gate, or beside its path, and not past it to llama-swap. */
export function leadsElsewhere(
  { gate }: Pick<CheckInput, 'gate'>,
  provider: WrittenProvider,
): boolean {
  const url = urlOf(provider)
  if (!url || gate.urls.some((known) => isOnServerOf(url, known))) return false
  return !isPastGate(url, gateFor(gate, provider))
}

/** What there is here says nothing of another gate, unless a person has named this one for the comparison. */
export function isCompared(input: CheckInput, provider: WrittenProvider): boolean {
  return input.gate.isNamed || !leadsElsewhere(input, provider)
}

/** Whether a provider may be changed: it is surely meant for this gate. */
export function isMendable(input: CheckInput, provider: WrittenProvider): boolean {
  if (leadsElsewhere(input, provider)) return false
  if (provider.id === PROVIDER_ID) return true
  return input.gate.isSure && leadsToGate(urlOf(provider), input.gate)
}

/** A provider with the usual name is meant for a gate, so that one which has answered is enough. */
export function gateFor(gate: GateFacts, { id }: WrittenProvider): GateFacts {
  const isUpstreamKnown = gate.isUpstreamKnown || (gate.isSure && id === PROVIDER_ID)
  return { ...gate, isUpstreamKnown }
}

/** Where a provider is meant to lead, also where OpenCode does not find its address. */
export function urlOf({ baseUrl }: WrittenProvider): URL | undefined {
  return parseUrl(baseUrl.address ?? baseUrl.misplaced?.address ?? '')
}

/** Whether an address leads to the gate, or past it to the llama-swap behind it. */
export function leadsToGate(url: URL | undefined, gate: GateFacts): boolean {
  if (!url) return false
  return gate.urls.some((known) => isBelow(url, known)) || isPastGate(url, gate)
}

type WhereGate = Pick<GateFacts, 'urls' | 'upstreamUrl' | 'isUpstreamKnown'>

/** Whether an address leads to llama-swap itself. Where the gate is on another machine, so is what it calls localhost. */
export function isPastGate(url: URL, gate: WhereGate): boolean {
  if (!gate.isUpstreamKnown) return false
  const upstream = new URL(gate.upstreamUrl)
  const best = new URL(gate.urls[0])
  if (isBelow(url, gate.upstreamUrl)) return !isLocal(upstream) || isLocal(best)
  // The port of an address that names none says nothing.
  return url.port !== '' && url.port === upstream.port && url.hostname === best.hostname
}

/** The port that llama-swap has unless it is told otherwise. */
const USUAL_PORT = '8080'

/** Whether an address leads to where llama-swap may be, on the machine of a gate of which no configuration was read. */
export function isNearUpstream(url: URL, gate: GateFacts): boolean {
  const isOpen = gate.isNamed || !gate.isUpstreamKnown
  const ports = [new URL(gate.upstreamUrl).port, ...(isOpen ? [USUAL_PORT] : [])]
  if (url.port === '' || !ports.includes(url.port)) return false
  const isThere = gate.urls.some((known) => isOneHost(url, new URL(known)))
  return isThere && !gate.urls.some((known) => isSameServer(url, known))
}

/** The same server, and a path of its API: another one may stand behind the same name. */
export function isBelow(url: URL, known: string): boolean {
  const prefix = withoutSlash(new URL(known).pathname)
  if (!isSameServer(url, known) || !url.pathname.startsWith(prefix)) return false
  return /^\/*(?:v1(?:\/.*)?)?$/.test(url.pathname.slice(prefix.length))
}

/** The same server, and where the gate stands behind a path of it, that path: behind another one is something else. */
export function isOnServerOf(url: URL, known: string): boolean {
  const prefix = withoutSlash(new URL(known).pathname)
  return isSameServer(url, known) && `${url.pathname}/`.startsWith(`${prefix}/`)
}

/** An address, or undefined where the text is none. */
export function parseUrl(text: string): URL | undefined {
  return /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined
}

/**
 * Whether two addresses are meant for the same server: a wrong scheme and the other family of loopback addresses lead
 * nowhere, but to no other server, either.
 */
export function isSameServer(url: URL, known: string): boolean {
  const other = new URL(known)
  // Port 80 beside a gate at 443 is there to send people on. The reverse may be a proxy for TLS in front of the gate.
  const isBesideTls = url.port === '' && other.port === '' && other.protocol === 'https:'
  return isOneHost(url, other) && (portOf(url) === portOf(other) || isBesideTls)
}

/** Whether two addresses lead to the same port of the same host; `localhost` is both `127.0.0.1` and `[::1]`. */
export function isSameHost(url: URL, known: string): boolean {
  const other = new URL(known)
  const [one, two] = [familyOf(url), familyOf(other)]
  const isSameFamily = one === two || one === undefined || two === undefined
  return isOneHost(url, other) && isSameFamily && portOf(url) === portOf(other)
}

/** The port, also where it is the scheme's own. */
export function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80')
}

/** Whether an address leads to the machine that it is used on. */
export function isLocal(url: URL): boolean {
  return isThisMachine(hostOf(url))
}

function isOneHost(one: URL, other: URL): boolean {
  return hostOf(one) === hostOf(other) || (isLocal(one) && isLocal(other))
}

/** Of an address that is a number; a name may stand for both. */
function familyOf(url: URL): 4 | 6 | undefined {
  const host = hostOf(url)
  if (host.includes(':')) return 6
  return /^[\d.]+$/.test(host) ? 4 : undefined
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}
