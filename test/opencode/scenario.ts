import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { harness } from '../../adapters/node/harness.ts'
import type { ConfigFile } from '../../src/config/schema.ts'
import type { Running } from '../harness.ts'
import { chatLines, endOf, inShort } from './gate-log.ts'
import { createSandbox, KEY_VARIABLE, readEvents } from './opencode.ts'
import type { Ended, RunOptions, Sandbox, Told } from './opencode.ts'
import { startScriptedBox } from './scripted-box.ts'
import type { BoxModel, Script, ScriptedBox } from './scripted-box.ts'

export const MODEL = 'qwen3-coder-next'
export const KEY = 'sk-laptop-0123456789abcdef01234567'

export const MODELS: readonly BoxModel[] = [
  { id: MODEL, cmd: 'llama-server -m /models/qwen3-coder-next.gguf -c 131072 -np 1' },
]

/** A new user with OpenCode, the gate, and a box that does as told. */
export type Scenario = {
  user: Sandbox
  gate: Running
  box: ScriptedBox
  /** `opencode run` with the key, on the model. */
  ask: (prompt: string, options?: RunOptions) => Promise<Ended & Told>
  /** What reached the box, and the gate's log of chats, each counted. Stops the gate, which may still be finishing. */
  outcome: () => Promise<Outcome>
  stop: () => Promise<void>
}

export type Outcome = {
  /** By kind of request: `main`, `title`. */
  box: Record<string, number>
  /** By how it ended: `laptop 200 completed`, `- 401 refused credential-unknown`. */
  gate: Record<string, number>
}

export type Setting = {
  /** Added to the configuration of the gate. */
  config?: ConfigFile
  models?: readonly BoxModel[]
  /** Leaves the project empty: no `opencode.json`. */
  isEmpty?: boolean
  /** How long OpenCode waits for a sign of life. */
  patienceMs?: number
}

/** Starts the gate and the box, and writes `opencode.json` for them. */
export async function startScenario(
  script: Script,
  { config = {}, models = MODELS, isEmpty = false, patienceMs = 900_000 }: Setting = {},
): Promise<Scenario> {
  const user = createSandbox()
  const box = await startScriptedBox(models, script)
  const gate = await harness.start({
    keys: [{ id: 'laptop', secret: KEY }],
    usage: { file: null },
    log: { format: 'json' },
    ...config,
    upstream: { url: box.url, configFile: writeModelConfig(user, models) },
  })
  if (!isEmpty) user.write('opencode.json', JSON.stringify(settingsFor(gate.url, patienceMs)))
  return {
    user,
    gate,
    box,
    async ask(prompt, options = {}) {
      const flags = ['--print-logs', '--log-level', 'INFO', '--format', 'json', '--auto']
      const environment = { [KEY_VARIABLE]: KEY, ...options.environment }
      const ended = await user.opencode(['run', ...flags, '-m', `llama-swap/${MODEL}`, prompt], {
        ...options,
        environment,
      })
      const told = readEvents(ended.stdout)
      console.log(`OpenCode: exit ${ended.exitCode} after ${seconds(ended.durationMs)}`)
      for (const line of [...told.errors, ...told.texts].slice(0, 8))
        console.log(`  ${line.slice(0, 150)}`)
      return { ...ended, ...told }
    },
    async outcome() {
      await finish(gate)
      const lines = chatLines(gate.output())
      const kinds = box.calls.map(({ kind }) => kind)
      console.log(`box: ${kinds.join(', ') || 'nothing'}\ngate:\n${lines.map(inShort).join('\n')}`)
      return { box: counts(kinds), gate: counts(lines.map(endOf)) }
    },
    async stop() {
      await gate.stop()
      await box.stop()
      user.remove()
    },
  }
}

/** llama-swap's own file, which the gate reads beside it. */
function writeModelConfig(user: Sandbox, models: readonly BoxModel[]): string {
  const file = join(user.home, 'config.yaml')
  // JSON is YAML, too.
  const entries = models.map(({ id, cmd }) => [id, { cmd }])
  writeFileSync(file, JSON.stringify({ models: Object.fromEntries(entries) }))
  return file
}

/** The configuration of docs/opencode.md for one model. */
function settingsFor(gateUrl: string, patienceMs: number): object {
  const limit = { context: 131_072, input: 131_072, output: 16_384 }
  return {
    $schema: 'https://opencode.ai/config.json',
    model: `llama-swap/${MODEL}`,
    provider: {
      'llama-swap': {
        npm: '@ai-sdk/openai-compatible',
        name: 'llama-swap (GPU box)',
        env: [KEY_VARIABLE],
        options: { baseURL: `${gateUrl}/v1`, headerTimeout: patienceMs, chunkTimeout: patienceMs },
        models: { [MODEL]: { name: MODEL, tool_call: true, limit } },
      },
    },
    compaction: { auto: true, prune: true },
  }
}

/** Lets the gate finish what it has in hand, so that all of it stands in its log. */
async function finish(gate: Running): Promise<void> {
  const child = gate.process
  if (child === undefined || child.exitCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function counts(words: readonly string[]): Record<string, number> {
  const counted: Record<string, number> = {}
  for (const word of words) counted[word] = (counted[word] ?? 0) + 1
  return counted
}
