import { expect, test } from 'vitest'
import { newKeyText } from '../../../adapters/cli/new-key-text.ts'
import { sha256 } from '../../../adapters/process/sha256.ts'

const NAMELESS = { id: undefined, edge: false }

test('keys without a name get names that differ', async () => {
  const texts = await Promise.all([newKeyText(NAMELESS), newKeyText(NAMELESS)])

  const ids = texts.map((text) => /"id": "(key-[0-9a-f]{6})"/.exec(text)?.[1])
  expect(ids).toEqual([expect.any(String), expect.any(String)])
  expect(ids[0]).not.toBe(ids[1])
})

test('the key of another gate gets an entry that says so, without a rate of its own', async () => {
  const text = await newKeyText({ id: 'vps', edge: true })
  const [secret = ''] = text.split('\n')
  expect(JSON.parse(text.slice(text.indexOf('{')))).toEqual({
    id: 'vps',
    secret: `sha256:${await sha256(secret)}`,
    scopes: ['inference'],
    edge: true,
    limits: { requestsPerMinute: null },
  })
})
