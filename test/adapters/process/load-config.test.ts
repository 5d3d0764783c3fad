import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
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

/** An environment of Deno, where a variable may be kept from the program. */
function withDenied(env: NodeJS.ProcessEnv, denied: string, error: Error): NodeJS.ProcessEnv {
  return new Proxy(env, {
    get(target, name) {
      if (name === denied) throw error
      return Reflect.get(target, name)
    },
  })
}

describe('a variable that the configuration names', () => {
  let env: NodeJS.ProcessEnv
  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'swapgate-config-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    env = { CONFIG: join(folder, 'config.json') }
    writeFileSync(join(folder, 'config.json'), '{ "keys": ["{env:MY_KEY}"] }')
  })

  test('and that Deno may not read is told with what allows it', async () => {
    const message = 'Requires env access to "MY_KEY", run again with the --allow-env flag'
    const error = Object.assign(new Error(message), { name: 'NotCapable' })
    expect(await loadConfig(withDenied(env, 'MY_KEY', error))).toEqual({
      ok: false,
      message: `the configuration cannot be read: ${message}`,
    })
  })

  test('is not blamed for a bug', async () => {
    const bug = new TypeError('a bug')
    await expect(loadConfig(withDenied(env, 'MY_KEY', bug))).rejects.toBe(bug)
  })
})
