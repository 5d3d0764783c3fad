import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createKeyring } from '../../../src/auth/keyring.ts'
import type { KeyConfig } from '../../../src/config/schema.ts'
import { limitsOf } from '../limit/limits.ts'

const NOON = Date.parse('2026-06-01T12:00:00Z')

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function keyFor(secret: string, rest: Partial<KeyConfig> = {}): KeyConfig {
  return {
    id: 'laptop',
    secret: `sha256:${sha256(secret)}`,
    scopes: ['inference'],
    models: ['*'],
    disabled: false,
    swap: 'evict',
    weight: 1,
    limits: limitsOf({}),
    edge: false,
    ...rest,
  }
}

const UNKNOWN = { ok: false, error: { kind: 'credential-unknown' } }

test('a known secret is found with the rights of its key', async () => {
  const ring = createKeyring(
    [
      keyFor('sk-1'),
      keyFor('sk-2', {
        id: 'phone',
        scopes: ['status', 'admin'],
        models: ['a', 'b*'],
        swap: 'use',
        weight: 2,
        limits: limitsOf({ tokensPerDay: 1000 }),
        edge: true,
      }),
    ],
    sha256,
  )
  expect(await ring.find('sk-2', NOON)).toEqual({
    ok: true,
    principal: {
      keyId: 'phone',
      scopes: ['status', 'admin'],
      models: ['a', 'b*'],
      swap: 'use',
      weight: 2,
      limits: limitsOf({ tokensPerDay: 1000 }),
      edge: true,
    },
  })
})

test('an unknown secret is told from the other faults, and names no key', async () => {
  const ring = createKeyring([keyFor('sk-1')], sha256)
  expect(await ring.find('sk-2', NOON)).toEqual(UNKNOWN)
})

test('an empty ring knows nobody', async () => {
  expect(await createKeyring([], sha256).find('', NOON)).toEqual(UNKNOWN)
})

test('a disabled key is refused with its id for the log', async () => {
  const ring = createKeyring([keyFor('sk-1', { disabled: true })], sha256)
  expect(await ring.find('sk-1', NOON)).toEqual({
    ok: false,
    error: { kind: 'key-disabled' },
    keyId: 'laptop',
  })
})

test('a disabled key stays disabled after it has expired', async () => {
  const ring = createKeyring(
    [keyFor('sk-1', { disabled: true, expires: '2026-06-01T11:00:00Z' })],
    sha256,
  )
  expect(await ring.find('sk-1', NOON)).toMatchObject({ error: { kind: 'key-disabled' } })
})

describe('expiry', () => {
  const expired = { ok: false, error: { kind: 'key-expired' }, keyId: 'laptop' }
  const passes = {
    ok: true,
    principal: {
      keyId: 'laptop',
      scopes: ['inference'],
      models: ['*'],
      swap: 'evict',
      weight: 1,
      limits: limitsOf({}),
      edge: false,
    },
  }

  test.each([
    ['one millisecond before', NOON - 1, passes],
    ['at the moment itself', NOON, expired],
    ['after it', NOON + 1, expired],
  ])('%s', async (_when, now, result) => {
    const ring = createKeyring([keyFor('sk-1', { expires: '2026-06-01T12:00:00Z' })], sha256)
    expect(await ring.find('sk-1', now)).toEqual(result)
  })

  test('is read with its offset from UTC', async () => {
    const ring = createKeyring([keyFor('sk-1', { expires: '2026-06-01T14:00:00+02:00' })], sha256)
    expect([await ring.find('sk-1', NOON - 1), await ring.find('sk-1', NOON)]).toEqual([
      passes,
      expired,
    ])
  })
})

test('the stored hash opens nothing', async () => {
  const key = keyFor('sk-1')
  const ring = createKeyring([key], sha256)
  expect([
    await ring.find(key.secret, NOON),
    await ring.find(key.secret.slice('sha256:'.length), NOON),
  ]).toEqual([UNKNOWN, UNKNOWN])
})

test('only the whole secret opens, in its case', async () => {
  const secret = fc.stringMatching(/^[\x21-\x2b\x2d-\x7e]{1,40}$/)
  await fc.assert(
    fc.asyncProperty(secret, secret, async (known, presented) => {
      const ring = createKeyring([keyFor(known)], sha256)
      const found = await ring.find(presented, NOON)
      expect(found.ok).toBe(presented === known)
      expect((await ring.find(known.slice(0, -1), NOON)).ok).toBe(false)
      expect((await ring.find(known, NOON)).ok).toBe(true)
    }),
  )
})

test('a look-up costs one hash, whatever was presented and however many keys there are', async () => {
  const keys = Array.from({ length: 1000 }, (_, i) => keyFor(`sk-${i}`, { id: `key-${i}` }))
  const hashed: string[] = []
  const ring = createKeyring(keys, async (text) => {
    hashed.push(text)
    return sha256(text)
  })
  await ring.find('sk-0', NOON)
  await ring.find('sk-999', NOON)
  await ring.find('sk-unknown', NOON)
  expect(hashed).toEqual(['sk-0', 'sk-999', 'sk-unknown'])
})
