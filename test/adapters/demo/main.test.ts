import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { originOf } from '../../../adapters/demo/server.ts'

const main = new URL('../../../adapters/demo/main.ts', import.meta.url).pathname

function spawnDemo(port: string): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: port },
  })
  onTestFinished(() => void child.kill())
  return child
}

test('says where it listens and stops with 0 on SIGTERM', async () => {
  const child = spawnDemo('0')

  const [line]: Buffer[] = await once(child.stdout, 'data')
  child.kill('SIGTERM')

  expect(String(line)).toMatch(/^demo upstream listening on http:\/\/127\.0\.0\.1:\d+\n$/)
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('names a port that is taken and ends with 1', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void other.close())
  await once(other, 'listening')
  const { port } = new URL(originOf(other))
  const child = spawnDemo(port)

  const exit = once(child, 'exit')
  const [line]: Buffer[] = await once(child.stderr, 'data')

  expect(String(line)).toBe(`demo upstream: port ${port} on 127.0.0.1 is already in use\n`)
  expect(await exit).toEqual([1, null])
})
