import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { freePort } from '../support/free-port.ts'
import { requireLlamaServer } from './llama-server.ts'

/** What a llama-server says of itself once it runs, or the error with which it ended. */
export type Started = { tokens: number; slots: number } | { error: string }

const propsSchema = z.looseObject({
  default_generation_settings: z.looseObject({ n_ctx: z.number() }),
  total_slots: z.number(),
})

const START_TIMEOUT_MS = 20_000

/** Starts a llama-server with these words behind its name, asks `/props`, and ends it. */
export async function slotsOf(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Started> {
  const [command, ...prefix] = requireLlamaServer().command
  const port = await freePort()
  const usual = ['--host', '127.0.0.1', '--port', String(port), '-t', '1', '--device', 'none']
  const child = spawn(command, [...prefix, ...usual, '--no-warmup', ...words], {
    env: { ...withoutSettings(), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
  const ended = once(child, 'close')
  const running = { isRunning: true }
  void ended.then(() => (running.isRunning = false))
  const props = await propsOf(`http://127.0.0.1:${port}/props`, running)
  child.kill('SIGKILL')
  await ended
  if (!props) return { error: /^error.*$/m.exec(log)?.[0] ?? log }
  return { tokens: props.default_generation_settings.n_ctx, slots: props.total_slots }
}

/** The variables around, without those that would change the server under test. */
function withoutSettings(): NodeJS.ProcessEnv {
  const around = Object.entries(process.env)
  return Object.fromEntries(around.filter(([name]) => !name.startsWith('LLAMA_ARG_')))
}

type Props = z.infer<typeof propsSchema>

async function propsOf(url: string, state: { isRunning: boolean }): Promise<Props | undefined> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (state.isRunning && Date.now() < deadline) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok === true) return propsSchema.parse(await answer.json())
    await answer?.body?.cancel()
    await sleep(25)
  }
  return undefined
}
