import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseConfig } from '../../src/config/parse-config.ts'
import { sha256 } from '../../adapters/process/sha256.ts'

const text = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const blocks = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, block]) => block ?? '')

test('the README shows at least one configuration', () => {
  expect(blocks.length).toBeGreaterThan(0)
})

test.each(blocks)('what the README shows can be pasted into config.json: %#', async (block) => {
  const file = { name: 'config.json', text: block }
  const parsed = await parseConfig({ file, env: {}, readFile: undefined }, sha256)
  expect(parsed).toMatchObject({ ok: true, warnings: [] })
})
