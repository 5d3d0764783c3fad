import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import {
  planFirstConfig,
  writeFirstConfig,
  type FirstConfig,
} from '../../../adapters/cli/first-config.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swapgate-first-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

async function planned(): Promise<FirstConfig> {
  const plan = await planFirstConfig({ CONFIG: join(folder, 'config.json') })
  if (!plan.ok || !plan.first) throw new Error('expected a first configuration')
  return plan.first
}

test('a first configuration is a whole file for this user only, and nothing else', async () => {
  const first = await planned()

  expect(writeFirstConfig(first)).toBeUndefined()
  expect(readFileSync(first.path, 'utf8')).toBe(first.text)
  expect(statSync(first.path).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['config.json'])
})

test('a file that appeared meanwhile is left as it is', async () => {
  const first = await planned()
  writeFileSync(first.path, '{}')

  expect(writeFirstConfig(first)).toEqual({
    ok: false,
    exitCode: 1,
    message: `${first.path} was made by somebody else while this started; it is left as it is. Start again to use it.`,
  })
  expect(readFileSync(first.path, 'utf8')).toBe('{}')
  expect(readdirSync(folder)).toEqual(['config.json'])
})

test('the schema is named only when it is beside the file', async () => {
  expect((await planned()).text).not.toContain('$schema')
  writeFileSync(join(folder, 'config.schema.json'), '{}')
  expect(JSON.parse((await planned()).text)).toMatchObject({ $schema: './config.schema.json' })
})
