import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createModelConfigFile } from '../../../adapters/process/model-config-file.ts'
import { readModelConfig } from '../../../src/llama-swap/read-config.ts'

function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'swapgate-models-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'config.yaml')
}

const ONE = 'models: { a: { concurrencyLimit: 2 } }\n'
const TWO = 'models: { a: {}, b: {} }\ngroups: { g: { members: [a, b] } }\n'

test('the file is read when it is there, and again when it has changed', async () => {
  const path = temporaryFile()
  const warnings: string[] = []
  const source = createModelConfigFile(path, (message) => void warnings.push(message))
  expect(await source.read()).toBeUndefined()
  writeFileSync(path, ONE)
  const first = await source.read()
  expect(first).toEqual(readModelConfig(ONE))
  expect(await source.read()).toBe(first)
  writeFileSync(path, TWO)
  expect(await source.read()).toEqual(readModelConfig(TWO))
  expect(warnings).toEqual([])
})

test('a file that is broken or gone leaves what was last read, and a broken one is told once', async () => {
  const path = temporaryFile()
  const warnings: string[] = []
  const source = createModelConfigFile(path, (message) => void warnings.push(message))
  writeFileSync(path, ONE)
  await source.read()
  writeFileSync(path, 'models: [a')
  const broken = [await source.read(), await source.read()]
  rmSync(path)
  const gone = await source.read()
  expect([...broken, gone]).toEqual(Array.from({ length: 3 }, () => readModelConfig(ONE)))
  expect(warnings).toEqual([
    expect.stringMatching(/config\.yaml cannot be read as llama-swap's configuration: .*line 1/),
  ])
})
