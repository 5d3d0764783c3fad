import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { freePort } from '../support/free-port.ts'
import type { Script } from './tiny-gguf.ts'
import { writeTinyGguf } from './tiny-gguf.ts'

/** The models of the examples; each one says its name. */
export type ModelName = 'gpt-oss-120b' | 'glm-4.7-flash' | 'qwen3-coder-next'

/** How to call the llama-server of this machine. */
export interface LlamaServerProgram {
  /** What starts it; its own flags come behind. */
  command: [string, ...string[]]
  /** A directory of this machine whose files it can read. */
  directory: string
  /** How it calls the file that this machine calls `file`. */
  path: (file: string) => string
}

export interface PlacedModel {
  /** The file, as llama-server calls it: the value of `-m`. */
  path: string
  remove: () => void
}

export interface LlamaServerOptions {
  model: ModelName
  /** `-c`: the slots share it evenly, so one request gets `contextSize / parallel`, rounded up to 256. */
  contextSize: number
  /** `-np`: the number of slots. */
  parallel: number
  /** Changes to the model's script, such as a shorter long answer or no ballast. */
  script?: Partial<Script>
  extraArgs?: string[]
}

/** What the tests read of `/slots`. */
const slotsSchema = z.array(
  z.looseObject({ id: z.number(), n_ctx: z.number(), is_processing: z.boolean() }),
)

/** What the tests read of `/props`. */
const propsSchema = z.looseObject({
  default_generation_settings: z.looseObject({ n_ctx: z.number() }),
  total_slots: z.number(),
  model_alias: z.string(),
})

export type Slot = z.infer<typeof slotsSchema>[number]
export type Props = z.infer<typeof propsSchema>

export interface LlamaServer {
  /** Without a slash at the end. */
  url: string
  slots: () => Promise<Slot[]>
  props: () => Promise<Props>
  /** Its last log lines, for the message of a failed test. */
  log: () => string
  stop: () => Promise<void>
}

const DEFAULT_ROOT = '/var/cache/swapgate/llama-root'
const SERVER_IN_ROOT = '/usr/bin/llama-server'
const LOG_LINES = 40
const START_TIMEOUT_MS = 20_000
const STOP_TIMEOUT_MS = 5_000
// About 4 ms per token on one core: the 5,600 tokens of a long answer take 25 s, a short answer takes 60 ms.
const BALLAST_MEGABYTES = 100

const HOW_TO_GET_ONE = `These tests need a real llama-server, and this machine has none that they can use. Either
- set LLAMA_SERVER_BIN=/path/to/llama-server,
- or put llama-server on the PATH,
- or, on Debian, run \`sudo bash test/real/setup-llama-server.sh\` once (about a minute, 300 MB)
  and the tests as root. It fills $SWAPGATE_LLAMA_ROOT or ${DEFAULT_ROOT}.`

/** In this order: LLAMA_SERVER_BIN, the PATH, the Debian root of setup-llama-server.sh. */
export function findLlamaServer(): LlamaServerProgram | undefined {
  const { LLAMA_SERVER_BIN: binary, SWAPGATE_LLAMA_ROOT: root, PATH = '' } = process.env
  if (binary) {
    if (!isExecutable(binary))
      throw new Error(`LLAMA_SERVER_BIN=${binary} is not an executable file`)
    return onThisMachine(resolve(binary))
  }
  const onPath = PATH.split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, 'llama-server'))
    .find(isExecutable)
  if (onPath !== undefined) return onThisMachine(onPath)
  return inRoot(resolve(root || DEFAULT_ROOT))
}

/** Fails with the ways to get one, because a skipped test would look like a passed one. */
export function requireLlamaServer(): LlamaServerProgram {
  const program = findLlamaServer()
  if (program === undefined) throw new Error(HOW_TO_GET_ONE)
  return program
}

/** The model's whole answer to anything but a request for a long one. */
export function sentenceOf(model: ModelName): string {
  return `This is ${model} saying one two three four five six seven eight nine ten`
}

/** Writes the model where `program` can read it. */
export function placeModel(
  program: LlamaServerProgram,
  model: ModelName,
  script: Partial<Script> = {},
): PlacedModel {
  const directory = mkdtempSync(join(program.directory, 'swapgate-model-'))
  const file = join(directory, `${model}.gguf`)
  writeTinyGguf(file, {
    sentence: sentenceOf(model),
    ballastMegabytes: BALLAST_MEGABYTES,
    ...script,
  })
  return {
    path: program.path(file),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

export async function startLlamaServer(options: LlamaServerOptions): Promise<LlamaServer> {
  const program = requireLlamaServer()
  const model = placeModel(program, options.model, options.script)
  const port = await freePort()
  const [command, ...prefix] = program.command
  const child = spawn(command, [...prefix, ...serverArgs(options, model.path, port)], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = keepLastLines(child)
  const stop = async (): Promise<void> => {
    await terminate(child)
    model.remove()
  }
  const url = `http://127.0.0.1:${port}`
  try {
    await untilHealthy(url, child)
  } catch (cause) {
    await stop()
    throw new Error(`${program.command.join(' ')} did not start; it said:\n${log()}`, { cause })
  }
  return {
    url,
    slots: async () => slotsSchema.parse(await getJson(`${url}/slots`)),
    props: async () => propsSchema.parse(await getJson(`${url}/props`)),
    log,
    stop,
  }
}

function onThisMachine(binary: string): LlamaServerProgram {
  return { command: [binary], directory: tmpdir(), path: (file) => file }
}

function inRoot(root: string): LlamaServerProgram | undefined {
  const mayChangeRoot = process.getuid?.() === 0
  if (!mayChangeRoot || !isExecutable(join(root, SERVER_IN_ROOT))) return undefined
  return {
    command: ['chroot', root, SERVER_IN_ROOT],
    directory: join(root, 'tmp'),
    path: (file) => file.slice(root.length),
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

function serverArgs(options: LlamaServerOptions, modelPath: string, port: number): string[] {
  const flags = {
    '-m': modelPath,
    '--alias': options.model,
    '--host': '127.0.0.1',
    '--port': port,
    '-c': options.contextSize,
    '-np': options.parallel,
    // One core and no GPU: the pace of an answer must not depend on what else the machine has.
    '-t': 1,
    '--device': 'none',
  }
  const pairs = Object.entries(flags).flatMap(([flag, value]) => [flag, String(value)])
  return [...pairs, '--no-warmup', ...(options.extraArgs ?? [])]
}

/** Without LLAMA_ARG_*, through which the caller's shell would change the server under test. */
function environment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env)
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith('LLAMA_ARG_')))
}

function keepLastLines(child: ChildProcess): () => string {
  let kept = ''
  const keep = (chunk: string): void => {
    kept = (kept + chunk).split('\n').slice(-LOG_LINES).join('\n')
  }
  child.stdout?.setEncoding('utf8').on('data', keep)
  child.stderr?.setEncoding('utf8').on('data', keep)
  // Without a listener, a program that cannot be started at all would end the test run.
  child.on('error', (error) => keep(`${error.message}\n${hintFor(error)}`))
  return () => kept.trim()
}

function hintFor(error: Error): string {
  // A user's PATH often lacks the folder of the administrator's programs.
  return error.message.includes('chroot ENOENT')
    ? 'chroot is not on the PATH; on Debian it is in /usr/sbin. Or use another llama-server: set LLAMA_SERVER_BIN\n'
    : ''
}

async function untilHealthy(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline) {
    if (hasEnded(child)) throw new Error(`it ended: ${child.signalCode ?? child.exitCode}`)
    const healthy = await fetch(`${url}/health`, { signal: AbortSignal.timeout(1_000) }).then(
      (response) => response.ok,
      () => false,
    )
    if (healthy) return
    await sleep(20)
  }
  throw new Error(`it was not healthy after ${START_TIMEOUT_MS} ms`)
}

async function terminate(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const giveUp = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(giveUp)
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  return response.json()
}
