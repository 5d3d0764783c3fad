import { entries, field } from '../json/read-unknown.ts'
import { isLocal } from './check/providers-of-gate.ts'
import { withoutKeys } from './check/keys/secrets.ts'
import { addressOf, isAtGate, isBehindGate, readAddress, type KnownGate } from './known-gate.ts'
import { PROVIDER_ID } from './render-config.ts'

/** A provider of that name is for another gate: what stands there, also its key, is not for this one. */
export class AnotherGate extends Error {
  /** A name under which this gate's settings can stand beside it. */
  readonly freeName: string

  constructor(message: string, freeName: string) {
    super(message)
    this.freeName = freeName
  }
}

/** The name to write under, and what gate it is for. */
export type WriteTo = KnownGate & { id: string }

/**
 * The provider of a file that the gate's settings are to go to. The user may have given it another name: then it is the
 * one that leads to the gate, unless a name is asked for.
 *
 * @throws AnotherGate when the one of that name leads to another gate, whose key would be sent to this one
 */
export function providerToWrite(document: unknown, { id, ...gate }: WriteTo): string {
  const providers = field(document, 'provider')
  const there = field(providers, id)
  const address = addressOf(there)
  if (isAtGate(address, gate)) return id
  const isUsual = id === PROVIDER_ID
  const other = entries(providers).find(([, each]) => isAtGate(addressOf(each), gate))
  if (other && isUsual) return other[0]
  if (address === undefined || isReplaced(address) || isOld({ there, address, gate })) return id
  // Whatever else listens there, a provider with the usual name is meant for llama-swap.
  if (isUsual && isBehindGate(address, gate)) return id
  throw new AnotherGate(
    `provider.${id} leads to ${shown(address)}: another gate.`,
    unusedName(providers),
  )
}

/** What only OpenCode replaces leads where it alone knows; it stays as it is. */
function isReplaced(address: string): boolean {
  return /\{(?:env|file):/.test(address)
}

type Written = { there: unknown; address: string; gate: KnownGate }

/** Earlier settings of the same person, from before the gate stood there: no key of another gate is among them. */
function isOld({ there, address, gate }: Written): boolean {
  if (holdsKey(there)) return false
  const url = readAddress(address)
  if (!url || isLocal(url)) return true
  return gate.gateUrls.some((known) => new URL(known).hostname === url.hostname)
}

const KEY_HEADER = /^(?:authorization|x-api-key|api-key)$/i

/** Whether a key stands in a provider, or a place that one comes from. */
export function holdsKey(provider: unknown): boolean {
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

function unusedName(providers: unknown, nth = 1): string {
  const name = nth === 1 ? 'home' : `home-${nth}`
  return field(providers, name) === undefined ? name : unusedName(providers, nth + 1)
}
