import { entries, field } from '../json/read-unknown.ts'
import { isKeyInPath, secretsIn } from './check/address/address-secrets.ts'
import { isOnServerOf, isSameServer } from './check/providers-of-gate.ts'
import { withoutKeys } from './check/keys/secrets.ts'
import { KEY_HEADER, namesOfKey } from './key-variable.ts'
import {
  addressOf,
  isAtGate,
  isBehindGate,
  isFilledIn,
  readAddress,
  type KnownGate,
} from './known-gate.ts'
import { KEY_VARIABLE, PROVIDER_ID } from './render-config.ts'

/** A provider of that name is for another gate: what stands there, also its key, is not for this one. */
export class AnotherGate extends Error {
  /** A name under which this gate's settings can stand beside it. */
  readonly freeName: string

  constructor(message: string, name: string) {
    super(message)
    this.freeName = name
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
  const address = addressOf(there, gate)
  if (isAtGate(address, gate)) return id
  const isUsual = id === PROVIDER_ID
  const other = entries(providers).find(([, each]) => isAtGate(addressOf(each, gate), gate))
  if (other && isUsual) return other[0]
  if (address === undefined) return id
  // A text that OpenCode fills in stays, so that all else would go to where it leads.
  if (!isFilledIn(there)) {
    if (isOld({ there, address, gate })) return id
    // Whatever else listens there, a provider with the usual name is meant for llama-swap.
    if (isUsual && isBehindGate(address, gate)) return id
  }
  throw new AnotherGate(
    `provider.${id} leads to ${shown(address)}: another gate.`,
    freeName(document),
  )
}

type Written = { there: unknown; address: string; gate: KnownGate }

/** The port that llama-swap has unless it is told otherwise. */
const USUAL_PORT = '8080'

/** Earlier settings of the same person, from before the gate stood there: no key of another gate is among them. */
function isOld({ there, address, gate }: Written): boolean {
  if (holdsKey(there)) return false
  const url = readAddress(address)
  if (!url) return true
  const hasSecret = secretsIn(address).length > 0
  return gate.gateUrls.some((known) => {
    if (isOnServerOf(url, known)) return true
    return !hasSecret && url.port === USUAL_PORT && isSameServer(withPortOf(url, known), known)
  })
}

function withPortOf(url: URL, known: string): URL {
  const moved = new URL(url)
  moved.port = new URL(known).port
  return moved
}

/** Whether a key stands in a provider, or a place that one comes from. */
export function holdsKey(provider: unknown): boolean {
  const options = field(provider, 'options')
  const apiKey = field(options, 'apiKey')
  const models = entries(field(provider, 'models')).map(([, model]) => model)
  return (
    namesOfKey(provider).some((name) => name !== KEY_VARIABLE) ||
    (typeof apiKey === 'string' && apiKey.trim() !== '') ||
    [options, ...models].some((each) =>
      entries(field(each, 'headers')).some(([name]) => KEY_HEADER.test(name)),
    )
  )
}

/** Neither what stands before the host nor what follows the path: either may be a key. */
function shown(address: string): string {
  const url = readAddress(address)
  if (!url) return 'elsewhere'
  const path = url.pathname.split('/').map((part) => (isKeyInPath(part) ? '<a key>' : part))
  return withoutKeys(url.origin + path.join('/'))
}

/** A name that no provider of a file has, in either form. */
export function freeName(document: unknown, nth = 1): string {
  const name = nth === 1 ? 'home' : `home-${nth}`
  const isTaken = ['provider', 'providers'].some(
    (section) => field(field(document, section), name) !== undefined,
  )
  return isTaken ? freeName(document, nth + 1) : name
}
