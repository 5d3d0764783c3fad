import { field } from '../json/read-unknown.ts'
import { isBelow, isPastGate, parseUrl } from './check/providers-of-gate.ts'

/** The gate whose settings are written. */
export type KnownGate = {
  /** All addresses that are known of it, without `/v1`; the one that is written first. */
  gateUrls: readonly [string, ...string[]]
  /** Where llama-swap listens behind it; undefined where nobody knows. */
  upstreamUrl?: string | undefined
}

/** The address of a provider of OpenCode 1; undefined where none is written. */
export function addressOf(provider: unknown): string | undefined {
  const written = field(field(provider, 'options'), 'baseURL') ?? field(provider, 'api')
  return typeof written === 'string' ? written : undefined
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
