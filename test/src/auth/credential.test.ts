import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCredential } from '../../../src/auth/credential.ts'

const NONE = { kind: 'none' } as const
const MALFORMED = { kind: 'malformed' } as const
const CONFLICT = { kind: 'conflict' } as const

function basic(userAndPassword: string): string {
  return `Basic ${Buffer.from(userAndPassword, 'latin1').toString('base64')}`
}

describe('Authorization: Bearer', () => {
  test.each([
    'Bearer sk-1',
    'bearer sk-1',
    'BEARER sk-1',
    'Bearer  sk-1',
    'Bearer sk-1 ',
    ' Bearer sk-1',
  ])('%j presents its token', (field) => {
    expect(readCredential(field, undefined)).toEqual({
      kind: 'secret',
      secret: 'sk-1',
      scheme: 'bearer',
    })
  })

  test.each([
    ['nothing behind the scheme, as from an unset variable', 'Bearer '],
    ['only the scheme', 'Bearer'],
    ['an empty field', ''],
    ['a bare token', 'sk-1'],
    ['another scheme', 'Token sk-1'],
    ['two tokens', 'Bearer sk-1 sk-2'],
    ['a tab instead of a space', 'Bearer\tsk-1'],
    ['two fields joined by the runtime', 'Bearer sk-1, Bearer sk-2'],
    ['two equal fields joined by the runtime', 'Bearer sk-1, Bearer sk-1'],
    ['two fields joined without a space', 'Bearer sk-1,sk-2'],
    ['a letter beyond ASCII', 'Bearer sk-ä'],
    ['a control character', 'Bearer sk-\u0001'],
    ['the scheme twice', 'Bearer Bearer sk-1'],
    ['a no-break space in front', '\u00a0Bearer sk-1'],
    ['a no-break space behind', 'Bearer sk-1\u00a0'],
  ])('with %s is malformed', (_why, field) => {
    expect(readCredential(field, undefined)).toEqual(MALFORMED)
  })
})

describe('x-api-key', () => {
  test.each(['sk-1', ' sk-1 '])('%j presents its value', (field) => {
    expect(readCredential(undefined, field)).toEqual({
      kind: 'secret',
      secret: 'sk-1',
      scheme: 'x-api-key',
    })
  })

  test.each([undefined, '', '  '])('%j presents nothing', (field) => {
    expect(readCredential(undefined, field)).toEqual(NONE)
  })

  test.each(['sk-1 sk-2', 'sk-1, sk-2', 'sk-1,sk-1', 'schlüssel', '\u00a0', 'sk-1\u00a0'])(
    '%j is malformed',
    (field) => {
      expect(readCredential(undefined, field)).toEqual(MALFORMED)
    },
  )
})

describe('Authorization: Basic (RFC 7617)', () => {
  test.each([
    ['any user name', basic('owner:sk-1')],
    ['no user name', basic(':sk-1')],
    ['another case of the scheme', basic('owner:sk-1').replace('Basic', 'bAsIc')],
    ['no padding', basic('owner:sk-1').replaceAll('=', '')],
  ])('presents the password, with %s', (_why, field) => {
    expect(readCredential(field, undefined)).toEqual({
      kind: 'secret',
      secret: 'sk-1',
      scheme: 'basic',
    })
  })

  test('splits at the first colon, so a password may hold colons', () => {
    expect(readCredential(basic('owner:a:b'), undefined)).toEqual({
      kind: 'secret',
      secret: 'a:b',
      scheme: 'basic',
    })
  })

  test('reads the URL-safe alphabet, too', () => {
    const field = basic('u:>>>???').replaceAll('+', '-').replaceAll('/', '_')
    expect(field).toMatch(/[-_]/)
    expect(readCredential(field, undefined)).toEqual({
      kind: 'secret',
      secret: '>>>???',
      scheme: 'basic',
    })
  })

  test.each([
    ['no colon', basic('sk-1')],
    ['an empty password', basic('owner:')],
    ['a space in the password', basic('owner:a b')],
    ['a comma in the password', basic('owner:a,b')],
    ['a letter beyond ASCII', basic('owner:ä')],
    ['text that is no base64', 'Basic owner:sk-1'],
    ['an impossible length of base64', 'Basic A'],
    ['nothing', 'Basic '],
  ])('with %s is malformed', (_why, field) => {
    expect(readCredential(field, undefined)).toEqual(MALFORMED)
  })
})

describe('both fields in one request', () => {
  test('that agree are one credential', () => {
    expect(readCredential('Bearer sk-1', 'sk-1')).toEqual({
      kind: 'secret',
      secret: 'sk-1',
      scheme: 'bearer',
    })
    expect(readCredential(basic('owner:sk-1'), 'sk-1')).toEqual({
      kind: 'secret',
      secret: 'sk-1',
      scheme: 'basic',
    })
  })

  test('that differ are a conflict, whichever would be right', () => {
    expect(readCredential('Bearer sk-1', 'sk-2')).toEqual(CONFLICT)
    expect(readCredential(basic('owner:sk-1'), 'sk-2')).toEqual(CONFLICT)
    expect(readCredential('Bearer sk-1', 'SK-1')).toEqual(CONFLICT)
  })

  test('of which one is malformed are malformed: no right key rescues a broken field', () => {
    expect(readCredential('Digest x', 'sk-1')).toEqual(MALFORMED)
    expect(readCredential('Bearer sk-1', 'sk-1, sk-1')).toEqual(MALFORMED)
  })

  test('of which x-api-key is empty count as Authorization alone', () => {
    expect(readCredential('Bearer sk-1', '')).toEqual({
      kind: 'secret',
      secret: 'sk-1',
      scheme: 'bearer',
    })
  })
})

test('no field at all presents nothing', () => {
  expect(readCredential(undefined, undefined)).toEqual(NONE)
})

describe('for every request', () => {
  const token = fc.stringMatching(/^[\x21-\x2b\x2d-\x7e]{1,80}$/)
  const scheme = fc.constantFrom('Bearer ', 'Basic ', 'Token ', 'bearer  ', '')
  const field = fc.tuple(scheme, fc.string({ unit: 'binary' })).map((parts) => parts.join(''))

  test('a token comes out as it went in, from either field and as a password', () => {
    fc.assert(
      fc.property(token, (secret) => {
        const read = [
          readCredential(`Bearer ${secret}`, undefined),
          readCredential(undefined, secret),
          readCredential(basic(`user:${secret}`), undefined),
          readCredential(`Bearer ${secret}`, secret),
        ]
        expect(read).toEqual([
          { kind: 'secret', secret, scheme: 'bearer' },
          { kind: 'secret', secret, scheme: 'x-api-key' },
          { kind: 'secret', secret, scheme: 'basic' },
          { kind: 'secret', secret, scheme: 'bearer' },
        ])
      }),
    )
  })

  test('two different tokens are a conflict', () => {
    fc.assert(
      fc.property(token, token, (first, second) => {
        fc.pre(first !== second)
        expect(readCredential(`Bearer ${first}`, second)).toEqual(CONFLICT)
      }),
    )
  })

  test('two joined fields are never a secret', () => {
    fc.assert(
      fc.property(token, token, (first, second) => {
        expect([
          readCredential(`Bearer ${first}, Bearer ${second}`, undefined),
          readCredential(undefined, `${first}, ${second}`),
        ]).toEqual([MALFORMED, MALFORMED])
      }),
    )
  })

  test('nothing throws, and a secret is always one run of printable ASCII without a comma', () => {
    fc.assert(
      fc.property(fc.option(field), fc.option(field), (authorization, apiKey) => {
        const read = readCredential(authorization ?? undefined, apiKey ?? undefined)
        expect(read.kind === 'secret' ? read.secret : 'none').toMatch(/^[\x21-\x2b\x2d-\x7e]+$/)
      }),
      { numRuns: 1000 },
    )
  })
})
