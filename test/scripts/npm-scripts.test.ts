import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  cleanUp,
  descendantsOf,
  isAlive,
  isFree,
  newFolder,
  run,
  until,
  type RunningCli,
} from '../adapters/cli/run-cli.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

const SCRIPTS = [
  { script: 'start', args: [] },
  { script: 'start:bun', args: [] },
  { script: 'start:deno', args: [] },
  { script: 'swapgate', args: ['--', 'start'] },
]

const KEY = 'sk-test-test-test-test'
const CHAT = { model: 'gpt-oss-120b', stream: true, messages: [{ role: 'user', content: 'hello' }] }

let upstream: LookAlike
beforeAll(async () => {
  upstream = await startLookAlike()
})
afterEach(() => upstream.reset())
afterAll(async () => {
  cleanUp()
  await upstream.stop()
})

/** Runs a script of a clone as people do. */
function runNpm(clone: string, args: string[], env: NodeJS.ProcessEnv): RunningCli {
  const ours = { PATH: process.env['PATH'], npm_config_update_notifier: 'false' }
  return run(newFolder(), ['npm', '--prefix', clone, 'run', ...args], { ...ours, ...env })
}

/** A gate with a configuration of its own. */
function runScript(script: string, args: string[]): RunningCli {
  const folder = newFolder()
  const CONFIG = join(folder, 'config.json')
  writeFileSync(CONFIG, JSON.stringify({ keys: [KEY] }))
  const proxies = { NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' }
  return runNpm(root, [script, ...args], { CONFIG, UPSTREAM_URL: upstream.url, ...proxies })
}

/** A stream that has begun, and of which no more comes until upstream goes on. */
async function openStream(url: string): Promise<Response> {
  upstream.behave({ kind: 'silence', frames: 2 })
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }
  const body = JSON.stringify(CHAT)
  const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
  await until(() => (upstream.held() === 1 ? true : undefined))
  return answer
}

/** Once nobody is let in any more, lets the stream go on; gives its end and that of npm. */
async function endsOf(npm: RunningCli, url: string, answer: Response): Promise<unknown> {
  await expect.poll(() => isFree(url)).toBe(true)
  upstream.release()
  const text = await answer.text()
  return { isWhole: text.endsWith('data: [DONE]\n\n'), npm: await npm.ended }
}

describe.each(SCRIPTS)('npm run $script', { timeout: 60_000 }, ({ script, args }) => {
  test('ends on a SIGTERM to npm, and leaves nothing behind', async () => {
    const npm = runScript(script, args)
    const url = await npm.listening()
    const started = descendantsOf(npm.pid)
    npm.signal('SIGTERM')
    expect([await npm.ended, started.filter(isAlive), await isFree(url)]).toEqual([
      [0, null],
      [],
      true,
    ])
  })

  test('finishes a running stream before it ends on a SIGTERM to npm', async () => {
    const npm = runScript(script, args)
    const url = await npm.listening()
    const answer = await openStream(url)
    npm.signal('SIGTERM')
    expect(await endsOf(npm, url, answer)).toEqual({ isWhole: true, npm: [0, null] })
  })

  test('finishes it, too, on a Ctrl-C that npm has seen and passes on', async () => {
    const npm = runScript(script, args)
    const url = await npm.listening()
    const answer = await openStream(url)
    // What a terminal does: everybody in front of it is told.
    for (const pid of [npm.pid, ...descendantsOf(npm.pid)]) process.kill(pid, 'SIGINT')
    expect(await endsOf(npm, url, answer)).toEqual({ isWhole: true, npm: [0, null] })
  })
})

test('npm run start:deno takes the Deno of the PATH where none came with the packages', async () => {
  const clone = newFolder()
  copyFileSync(join(root, 'package.json'), join(clone, 'package.json'))
  mkdirSync(join(clone, 'own'))
  const program = join(clone, 'own', 'deno')
  writeFileSync(program, '#!/bin/sh\necho "own deno: $1"\n')
  chmodSync(program, 0o755)
  const PATH = `${join(clone, 'own')}:${process.env['PATH']}`
  const npm = runNpm(clone, ['--silent', 'start:deno'], { PATH })
  expect([await npm.ended, npm.stdout()]).toEqual([[0, null], 'own deno: run\n'])
})
