import { describe, expect, test } from 'vitest'
import { isLoopback, isThisMachine } from '../../../src/config/is-loopback.ts'

const LOOPBACK = ['127.0.0.1', '127.1.2.3', 'localhost', 'LOCALHOST', '::1', '::ffff:127.0.0.1']
const ANY = ['0.0.0.0', '::']
const OTHERS = [
  '192.168.1.5',
  '10.0.0.1',
  'gpu-box',
  'localhost.example',
  'my-localhost',
  '127.0.0.1.example',
  '1127.0.0.1',
  '127.0.0',
  '126.0.0.1',
  '::11',
  '1::1',
  '',
  ' 127.0.0.1',
  '::ffff:10.0.0.1',
]

describe('an address that reaches this machine only', () => {
  test.each(LOOPBACK)('%s is loopback', (host) => {
    expect(isLoopback(host)).toBe(true)
  })

  test.each([...ANY, ...OTHERS])('%j is not', (host) => {
    expect(isLoopback(host)).toBe(false)
  })
})

describe('an address at which this machine answers itself', () => {
  test.each([...LOOPBACK, ...ANY])('%s', (host) => {
    expect(isThisMachine(host)).toBe(true)
  })

  test.each(OTHERS)('not %j', (host) => {
    expect(isThisMachine(host)).toBe(false)
  })
})
