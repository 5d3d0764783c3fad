import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sandbox } from './opencode.ts'

/** A line of its own; OpenCode shows the command that asks, too. */
const QUESTION = /^API key of the gate: /m
const TYPING_MS = 300

/**
 * `opencode auth login <url>` at a terminal (`script` of util-linux makes one), where the user types the key when asked.
 *
 * @returns what stood on the terminal
 */
export async function logIn(user: Sandbox, url: string, key: string): Promise<string> {
  const child = spawn('/usr/bin/script', ['-qec', `opencode auth login ${url}`, '/dev/null'], {
    cwd: user.folder,
    env: { ...user.environment, SHELL: '/bin/sh', TERM: 'dumb' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  const asked = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text
      if (QUESTION.test(shown)) resolve()
    })
  })
  const closed = once(child, 'close')
  await Promise.race([asked, closed])
  await sleep(TYPING_MS)
  child.stdin.end(`${key}\n`)
  await closed
  console.log(shown.trim())
  if (child.exitCode !== 0) throw new Error(`opencode auth login ended with ${child.exitCode}`)
  return shown
}
