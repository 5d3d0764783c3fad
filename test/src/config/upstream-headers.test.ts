import { expect, test } from 'vitest'
import { configSchema } from '../../../src/config/schema.ts'

const accepts = (name: string): boolean =>
  configSchema.safeParse({ upstream: { headers: { [name]: 'x' } } }).success

test.each(['CF-Access-Client-Id', 'X-Tunnel-Secret', 'Authorization'])(
  '%s may be added to each request to llama-swap',
  (name) => {
    expect(accepts(name)).toBe(true)
  },
)

test.each([
  'Connection',
  'Transfer-Encoding',
  'content-length',
  'Content-Type',
  'Accept-Encoding',
  'Expect',
  'Upgrade',
  'Host',
  'Via',
  'Swapgate-Client',
])('%s may not: the gate writes it', (name) => {
  expect(accepts(name)).toBe(false)
})
