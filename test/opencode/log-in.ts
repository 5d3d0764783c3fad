import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sandbox } from './opencode.ts'

/** A line of its own; OpenCode shows the command that asks, too. */
const QUESTION = /^API key of the gate: /m
const TYPING_MS = 300
const CONTROL_C = '\u0003'

/**
 * `opencode auth login <url>` at a terminal, where the user types the key when asked.
 *
 * @returns what stood on the terminal
 */
export async function logIn(user: Sandbox, url: string, key: string): Promise<string> {
  const { shown, exitCode } = await atTerminal(user, `opencode auth login ${url}`, `${key}\n`)
  if (exitCode !== 0) throw new Error(`opencode auth login ended with ${exitCode}`)
  return shown
}

/**
 * Runs a line at a terminal, where the user presses Ctrl-C when asked for the key.
 *
 * @returns the settings of the terminal afterwards, as `stty -a` shows them
 */
export async function leave(user: Sandbox, line: string): Promise<string[]> {
  const { shown } = await atTerminal(
    user,
    `trap : INT; ${line}; echo; echo SETTINGS; stty -a`,
    CONTROL_C,
  )
  const [, settings = ''] = shown.split(/^SETTINGS\r?$/m)
  return settings.trim().split(/[;\s]+/)
}

/** Runs a line at a terminal (`script` of util-linux makes one), and types when asked for the key. */
async function atTerminal(
  user: Sandbox,
  line: string,
  typed: string,
): Promise<{ shown: string; exitCode: number | null }> {
  const child = spawn('/usr/bin/script', ['-qec', line, '/dev/null'], {
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
  child.stdin.end(typed)
  await closed
  console.log(shown.trim())
  return { shown, exitCode: child.exitCode }
}
