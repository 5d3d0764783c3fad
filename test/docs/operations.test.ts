import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { householdTable } from '../src/queue/household-table.ts'

const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')

test('the table of the queue in docs/operations.md is what the simulation gives', () => {
  const bare = text.replaceAll('**', '').replace(/ +/g, ' ')
  const rows = householdTable({ seeds: 5, hours: 6 }).filter((row) => !row.includes('---'))
  expect(rows.filter((row) => !bare.includes(row))).toEqual([])
})
