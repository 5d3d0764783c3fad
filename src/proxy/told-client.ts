/** The field in which a gate tells the gate behind it about its client. */
export const TOLD_CLIENT = 'swapgate-client'

/** What one gate tells another of its client. */
export type ToldClient = {
  /** IPv4 or IPv6, without port; undefined where the gate does not know it. */
  address: string | undefined
  /** Name of the client's key there; a chain of gates gives `worker/friend`. */
  keyId: string
}

const UNKNOWN = 'unknown'
const KEY_ID = /^[A-Za-z0-9._/-]{1,200}$/

/**
 * Writes the field: an RFC 9651 Item, the address as a String, the key's name as its parameter.
 *
 * @returns undefined for a name that no gate gives
 */
export function writeToldClient({ address, keyId }: ToldClient): string | undefined {
  if (!KEY_ID.test(keyId)) return undefined
  const told = address?.replace(/%.*$/s, '')
  return `"${told !== undefined && isAddress(told) ? told : UNKNOWN}";key="${keyId}"`
}

const FIELD = /^"([0-9A-Fa-f.:]{2,45}|unknown)"; *key="([^"]*)"$/

/** Reads the field; undefined for anything that no gate writes, two of them joined by a comma for one. */
export function readToldClient(value: string | undefined): ToldClient | undefined {
  const [, address = '', keyId = ''] = FIELD.exec(value ?? '') ?? []
  if (!KEY_ID.test(keyId)) return undefined
  if (address === UNKNOWN) return { address: undefined, keyId }
  return isAddress(address) ? { address, keyId } : undefined
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/

function isAddress(text: string): boolean {
  if (IPV4.test(text)) return true
  // The URL parser (WHATWG URL §3.5) takes IPv6 in brackets, and no zone.
  return /^[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*$/.test(text) && URL.canParse(`http://[${text}]/`)
}
