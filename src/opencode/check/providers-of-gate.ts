import { isThisMachine } from '../../config/is-loopback.ts'
import { PROVIDER_ID } from '../render-config.ts'
import type { CheckInput, GateFacts } from './check-input.ts'
import type { WrittenProvider } from './read-written.ts'

/** The providers of the file that are meant for this gate; others are none of our business. */
export function providersOfGate(
  { gate }: CheckInput,
  providers: readonly WrittenProvider[],
): WrittenProvider[] {
  const own = providers.filter(
    ({ id, baseUrl }) => id === PROVIDER_ID || leadsToBox(baseUrl.text, gate),
  )
  if (own.length > 0) return own
  const sure = providers.filter(({ models }) => models.some(({ real }) => real !== undefined))
  if (sure.length > 0) return sure
  const [only, ...others] = providers.filter(({ baseUrl }) => baseUrl.text !== undefined)
  return only && others.length === 0 ? [only] : []
}

function leadsToBox(text: string | undefined, gate: GateFacts): boolean {
  const url = text === undefined ? undefined : parseUrl(text)
  return (
    url !== undefined && [...gate.urls, gate.upstreamUrl].some((known) => isSameHost(url, known))
  )
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
