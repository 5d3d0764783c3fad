import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { catalogueOfConfig } from '../../src/llama-swap/config/config-catalogue.ts'
import { readModelConfig } from '../../src/llama-swap/config/read-config.ts'
import { compactsAt, limitsFor } from '../../src/opencode/limits.ts'
import { renderOpencode } from '../../src/opencode/render-config.ts'

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/opencode.md')

test('the file of docs/opencode.md is the one that the gate gives for config.yaml.example', () => {
  const [, block = ''] = /```json\n(.*?)```/s.exec(page) ?? []
  const config = readModelConfig([read('config.yaml.example')], {})
  const models = catalogueOfConfig(config, {})
  expect(JSON.parse(block)).toEqual(renderOpencode({ baseUrl: 'http://localhost:3000', models }))
})

test('the limits of docs/opencode.md are those of the gate, and OpenCode compacts where it says', () => {
  const rows = [...page.matchAll(/^\| +([\d,]+) \|(.*)\|$/gm)].map(([, tokens = '', rest = '']) => {
    const [context, input, output, start] = rest.split('|').map(numberIn)
    return { tokens: numberIn(tokens), limit: { context, input, output }, start }
  })
  const expected = [16_384, 32_768, 98_304, 131_072].map((tokens) => {
    const limit = limitsFor(tokens)
    return { tokens, limit, start: compactsAt({ limit }) }
  })
  expect(rows).toEqual(expected)
})

function numberIn(cell: string): number {
  return Number(cell.replace(/\D/g, ''))
}

test('what docs/opencode.md says that `check` finds, it looks for', () => {
  const named = [...page.matchAll(/\| ((?:`[a-z-]+`(?:, )?)+) +\|$/gm)].flatMap(([, codes = '']) =>
    codes.split(', ').map((code) => code.replaceAll('`', '')),
  )
  const source = read('src/opencode/check/finding.ts')
  const known = [...source.matchAll(/'([a-z-]+)'/g)].map(([, code]) => code)
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((code) => !known.includes(code))).toEqual([])
})
