import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readToldClient, writeToldClient } from '../../../src/proxy/told-client.ts'

describe('what is written of a client', () => {
  test.each([
    ['203.0.113.7', 'friend', '"203.0.113.7";key="friend"'],
    ['2001:db8::1', 'worker/friend', '"2001:db8::1";key="worker/friend"'],
    ['::ffff:192.0.2.1', 'a', '"::ffff:192.0.2.1";key="a"'],
    ['fe80::1%eth0', 'a', '"fe80::1";key="a"'],
    [undefined, 'friend', '"unknown";key="friend"'],
    ['', 'friend', '"unknown";key="friend"'],
    ['a "host', 'friend', '"unknown";key="friend"'],
  ])('%j with key %j', (address, keyId, field) => {
    expect(writeToldClient({ address, keyId })).toBe(field)
  })

  test.each(['', 'a b', 'ü', 'a"b', 'a\nb', 'x'.repeat(201)])(
    'is nothing for the key %j, which no gate has',
    (keyId) => {
      expect(writeToldClient({ address: '192.0.2.1', keyId })).toBeUndefined()
    },
  )
})

describe('what is read of a client', () => {
  test.each([
    ['"203.0.113.7";key="friend"', { address: '203.0.113.7', keyId: 'friend' }],
    // RFC 9651 §4.2.3.2: spaces may stand before a parameter's name.
    ['"203.0.113.7"; key="friend"', { address: '203.0.113.7', keyId: 'friend' }],
    ['"unknown";key="vps/worker/friend"', { address: undefined, keyId: 'vps/worker/friend' }],
    ['"2001:DB8::1";key="A._-9"', { address: '2001:DB8::1', keyId: 'A._-9' }],
    [`"::";key="${'x'.repeat(200)}"`, { address: '::', keyId: 'x'.repeat(200) }],
  ])('%j', (field, told) => {
    expect(readToldClient(field)).toEqual(told)
  })

  test.each([
    undefined,
    '',
    '203.0.113.7;key="friend"',
    '"203.0.113.7"',
    '"203.0.113.7";key=friend',
    '"203.0.113.7";key=""',
    '"203.0.113.7";key="a b"',
    '"203.0.113.7";key="a\\"b"',
    `"203.0.113.7";key="${'x'.repeat(201)}"`,
    '"203.0.113.7";key="friend";admin',
    '"203.0.113.7";key="friend";key="owner"',
    '"203.0.113.7";id="friend"',
    ' "203.0.113.7";key="friend"',
    '"203.0.113.7";key="friend", "203.0.113.8";key="owner"',
    '"203.0.113.256";key="friend"',
    '"203.0.113";key="friend"',
    '"203.0.113.7.";key="friend"',
    '"0300.0.0.1";key="friend"',
    '"1234";key="friend"',
    '"2001:db8::1::2";key="friend"',
    '"[2001:db8::1]";key="friend"',
    '"2001:db8::1%eth0";key="friend"',
    '"203.0.113.7:80";key="friend"',
    '"";key="friend"',
    '"Unknown";key="friend"',
    '"203.0.113.7";key="friend"\n',
  ])('is nothing in %j', (field) => {
    expect(readToldClient(field)).toBeUndefined()
  })

  test('is what was written, for every address and key', () => {
    const address = fc.option(fc.oneof(fc.ipV4(), fc.ipV6()), { nil: undefined })
    const keyId = fc.stringMatching(/^[A-Za-z0-9._/-]{1,200}$/)
    fc.assert(
      fc.property(address, keyId, (told, key) => {
        const client = { address: told, keyId: key }
        expect(readToldClient(writeToldClient(client))).toEqual(client)
      }),
    )
  })

  test('is a client that can be written again, or nothing, in any text', () => {
    const piece = fc.oneof(
      fc.constantFrom('"', ';', 'key=', '::', '1.2.3.4', 'a', ','),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const told = readToldClient(pieces.join(''))
        expect(told && readToldClient(writeToldClient(told))).toEqual(told)
      }),
    )
  })
})
