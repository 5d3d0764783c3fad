import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TrustedProxy } from '../../../src/config/proxies-schema.ts'
import { createClientAddress } from '../../../src/http/client-address.ts'

const PEER = '127.0.0.1'
const CLIENT = '203.0.113.7'
const FORGED = '198.51.100.66'

type Fields = { xff?: string; cf?: string }

const from = (kind: TrustedProxy['kind'], rest: Partial<TrustedProxy> = {}): TrustedProxy => ({
  from: [PEER, '::1'],
  kind,
  hops: 1,
  ...rest,
})

function addressOf(proxies: TrustedProxy[], fields: Fields, peer: string | undefined = PEER) {
  const values: Record<string, string | undefined> = {
    'x-forwarded-for': fields.xff,
    'cf-connecting-ip': fields.cf,
    'x-real-ip': FORGED,
    'true-client-ip': FORGED,
    forwarded: `for=${FORGED}`,
  }
  return createClientAddress(proxies)(peer, (name) => values[name])
}

const EVERYTHING = { xff: FORGED, cf: FORGED }

describe('without a proxy that is trusted there, no field counts', () => {
  test.each([PEER, '::1', '::ffff:127.0.0.1', '192.168.1.2', '2001:db8::2'])('from %s', (peer) => {
    expect([
      addressOf([], EVERYTHING, peer),
      addressOf([from('cloudflare', { from: ['10.0.0.0/8'] })], EVERYTHING, peer),
    ]).toEqual([peer, peer])
  })

  test('where the peer is not known, nobody is', () => {
    const clientAddress = createClientAddress([from('cloudflare', { from: ['0.0.0.0/0', '::/0'] })])
    expect(clientAddress(undefined, () => FORGED)).toBeUndefined()
  })

  test('where the peer is no address, as on a Unix socket, it stays as it is', () => {
    expect(addressOf([from('cloudflare', { from: ['0.0.0.0/0', '::/0'] })], EVERYTHING, '')).toBe(
      '',
    )
  })
})

describe('cloudflare', () => {
  test.each<[string, Fields, string]>([
    ['names the client', { cf: CLIENT }, CLIENT],
    ['names a client of IPv6', { cf: '2001:DB8:0:0::7' }, '2001:db8::7'],
    ['counts alone: X-Forwarded-For is the client’s', { cf: CLIENT, xff: FORGED }, CLIENT],
    ['does not count when it comes twice', { cf: `${FORGED}, ${CLIENT}` }, PEER],
    ['does not count when it is empty', { cf: '' }, PEER],
    ['does not count when it is no address', { cf: 'unknown' }, PEER],
    ['is not X-Forwarded-For where it is missing', { xff: FORGED }, PEER],
  ])('%s', (_, fields, address) => {
    expect(addressOf([from('cloudflare')], fields)).toBe(address)
  })
})

describe('tailscale', () => {
  test.each<[string, Fields, string]>([
    ['names the client', { xff: CLIENT }, CLIENT],
    ['does not count with two entries: it writes one', { xff: `${FORGED}, ${CLIENT}` }, PEER],
    ['does not count with an empty entry', { xff: `, ${CLIENT}` }, PEER],
    ['does not count when it is no address', { xff: 'localhost' }, PEER],
    ['does not count when it is missing', { cf: FORGED }, PEER],
  ])('%s', (_, fields, address) => {
    expect(addressOf([from('tailscale')], fields)).toBe(address)
  })
})

describe('x-forwarded-for', () => {
  test.each<[string, number, string | undefined, string]>([
    ['of one proxy is the last entry', 1, CLIENT, CLIENT],
    ['of one proxy is not what the client wrote before', 1, `${FORGED}, ${CLIENT}`, CLIENT],
    ['of two proxies is the last but one', 2, `${FORGED}, ${CLIENT}, 10.0.0.2`, CLIENT],
    ['of three proxies', 3, `${FORGED},${CLIENT},10.0.0.2,10.0.0.3`, CLIENT],
    ['with too few entries is not the first one', 2, FORGED, PEER],
    ['that is missing', 1, undefined, PEER],
    ['that is empty', 1, '', PEER],
    ['whose entry is empty', 1, `${FORGED},`, PEER],
    ['whose entry is no address is not the one beside it', 1, `${FORGED}, unknown`, PEER],
    ['whose entry is a name', 1, 'localhost', PEER],
    ['whose entry is obfuscated', 1, '_hidden', PEER],
    ['with a port', 1, `${CLIENT}:4711`, CLIENT],
    ['of IPv6', 1, '2001:db8::7', '2001:db8::7'],
    ['of IPv6 in brackets', 1, '[2001:db8::7]', '2001:db8::7'],
    ['of IPv6 with a port', 1, '[2001:db8::7]:4711', '2001:db8::7'],
    ['of IPv4 as IPv6', 1, `::ffff:${CLIENT}`, CLIENT],
    ['with blanks around', 1, `\t ${CLIENT} `, CLIENT],
    ['with IPv4 in brackets', 1, `[${CLIENT}]`, PEER],
    ['with a zone', 1, 'fe80::1%eth0', PEER],
    ['with a port that is none', 1, `${CLIENT}:port`, PEER],
    ['with a port that is too long', 1, `${CLIENT}:123456`, PEER],
    ['with leading zeros, which some read as octal', 1, '0313.0.113.7', PEER],
    ['with three numbers', 1, '203.0.113', PEER],
    ['with one number', 1, '3405803783', PEER],
    ['with quotes', 1, `"${CLIENT}"`, PEER],
    ['with a line of log behind it', 1, `${CLIENT}\u2028200 POST`, PEER],
  ])('%s', (...row) => {
    const [, hops, xff, address] = row
    expect(
      addressOf([from('x-forwarded-for', { hops })], { ...(xff !== undefined && { xff }) }),
    ).toBe(address)
  })

  test('whatever the client writes before, what the proxies append decides', () => {
    const entry = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ maxLength: 20 }))
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 5 }),
        fc.ipV4(),
        fc.array(fc.ipV4(), { maxLength: 3 }),
        (written, client, proxies) => {
          const xff = [...written, client, ...proxies].join(', ')
          const hops = proxies.length + 1
          expect(addressOf([from('x-forwarded-for', { hops })], { xff })).toBe(client)
        },
      ),
    )
  })
})

test('the first entry that holds the peer decides, also when it then tells nothing', () => {
  const proxies = [
    from('tailscale', { from: ['10.0.0.0/8'] }),
    from('cloudflare', { from: ['10.1.0.0/16'] }),
    from('x-forwarded-for', { from: ['192.168.0.0/16'] }),
  ]
  const fields = { cf: CLIENT, xff: `${FORGED}, 203.0.113.8` }
  expect(
    ['10.1.0.1', '192.168.1.1', '172.16.0.1'].map((peer) => addressOf(proxies, fields, peer)),
  ).toEqual(['10.1.0.1', '203.0.113.8', '172.16.0.1'])
})

/** The 32 bits of an IPv4 address as text. */
function bits(address: string): string {
  const parts = address.split('.').map((part) => Number(part).toString(2).padStart(8, '0'))
  return parts.join('')
}

describe('a network', () => {
  test.each([
    [
      '10.0.0.0/8',
      ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3'],
      ['9.255.255.255', '11.0.0.0'],
    ],
    ['192.0.2.128/25', ['192.0.2.128', '192.0.2.255'], ['192.0.2.127', '192.0.3.128']],
    ['192.0.2.1/32', ['192.0.2.1'], ['192.0.2.0', '192.0.2.2']],
    [
      '192.0.2.1',
      ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:C000:201'],
      ['192.0.2.2', '::192.0.2.1'],
    ],
    // The bits behind the prefix do not count.
    ['10.9.9.9/8', ['10.0.0.1'], ['11.9.9.9']],
    ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255'], ['::1', '2001:db8::1']],
    ['::/0', ['::1', '2001:db8::1'], ['127.0.0.1', '::ffff:127.0.0.1']],
    ['::1', ['::1', '0:0:0:0:0:0:0:1'], ['::2', '127.0.0.1', '0.0.0.1']],
    ['fd00::/8', ['fd00::', 'fdff:ffff::1'], ['fc00::1', 'fe00::']],
    ['2001:db8::/33', ['2001:db8:7fff::1'], ['2001:db8:8000::']],
    ['fe80::/10', ['fe80::1%eth0', 'febf::1'], ['fec0::1']],
    ['::ffff:127.0.0.1', ['127.0.0.1', '::ffff:127.0.0.1'], ['127.0.0.2']],
    ['::ffff:10.0.0.0/104', ['10.1.2.3'], ['11.0.0.0']],
  ])('%s holds %j and not %j', (network, inside, outside) => {
    const told = (peer: string) =>
      addressOf([from('cloudflare', { from: [network] })], { cf: CLIENT }, peer)
    expect([inside.map(told), outside.map(told)]).toEqual([inside.map(() => CLIENT), outside])
  })

  test('of IPv4 holds what agrees with it in the bits of its prefix', () => {
    fc.assert(
      fc.property(
        fc.ipV4(),
        fc.ipV4(),
        fc.record({
          length: fc.integer({ min: 0, max: 32 }),
          keep: fc.integer({ min: 0, max: 32 }),
        }),
        (address, other, { length, keep }) => {
          // An address that shares its first bits with the network's: chance alone would find none.
          const mixed = bits(address).slice(0, keep) + bits(other).slice(keep)
          const peer = [0, 8, 16, 24].map((at) => parseInt(mixed.slice(at, at + 8), 2)).join('.')
          const isInside = mixed.slice(0, length) === bits(address).slice(0, length)
          const proxies = [from('cloudflare', { from: [`${address}/${length}`] })]
          expect(addressOf(proxies, { cf: CLIENT }, peer)).toBe(isInside ? CLIENT : peer)
          expect(addressOf(proxies, { cf: CLIENT }, `::ffff:${peer}`)).toBe(
            isInside ? CLIENT : `::ffff:${peer}`,
          )
        },
      ),
    )
  })
})

test('whatever a field says, the address is one, or the peer', () => {
  const piece = fc.oneof(
    fc.constantFrom(',', ':', '.', '[', ']', '%', '1', 'ff', '::', ' '),
    fc.string(),
  )
  const kinds = fc.constantFrom<TrustedProxy['kind']>('cloudflare', 'tailscale', 'x-forwarded-for')
  fc.assert(
    fc.property(kinds, fc.array(piece, { maxLength: 12 }), (kind, pieces) => {
      const text = pieces.join('')
      const address = addressOf([from(kind)], { xff: text, cf: text })
      expect(address).toMatch(/^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-f:]+)$/)
    }),
  )
})
