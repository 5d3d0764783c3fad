import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isCopied, secretsIn } from '../../../../../src/opencode/check/address/address-secrets.ts'
import { aCheck } from '../check-samples.ts'

test.each([
  ['http://localhost:3000/v1', []],
  ['http://localhost:3000/v1?', []],
  ['http://me:s%40crd@localhost:3000/v1', ['s@crd']],
  ['http://token@localhost:3000/v1', ['token']],
  ['http://a:b@h/v1?x=1&y&z=%zz#end', ['b', '1', 'y', '%zz', 'end']],
  ['me:pw@localhost:3000', ['pw']],
  ['http://h/v1?mail=a@b', ['a@b']],
  ['http://h/sk-THE-ONLY-COPY-OF-IT/v1', ['sk-THE-ONLY-COPY-OF-IT']],
  ['http://h/desk-top/upstream/v1/chat/completions', []],
  ['http://h/v1/0123456789abcdef0123', ['0123456789abcdef0123']],
])('in %s, what may be a key is %j', (address, secrets) => {
  expect(secretsIn(address)).toEqual(secrets)
})

test('a key is found wherever an address can hold one', () => {
  const place = fc.constantFrom<(key: string) => string>(
    (key) => `http://${key}@box/v1`,
    (key) => `http://me:${key}@box:3000`,
    (key) => `https://box/v1?api_key=${key}`,
    (key) => `https://box/v1?a=1&key=${key}#x`,
    (key) => `box/v1#${key}`,
  )
  fc.assert(
    fc.property(place, fc.string({ minLength: 1 }), (write, key) => {
      expect(secretsIn(write(encodeURIComponent(key)))).toContain(key)
    }),
  )
})

test('an address can go where a variable holds all that may be a key in it', () => {
  const { machine } = aCheck()
  const addresses = ['http://h/v1', 'http://a:very-secret@h', 'http://a:very-secret@h?b=other']
  expect(addresses.map((address) => isCopied(address, machine))).toEqual([true, true, false])
})
