import { expect, test } from 'vitest'
import { reachable, urlElsewhere } from '../../../adapters/cli/paste-url.ts'

test.each([
  ['http://0.0.0.0:3000', 'http://127.0.0.1:3000', 'http://gpu-box:3000'],
  ['http://[::]:3000', 'http://[::1]:3000', 'http://gpu-box:3000'],
  ['http://127.0.0.1:3000', 'http://127.0.0.1:3000', undefined],
  ['http://192.168.1.5:3000', 'http://192.168.1.5:3000', undefined],
  ['http://[::1]:3000', 'http://[::1]:3000', undefined],
])('%s is pasted as %s here and as %s elsewhere', (url, here, elsewhere) => {
  expect([reachable(url), urlElsewhere(url, 'gpu-box')]).toEqual([here, elsewhere])
})
