import { expect, test } from 'vitest'
import { firstConfig } from '../../../src/cli/key-entry.ts'
import { newSecret } from '../../../src/cli/new-secret.ts'
import { parseConfig } from '../../../src/config/parse-config.ts'

const HASH = 'a'.repeat(64)

test('the first configuration is one that the gate takes without a warning', async () => {
  const file = { name: 'config.json', text: firstConfig(HASH, true) }

  const parsed = await parseConfig({ file, env: {}, readFile: undefined }, () => '')

  expect(parsed).toMatchObject({
    ok: true,
    warnings: [],
    config: {
      keys: [{ id: 'default', secret: `sha256:${HASH}`, scopes: ['inference', 'status'] }],
    },
  })
})

test('a secret is "sk-" and 256 bits that never come twice', () => {
  const secrets = Array.from({ length: 100 }, () => newSecret())

  expect(secrets.filter((secret) => /^sk-[A-Za-z0-9_-]{43}$/.test(secret))).toEqual(secrets)
  expect(new Set(secrets).size).toBe(100)
})
