import { expect, test } from 'vitest'
import { newKeyText } from '../../../adapters/cli/new-key-text.ts'

test('keys without a name get names that differ', async () => {
  const texts = await Promise.all([newKeyText(undefined), newKeyText(undefined)])

  const ids = texts.map((text) => /"id": "(key-[0-9a-f]{6})"/.exec(text)?.[1])
  expect(ids).toEqual([expect.any(String), expect.any(String)])
  expect(ids[0]).not.toBe(ids[1])
})
