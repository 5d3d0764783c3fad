import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { cleanUp, newFolder } from '../cli/run-cli.ts'

const SLOW = { timeout: 60_000 }
const KEY = 'sk-test-test-test-test'

afterAll(cleanUp)

const mainOf = (name: string): string =>
  fileURLToPath(new URL(`../../../adapters/${name}/main.ts`, import.meta.url))

describe.concurrent.each([
  { what: 'the gate alone', args: [mainOf('node')] },
  { what: 'swapgate start', args: [mainOf('cli'), 'start', '--demo'] },
])('$what whose readers are gone', SLOW, ({ args }) => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'still answers, and ends well on %s',
    async (signal) => {
      const child = spawn(process.execPath, args, {
        cwd: newFolder(),
        env: { PORT: '0', API_KEYS: KEY },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const ended = once(child, 'exit')
      let output = ''
      child.stdout.on('data', (text: Buffer) => (output += text.toString()))
      while (!output.includes('swapgate listening on ')) await once(child.stdout, 'data')
      const url = /listening on (\S+)/.exec(output)?.[1]
      child.stdout.destroy()
      child.stderr.destroy()

      const ask = async (): Promise<number> => {
        const answer = await fetch(`${url}/health`, { headers: { authorization: `Bearer ${KEY}` } })
        await answer.arrayBuffer()
        return answer.status
      }
      const first = await ask()
      const refused = await fetch(`${url}/v1/models`)
      const later = await ask()

      expect([first, refused.status, later]).toEqual([200, 401, 200])
      child.kill(signal)
      expect(await ended).toEqual([0, null])
    },
  )
})
