import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { parseConfig } from '../../src/config/parse-config.ts'
import { sha256 } from '../../adapters/process/sha256.ts'

const PAGES = ['README.md', 'docs/operations.md']
const blocks = PAGES.flatMap((page) => {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')
  return [...text.matchAll(/```json\n(?!\/\/)(.*?)```/gs)].map(([, block = '']) => ({
    page,
    block,
  }))
})

test('the pages show configurations', () => {
  expect([...new Set(blocks.map(({ page }) => page))]).toEqual(PAGES)
})

test.each(blocks)('what $page shows can be pasted into config.json: %#', async ({ block }) => {
  const file = { name: 'config.json', text: block }
  const parsed = await parseConfig({ file, env: {}, readFile: undefined }, sha256)
  expect(parsed).toMatchObject({ ok: true, warnings: [] })
})

const LINKED = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)]

/** The anchor of a heading, as GitHub and its kin make it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')
}

function anchorsOf(page: string): string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, text = '']) =>
    anchorOf(text),
  )
}

test.each(LINKED)('each link of %s leads somewhere', (page) => {
  const links = [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g)]
  const dead = links.filter(([, file = '', anchor = '']) => {
    const target = file === '' ? page : join(dirname(page), file)
    return !existsSync(target) || (anchor !== '' && !anchorsOf(target).includes(anchor))
  })
  expect(dead.map(([link]) => link)).toEqual([])
})
