import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseConfig } from '../../src/config/parse-config.ts'
import { sha256 } from '../../adapters/process/sha256.ts'

const PAGES = ['README.md', 'docs/operations.md']
const blocks = PAGES.flatMap((page) => {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')
  return [...text.matchAll(/```json\n(.*?)```/gs)].map(([, block = '']) => ({ page, block }))
})

test('the pages show configurations', () => {
  expect([...new Set(blocks.map(({ page }) => page))]).toEqual(PAGES)
})

test.each(blocks)('what $page shows can be pasted into config.json: %#', async ({ block }) => {
  const file = { name: 'config.json', text: block }
  const parsed = await parseConfig({ file, env: {}, readFile: undefined }, sha256)
  expect(parsed).toMatchObject({ ok: true, warnings: [] })
})
