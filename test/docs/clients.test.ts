import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { sha256 } from '../../adapters/process/sha256.ts'
import { parseConfig } from '../../src/config/parse-config.ts'
import type { ClientName } from '../../src/connect/clients.ts'
import { snippetFor } from '../../src/connect/snippets.ts'
import { chatModel } from '../src/connect/models.ts'

const page = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8')

/** The gate that the page writes of. */
const GATE = {
  baseUrl: 'http://box:3000',
  models: [
    chatModel({ id: 'qwen3-coder-next', name: 'Qwen3 Coder Next' }),
    chatModel({
      id: 'gpt-oss-120b',
      name: 'GPT-OSS 120B',
      context: { tokens: 98_304, source: 'props', certainty: 'exact', why: '' },
    }),
  ],
  keyVariable: 'LLAMA_SWAP_API_KEY',
}

type Block = { language: string; text: string }

/** The blocks between a heading and the next one. */
function blocksUnder(heading: string): Block[] {
  const [, section = ''] = page.split(new RegExp(`^#+ ${heading}$`, 'm'))
  const [own = ''] = section.split(/^#{2,} /m)
  return [...own.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language = '', text = '']) => ({
    language,
    text,
  }))
}

/** What the gate writes for a client, without the line with the key, which the page has once. */
function blocksFor(client: ClientName): Block[] {
  const { blocks } = snippetFor(client, GATE)
  return blocks
    .filter(({ text }) => text !== KEY_LINE)
    .map(({ language, text }) => ({ language, text }))
}

/** A block as it is compared: the formatter of this repository chooses other quotes for YAML. */
function comparable({ language, text }: Block): unknown {
  return { language, text: language === 'yaml' ? parse(text) : text }
}

const KEY_LINE = "export LLAMA_SWAP_API_KEY='sk-...'\n"

const SECTIONS: [heading: string, client: ClientName][] = [
  ['OpenCode', 'opencode'],
  ['Claude Code', 'claude'],
  ['Codex', 'codex'],
  ['Zed', 'zed'],
  ['Continue', 'continue'],
  ['Open WebUI', 'open-webui'],
  ['aider', 'aider'],
  ['curl', 'curl'],
]

describe('docs/clients.md', () => {
  test.each(SECTIONS)('under "%s" stands what the gate writes', (heading, client) => {
    expect(blocksUnder(heading).map(comparable)).toEqual(blocksFor(client).map(comparable))
  })

  test('the key is put into its variable once, at the top', () => {
    expect(blocksUnder('Connecting clients')).toEqual([{ language: 'sh', text: KEY_LINE }])
    expect(page.split(KEY_LINE)).toHaveLength(2)
  })

  test('the number at which Claude Code compacts is the one that is told', () => {
    const [, compacts = ''] = /here at ([\d,]+) tokens/.exec(page) ?? []
    expect(snippetFor('claude', GATE).notes.join('\n')).toContain(`about ${compacts} tokens`)
  })

  test('the configuration for "opencode auth login" is one, with nothing to warn of', async () => {
    const [block] = blocksUnder('`opencode auth login`, and why it is off')
    const file = { name: 'config.json', text: block?.text ?? '' }
    const input = {
      file,
      env: { API_KEYS: 'sk-0123456789abcdef0123456789abcdef' },
      readFile: undefined,
    }
    expect(await parseConfig(input, sha256)).toMatchObject({
      ok: true,
      warnings: [],
      config: { opencode: { wellKnown: true } },
    })
  })

  test('each page of this repository that it names is there', () => {
    const named = [...page.matchAll(/\]\((\w+\.md)\)/g)].map(([, name = '']) => name)
    expect(named).toContain('opencode.md')
    for (const name of new Set(named))
      expect(() => readFileSync(new URL(`../../docs/${name}`, import.meta.url))).not.toThrow()
  })
})
