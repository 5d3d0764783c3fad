import { isThisMachine } from '../../config/is-loopback.ts'
import { PROVIDER_ID } from '../render-config.ts'
import type { CheckInput, GateFacts } from './check-input.ts'
import type { WrittenProvider } from './read-written.ts'

/**
 * The providers of the file that are meant for this gate: those whose address leads there, or past it to llama-swap, and
 * the one with the usual name. That one may be for another gate, where there is one for this. All others are none of our
 * business, whatever their models are called.
 */
export function providersOfGate(
  { gate }: Pick<CheckInput, 'gate'>,
  providers: readonly WrittenProvider[],
): WrittenProvider[] {
  const isOurs = (provider: WrittenProvider): boolean => leadsToGate(urlOf(provider), gate)
  const hasOne = providers.some(isOurs)
  return providers.filter(
    (provider) => isOurs(provider) || (provider.id === PROVIDER_ID && !(hasOne && urlOf(provider))),
  )
}

/** Whether an address leads to another server than this gate, and not past it to llama-swap. */
export function leadsElsewhere(
  { gate }: Pick<CheckInput, 'gate'>,
  provider: WrittenProvider,
): boolean {
  const url = urlOf(provider)
  if (!url || gate.urls.some((known) => isSameHost(url, known))) return false
  return !isPastGate(url, gateFor(gate, provider))
}

/** What there is here says nothing of another gate, unless a person has named this one for the comparison. */
export function isCompared(input: CheckInput, provider: WrittenProvider): boolean {
  return input.gate.isNamed || !leadsElsewhere(input, provider)
}

/** Whether a provider may be changed: it is surely meant for this gate. */
export function isMendable(input: CheckInput, provider: WrittenProvider): boolean {
  if (leadsElsewhere(input, provider)) return false
  return input.gate.isSure || provider.id === PROVIDER_ID
}

/** A provider with the usual name is meant for a gate, so that one which has answered is enough. */
export function gateFor(gate: GateFacts, { id }: WrittenProvider): GateFacts {
  const isUpstreamKnown = gate.isUpstreamKnown || (gate.isSure && id === PROVIDER_ID)
  return { ...gate, isUpstreamKnown }
}

function urlOf({ baseUrl }: WrittenProvider): URL | undefined {
  return parseUrl(baseUrl.address ?? '')
}

/** Whether an address leads to the gate, or past it to the llama-swap behind it. */
export function leadsToGate(url: URL | undefined, gate: GateFacts): boolean {
  if (!url) return false
  return gate.urls.some((known) => isBelow(url, known)) || isPastGate(url, gate)
}

/** Whether an address leads to llama-swap itself. Where the gate is on another machine, so is what it calls localhost. */
export function isPastGate(url: URL, gate: GateFacts): boolean {
  if (!gate.isUpstreamKnown) return false
  const upstream = new URL(gate.upstreamUrl)
  const best = new URL(gate.urls[0])
  if (isBelow(url, gate.upstreamUrl)) return !isLocal(upstream) || isLocal(best)
  // The port of an address that names none says nothing.
  return url.port !== '' && url.port === upstream.port && url.hostname === best.hostname
}

/** The same server, and a path of its API: another one may stand behind the same name. */
export function isBelow(url: URL, known: string): boolean {
  const prefix = new URL(known).pathname.replace(/\/+$/, '')
  if (!isSameHost(url, known) || !url.pathname.startsWith(prefix)) return false
  return /^\/*(?:v1(?:\/.*)?)?$/.test(url.pathname.slice(prefix.length))
}

/** An address, or undefined where the text is none. */
export function parseUrl(text: string): URL | undefined {
  return /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined
}

/** Whether two addresses lead to the same server; `localhost` and `127.0.0.1` are the same. */
export function isSameHost(url: URL, known: string): boolean {
  const other = new URL(known)
  return hostOf(url) === hostOf(other) && portOf(url) === portOf(other)
}

/** The port, also where it is the scheme's own. */
export function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80')
}

/** Whether an address leads to the machine that it is used on. */
export function isLocal(url: URL): boolean {
  return hostOf(url) === 'localhost'
}

function hostOf({ hostname }: URL): string {
  const host = hostname.replace(/^\[|\]$/g, '')
  return isThisMachine(host) ? 'localhost' : host
}
