import { entries, field } from '../llama-swap/read-unknown.ts'
import { isBelow, isLocal, parseUrl } from './check/providers-of-gate.ts'
import { withoutKeys } from './check/secrets.ts'
import { PROVIDER_ID } from './render-config.ts'

/** A provider of that name is for another gate: what stands there, also its key, is not for this one. */
export class AnotherGate extends Error {}

/** The name to write under, and where the gate is, without `/v1`: all addresses that are known of it. */
export type WriteTo = { id: string; gateUrls: readonly string[] }

/**
 * The provider of a file that the gate's settings are to go to. The user may have given it another name: then it is the
 * one that leads to the gate, unless a name is asked for.
 *
 * @throws AnotherGate when the one of that name leads to another gate, whose key would be sent to this one
 */
export function providerToWrite(document: unknown, { id, gateUrls }: WriteTo): string {
  const providers = field(document, 'provider')
  const there = field(providers, id)
  const address = addressOf(there)
  if (isAtGate(address, gateUrls)) return id
  const other = entries(providers).find(([, each]) => isAtGate(addressOf(each), gateUrls))
  if (other && id === PROVIDER_ID) return other[0]
  if (address === undefined || isReplaced(address) || isOld({ there, address, gateUrls })) return id
  throw new AnotherGate(
    `provider.${id} leads to ${shown(address)}: another gate. Write under another name: swapgate opencode --write --provider ${freeName(providers)}`,
  )
}

function addressOf(provider: unknown): string | undefined {
  const written = field(field(provider, 'options'), 'baseURL') ?? field(provider, 'api')
  return typeof written === 'string' ? written : undefined
}

/** What only OpenCode replaces leads where it alone knows; it stays as it is. */
function isReplaced(address: string): boolean {
  return /\{(?:env|file):/.test(address)
}

/** People leave the scheme out. */
function readAddress(address: string): URL | undefined {
  return parseUrl(address.includes('://') ? address : `http://${address}`)
}

function isAtGate(address: string | undefined, gateUrls: readonly string[]): boolean {
  const url = address === undefined ? undefined : readAddress(address)
  return url !== undefined && gateUrls.some((known) => isBelow(url, known))
}

type Written = { there: unknown; address: string; gateUrls: readonly string[] }

/** Earlier settings of the same person, from before the gate stood there: no key of another gate is among them. */
function isOld({ there, address, gateUrls }: Written): boolean {
  if (holdsKey(there)) return false
  const url = readAddress(address)
  return !url || isLocal(url) || gateUrls.some((known) => new URL(known).hostname === url.hostname)
}

const KEY_HEADER = /^(?:authorization|x-api-key|api-key)$/i

function holdsKey(provider: unknown): boolean {
  const options = field(provider, 'options')
  const apiKey = field(options, 'apiKey')
  const models = entries(field(provider, 'models')).map(([, model]) => model)
  return (
    (typeof apiKey === 'string' && apiKey.trim() !== '') ||
    [options, ...models].some((each) =>
      entries(field(each, 'headers')).some(([name]) => KEY_HEADER.test(name)),
    )
  )
}

/** Neither what stands before the host nor what follows the path: either may be a key. */
function shown(address: string): string {
  const url = readAddress(address)
  return url ? withoutKeys(url.origin + url.pathname) : 'elsewhere'
}

function freeName(providers: unknown, nth = 1): string {
  const name = nth === 1 ? 'home' : `home-${nth}`
  return field(providers, name) === undefined ? name : freeName(providers, nth + 1)
}
