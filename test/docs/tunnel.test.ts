import { readFileSync } from 'node:fs'
import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { sha256 } from '../../adapters/process/sha256.ts'
import { parseConfig } from '../../src/config/parse-config.ts'
import { serverSettings, tunnelCommand } from '../real/tunnel-recipe.ts'

const page = readFile('docs/tunnel.md')

/** What the configurations of the page take from the environment. */
const ENVIRONMENT = {
  HOME_KEY: 'sk-home-0123456789abcdef0123456789',
  UPSTREAM_API_KEY: 'sk-home-0123456789abcdef0123456789',
  CF_ACCESS_CLIENT_ID: '0123456789abcdef.access',
  CF_ACCESS_CLIENT_SECRET: '0123456789abcdef0123456789abcdef',
}

function readFile(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
}

/** The blocks of one language, with the heading that each of them stands under. */
function blocksOf(language: string): { heading: string; text: string }[] {
  return page.split(/^## /m).flatMap((section) => {
    const heading = section.split('\n', 1)[0] ?? ''
    const blocks = section.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))
    return [...blocks].map(([, text = '']) => ({ heading, text }))
  })
}

const configurations = blocksOf('json')
const tomls = blocksOf('toml')

test('each recipe shows its configuration', () => {
  const shown = [...configurations, ...tomls].map(({ heading }) => heading)
  const recipes = [...page.matchAll(/^## (\d\. .*)$/gm)].map(([, heading]) => heading)
  expect(recipes).toHaveLength(5)
  expect([...new Set(shown)].toSorted()).toEqual(recipes)
})

test.each(configurations)(
  'the configuration under "$heading" is one, with nothing to warn of: %#',
  async ({ text }) => {
    const file = { name: 'config.json', text }
    const input = { file, env: ENVIRONMENT, readFile: undefined, hashedOnly: true }
    expect(await parseConfig(input, sha256)).toMatchObject({ ok: true, warnings: [] })
  },
)

test.each(tomls)('the TOML under "$heading" is TOML: %#', ({ text }) => {
  expect(Object.keys(parse(text))).not.toEqual([])
})

test('what the page adds to wrangler.toml may stand at its top', () => {
  const added = tomls.find(({ text }) => text.startsWith('routes'))?.text ?? ''
  const before = parse(readFile('wrangler.toml'))
  expect(parse(added + readFile('wrangler.toml'))).toEqual({
    ...before,
    routes: [{ pattern: 'llm.example.com', custom_domain: true }],
  })
})

test('both ends of the ssh recipe name the same port', () => {
  const listens = /^ *PermitListen (\S+)$/m.exec(serverSettings())?.[1]
  const asked = / -R (\S+:\d+):127\.0\.0\.1:3000 /.exec(tunnelCommand())?.[1]
  expect([listens, asked]).toEqual(['127.0.0.1:8443', '127.0.0.1:8443'])
})

test('the settings of sshd that are tried are all that the page shows', () => {
  expect(serverSettings()).toMatch(/^# .*\nMatch User tunnel\n(?: {4}\w+ .*\n)+$/)
})
