import { expect, test } from 'vitest'
import { hasScope, type Principal } from '../../../src/auth/principal.ts'
import { limitsOf } from '../limit/limits.ts'

function holder(...scopes: Principal['scopes'][number][]): Principal {
  return {
    keyId: 'laptop',
    scopes,
    models: ['*'],
    swap: 'evict',
    weight: 1,
    limits: limitsOf({}),
    edge: false,
  }
}

test('one of the needed scopes is enough', () => {
  expect(hasScope(holder('inference', 'status'), ['status', 'admin'])).toBe(true)
})

test('a scope that is not needed does not help, not even admin', () => {
  expect(hasScope(holder('admin'), ['inference'])).toBe(false)
  expect(hasScope(holder('inference'), ['status', 'admin'])).toBe(false)
})

test('a key without scopes may nothing, and nothing needed is not a right', () => {
  expect(hasScope(holder(), ['inference', 'status', 'admin'])).toBe(false)
  expect(hasScope(holder('admin'), [])).toBe(false)
})
