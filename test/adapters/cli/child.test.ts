import { spawnSync } from 'node:child_process'
import { afterEach, describe, expect, test } from 'vitest'
import { startChild, type Child } from '../../../adapters/cli/child.ts'
import { isAlive, until } from './run-cli.ts'

/** Processes in real time: see test/vitest.config.ts. */
const SLOW = { timeout: 60_000, retry: 1 }

const children: Child[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.killNow()
})

/** A shell script as the child. */
function shell(script: string): {
  child: Child
  lines: string[]
  line: (i: number) => Promise<string>
} {
  const lines: string[] = []
  const child = startChild({
    program: '/bin/bash',
    args: ['-c', script],
    env: { PATH: process.env['PATH'] },
    onLine: (line, stream) => lines.push(`${stream} ${line}`),
  })
  children.push(child)
  return { child, lines, line: async (i) => String(await until(() => lines[i])) }
}

const pidIn = (line: string): number => Number(line.replace('stdout ', ''))

describe('a child', SLOW, () => {
  test('tells its lines as they come, also one without an end', async () => {
    const { child, lines } = shell(String.raw`printf 'one\r\ntw'; sleep 0.1; printf 'o\nthree'`)

    expect(await child.ended).toBe('ended with exit code 0')
    expect(lines).toEqual(['stdout one', 'stdout two', 'stdout three'])
  })

  test('keeps its last 20 lines', async () => {
    const { child } = shell('for i in $(seq 1 30); do echo $i; done; exit 7')

    expect(await child.ended).toBe('ended with exit code 7')
    expect(child.lastLines()).toEqual(Array.from({ length: 20 }, (_, i) => String(i + 11)))
  })

  test('that is cut off without line breaks does not fill the memory', async () => {
    const { child, lines } = shell("head -c 100000 /dev/zero | tr '\\0' x")

    await child.ended
    expect(lines.length).toBeGreaterThan(1)
    expect(lines.map((line) => line.slice('stdout '.length)).join('')).toBe('x'.repeat(100_000))
  })

  test('that does not exist says so', async () => {
    const child = startChild({ program: '/nowhere/x', args: [], env: {}, onLine: () => {} })

    expect(await child.ended).toMatch(/^could not be started: .*ENOENT/)
    await child.stop(1000)
    child.killNow()
  })

  test('is killed when it does not stop in time', async () => {
    const { child, line } = shell("trap '' TERM; echo $$; while :; do sleep 0.1; done")
    const pid = pidIn(await line(0))

    await child.stop(200)

    expect(await child.ended).toBe('was ended by SIGKILL')
    expect(isAlive(pid)).toBe(false)
  })

  test('leaves nothing behind, whatever groups it has made', async () => {
    const { child, line } = shell('set -m; sleep 60 & echo $!; sleep 60 & echo $!; exit 0')
    const pids = [pidIn(await line(0)), pidIn(await line(1))]
    await child.ended
    expect(pids.filter(isAlive)).toEqual(pids)

    await child.stop(5000)

    expect(pids.filter(isAlive)).toEqual([])
  })

  test('may take its time: what it started is asked first and killed last', async () => {
    const slow = `bash -c 'trap "sleep 0.3; echo saved; exit" TERM; echo ready; while :; do sleep 0.05; done'`
    const { child, lines, line } = shell(`set -m; ${slow} & wait`)
    await line(0)

    await child.stop(5000)

    // It is gone, but what it wrote last may still be on its way here.
    expect(await until(() => lines.find((text) => text === 'stdout saved'))).toBe('stdout saved')
  })

  test('runs outside of our session, so that Ctrl-C does not reach it', async () => {
    const { line } = shell('echo $$; sleep 60')
    const pid = pidIn(await line(0))

    const { stdout } = spawnSync('ps', ['-o', 'pgid=', '-p', String(pid)], { encoding: 'utf8' })

    expect(Number(stdout)).toBe(pid)
  })
})
