import { startChild, type Child } from './child.ts'
import type { UpstreamPlan } from './choose-upstream.ts'
import { failed, tell, type Outcome } from './outcome.ts'
import { showAddress } from './port.ts'
import { demoCommand } from './runtimes.ts'
import { waitForAnswer } from './wait-for-answer.ts'

type LlamaSwapPlan = Extract<UpstreamPlan, { kind: 'llama-swap' }>

/** A child that has just been started, and when it is ready. */
export type Starting = {
  child: Child
  /** What the child is called in messages. */
  name: string
  /** Its base URL once it answers, or why it does not. */
  ready: Promise<Outcome<{ url: string }>>
}

const ANSWER_WITHIN_MS = 60_000
/** The gate's keys and its address are none of llama-swap's business, nor of the models that it starts. */
const GATE_SETTINGS = new Set(['API_KEYS', 'CONFIG', 'HOST', 'PORT', 'PUBLIC_URL', 'LOG_LEVEL'])

/** Starts llama-swap; what it writes goes to the terminal, each line marked. */
export function startLlamaSwap(plan: LlamaSwapPlan, env: NodeJS.ProcessEnv): Starting {
  const { program, configFile, listen } = plan
  const address = showAddress(listen)
  tell(`starting llama-swap (${program}) on ${address} with ${configFile}`)
  const child = startChild({
    program,
    args: ['-config', configFile, '-listen', address],
    env: withoutGateSettings(env),
    onLine: (line, stream) => process[stream].write(`llama-swap | ${line}\n`),
  })
  return { child, name: 'llama-swap', ready: untilAnswers(child, `http://${address}`) }
}

/** Starts the demo on a port that nobody else has; it is quiet unless it fails. */
export function startDemo(env: NodeJS.ProcessEnv): Starting {
  const { promise: listening, resolve } = Promise.withResolvers<string>()
  const child = startChild({
    ...demoCommand(),
    env: { ...withoutGateSettings(env), HOST: '127.0.0.1', PORT: '0', DEMO_ENDS_WITH_STDIN: '1' },
    isTied: true,
    onLine(line) {
      const url = /listening on (\S+)/.exec(line)?.[1]
      if (url !== undefined) resolve(url)
    },
  })
  const ready = Promise.race([
    listening.then((url) => ({ ok: true as const, url })),
    child.ended.then((how) => endedEarly('the demo', how, child)),
  ])
  return { child, name: 'the demo', ready }
}

async function untilAnswers(child: Child, url: string): Promise<Outcome<{ url: string }>> {
  let ended: string | undefined
  void child.ended.then((how) => (ended = how))
  const isAnswering = await waitForAnswer(url, {
    withinMs: ANSWER_WITHIN_MS,
    isOver: () => ended !== undefined,
    onWaiting: (seconds) => tell(`waiting for llama-swap on ${url} (${seconds} s)`),
  })
  if (ended !== undefined) return endedEarly('llama-swap', ended, child)
  if (isAnswering) return { ok: true, url }
  return failed(`llama-swap does not answer on ${url} after ${ANSWER_WITHIN_MS / 1000} s.`)
}

function endedEarly(name: string, how: string, child: Child): Outcome<{ url: string }> {
  return failed(`${name} ${how} before it answered.${lastWords(child)}`)
}

/** The last lines of a child, as the end of a message. */
export function lastWords(child: Child): string {
  const lines = child.lastLines()
  if (lines.length === 0) return ' It wrote nothing.'
  return ` Its last lines:\n${lines.map((line) => `  ${line}`).join('\n')}`
}

function withoutGateSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !GATE_SETTINGS.has(name)))
}
