import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { firstExisting } from '../../harness.ts'

const bun = firstExisting('node_modules/bun/bin/bun.exe', 'bun')
const lift = resolve('adapters/bun/lift-request-limit.ts')
const HINT =
  'swapgate: Bun sends at most 256 requests at a time; set BUN_CONFIG_MAX_HTTP_REQUESTS=65535 for more.\n'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'swapgate-lift-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

type Ran = { pid: number | undefined; written: string; said: string; code: unknown }

/** Runs a program on Bun that lifts the limit after some preparation, and then tells what it is. */
async function run(variable: Record<string, string>, before = ''): Promise<Ran> {
  const program = join(folder, `${before.length}.ts`)
  const tell =
    'process.stdout.write(JSON.stringify([process.pid, process.env.BUN_CONFIG_MAX_HTTP_REQUESTS, process.env.KEPT, process.argv.slice(2), process.execArgv]))'
  writeFileSync(
    program,
    `import { liftRequestLimit } from '${lift}'\n${before}\nliftRequestLimit()\n${tell}\n`,
  )
  const { BUN_CONFIG_MAX_HTTP_REQUESTS: _, ...env } = process.env
  const child = spawn(bun, ['--smol', program, 'one', '--two'], {
    env: { ...env, KEPT: 'kept', ...variable },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let written = ''
  let said = ''
  child.stdout.on('data', (text: Buffer) => (written += text.toString()))
  child.stderr.on('data', (text: Buffer) => (said += text.toString()))
  const [code] = await once(child, 'close')
  return { pid: child.pid, written, said, code }
}

const told = (pid: number | undefined, requests?: string): string =>
  JSON.stringify([pid, requests, 'kept', ['one', '--two'], ['--smol']])

test('the process replaces itself by one that may send more, with the same id, arguments and variables', async () => {
  const { pid, ...rest } = await run({})
  expect(rest).toEqual({ written: told(pid, '65535'), said: '', code: 0 })
})

test('a limit that somebody has chosen stays', async () => {
  const { pid, ...rest } = await run({ BUN_CONFIG_MAX_HTTP_REQUESTS: '300' })
  expect(rest).toEqual({ written: told(pid, '300'), said: '', code: 0 })
})

test.each([
  ['has no way to do so', 'process.execve = undefined'],
  ['fails to', "process.execve = () => { throw new Error('not here') }"],
])('a Bun that %s says what the limit is, and goes on', async (_, before) => {
  const { pid, ...rest } = await run({}, before)
  expect(rest).toEqual({ written: told(pid), said: HINT, code: 0 })
})
