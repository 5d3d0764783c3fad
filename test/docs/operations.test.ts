import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { householdTable } from '../src/queue/household-table.ts'

const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')

test('the table of the queue in docs/operations.md is what the simulation gives', () => {
  const bare = text.replaceAll('**', '').replace(/ +/g, ' ')
  const rows = householdTable({ seeds: 5, hours: 6 }).filter((row) => !row.includes('---'))
  expect(rows.filter((row) => !bare.includes(row))).toEqual([])
})

/** The variables that a command for Deno lets the gate read. */
function variablesIn(command: string): string | undefined {
  return /deno run .*?--allow-env=(\S+)/.exec(command)?.[1]
}

test('the command for Deno asks for the variables that `npm run start:deno` asks for', () => {
  const scripts = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  expect(variablesIn(text)).toBe(variablesIn(scripts) ?? 'what package.json names')
})
