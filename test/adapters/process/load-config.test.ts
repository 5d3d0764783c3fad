import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../../adapters/process/load-config.ts'

test('CONFIG that is a folder is told with the fix', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'swapgate-config-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))

  expect(await loadConfig({ CONFIG: folder })).toEqual({
    ok: false,
    message: `CONFIG names ${folder}, but that is a folder. Name the file in it, such as ${folder}/config.json`,
  })
})

test('a folder in the place of the default file is told, too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'swapgate-config-'))
  const before = process.cwd()
  onTestFinished(() => {
    process.chdir(before)
    rmSync(folder, { recursive: true })
  })
  mkdirSync(join(folder, 'config.json'))
  process.chdir(folder)

  expect(await loadConfig({})).toMatchObject({
    ok: false,
    message: expect.stringMatching(/^\.\/config\.json is a folder, but must be a file\./),
  })
})
