import {
  convertIPv4BinaryToString,
  convertIPv4MappedIPv6ToIPv4,
  convertIPv4ToBinary,
  convertIPv6BinaryToString,
  convertIPv6ToBinary,
  isIPv4MappedIPv6,
} from 'hono/utils/ipaddr'
import type { TrustedProxy } from '../config/proxies-schema.ts'

/** The value of a field, several lines joined by a comma. */
type Field = (name: string) => string | undefined

/**
 * Says who a request comes from: the peer, or whom a trusted proxy names. What is missing, doubled or malformed is not
 * guessed at: then it is the peer. The left end of X-Forwarded-For is the client's to write and is never believed.
 *
 * @param proxies those whose word counts; without an entry nobody's does, not even this machine's
 */
export function createClientAddress(
  proxies: readonly TrustedProxy[],
): (peer: string | undefined, field: Field) => string | undefined {
  const known = proxies.map((proxy) => ({ proxy, networks: proxy.from.flatMap(networksOf) }))
  return (peer, field) => {
    const bits = known.length === 0 || peer === undefined ? undefined : bitsOf(peer)
    if (bits === undefined) return peer
    const from = known.find(({ networks }) => networks.some((network) => holds(network, bits)))
    return (from && toldBy(from.proxy, field)) ?? peer
  }
}

function toldBy({ kind, hops }: TrustedProxy, field: Field): string | undefined {
  if (kind === 'cloudflare') return addressIn(field('cf-connecting-ip'))
  const forwardedFor = field('x-forwarded-for')
  // Tailscale puts its own in the place of the client's: a second entry was not written by it.
  if (kind === 'tailscale') return addressIn(forwardedFor)
  return addressIn(forwardedFor?.split(',').at(-hops))
}

/** IPv6 in brackets, with or without a port; IPv4 with a port. */
const WITH_BRACKETS_OR_PORT = /^\[([^\][]*)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/

/** One address, in its shortest spelling; a zone (RFC 4007) means nothing on another machine. */
function addressIn(value: string | undefined): string | undefined {
  const text = value?.trim() ?? ''
  const [, inBrackets, beforePort] = WITH_BRACKETS_OR_PORT.exec(text) ?? []
  const bare = inBrackets ?? beforePort ?? text
  if (inBrackets !== undefined && !bare.includes(':')) return undefined
  const bits = bare.includes('%') ? undefined : bitsOf(bare)
  if (bits === undefined) return undefined
  return isIPv4MappedIPv6(bits)
    ? convertIPv4BinaryToString(convertIPv4MappedIPv6ToIPv4(bits))
    : convertIPv6BinaryToString(bits)
}

type Network = { bits: bigint; length: number }

const IPV4_AS_IPV6 = 0xffffn << 32n

/** An address as 128 bits; IPv4 as its mapped form (RFC 4291 §2.5.5.2), which systems show for it. */
function bitsOf(address: string): bigint | undefined {
  try {
    if (address.includes(':')) return convertIPv6ToBinary(address)
    return IPV4_AS_IPV6 | convertIPv4ToBinary(address)
  } catch {
    return undefined
  }
}

function networksOf(text: string): Network[] {
  const [address = '', length] = text.split('/')
  const bits = bitsOf(address)
  if (bits === undefined) return []
  const isIPv6 = address.includes(':')
  if (length === undefined) return [{ bits, length: 128 }]
  return [{ bits, length: Number(length) + (isIPv6 ? 0 : 96) }]
}

function holds({ bits, length }: Network, address: bigint): boolean {
  // A wide network of IPv6, "::/0" for one, does not mean those of IPv4.
  if (length < 96 && isIPv4MappedIPv6(address)) return false
  const rest = BigInt(128 - length)
  return bits >> rest === address >> rest
}
