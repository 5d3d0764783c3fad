import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../support/free-port.ts'

const main = fileURLToPath(new URL('../../../adapters/cli/main.ts', import.meta.url))

/** The program, running in a folder of its own. */
export type RunningCli = {
  pid: number
  stdout(): string
  stderr(): string
  /** Base URL of the gate, once it listens. */
  listening(): Promise<string>
  /** Waits until the program has written something that matches. */
  written(pattern: RegExp): Promise<RegExpExecArray>
  signal(name: NodeJS.Signals): void
  /** Resolves with exit code and signal. */
  ended: Promise<[number | null, NodeJS.Signals | null]>
}

const WITHIN_MS = 25_000

const cleanups: Array<() => void> = []

/** Removes and ends whatever is left. Tests run side by side here, so it is called once, after all of them. */
export function cleanUp(): void {
  for (const clean of cleanups.splice(0).toReversed()) clean()
}

/** A fresh folder. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'swapgate-cli-'))
  mkdirSync(join(folder, 'bin'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Starts the program on this Node. */
export function runCli(folder: string, args: string[], env: NodeJS.ProcessEnv = {}): RunningCli {
  return run(folder, [process.execPath, main, ...args], env)
}

/** Starts any command; its PATH is the folder's own `bin`, so that nothing of this machine is found. */
export function run(
  folder: string,
  [program, ...args]: [string, ...string[]],
  env: NodeJS.ProcessEnv = {},
): RunningCli {
  const child = spawn(program, args, {
    cwd: folder,
    env: { HOME: folder, PATH: join(folder, 'bin'), PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  let hasEnded = false
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  const ended: RunningCli['ended'] = new Promise((resolve) => {
    child.once('close', (code, signal) => {
      hasEnded = true
      resolve([code, signal])
    })
  })
  cleanups.push(() => {
    if (hasEnded) return
    for (const pid of descendantsOf(child.pid!)) process.kill(pid, 'SIGKILL')
    child.kill('SIGKILL')
  })
  const written = async (pattern: RegExp): Promise<RegExpExecArray> => {
    const seen = await until(
      () => pattern.exec(stdout + stderr) ?? (hasEnded ? 'ended' : undefined),
    )
    if (typeof seen === 'object') return seen
    throw new Error(`${String(pattern)} was not written, but:\n${stdout}${stderr}`)
  }
  return {
    pid: child.pid!,
    stdout: () => stdout,
    stderr: () => stderr,
    listening: async () => (await written(/swapgate listening on (\S+)/))[1]!,
    written,
    signal: (name) => void child.kill(name),
    ended,
  }
}

/** Looks until there is something to see; undefined when there is nothing in time. */
export async function until<T>(look: () => T | undefined): Promise<T | undefined> {
  const deadline = performance.now() + WITHIN_MS
  for (;;) {
    const seen = look()
    if (seen !== undefined || performance.now() > deadline) return seen
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Ids of the processes that a process has started, and of those that they have started. */
export function descendantsOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number))
  const children = rows.filter(([, parent]) => parent === pid).map(([id]) => id!)
  return children.flatMap((child) => [child, ...descendantsOf(child)])
}

/** Whether a process exists and is more than a zombie. */
export function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.startsWith('Z')
}

/** Holds a port of 127.0.0.1 until the end. */
export async function takePort(): Promise<number> {
  const port = await freePort()
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  return port
}

/**
 * Whether nobody listens on a URL's port. It is not enough that the port cannot be listened on: any connection on its
 * way to another server may have it as its own end.
 */
export async function isFree(url: string): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  return new Promise((resolve) => {
    socket.once('error', () => resolve(true))
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
  })
}

/** Puts a fake llama-swap into a folder, and a configuration that names a free port for it. */
export async function addLlamaSwap(
  folder: string,
  keys = ['sk-test-test-test-test'],
): Promise<string> {
  const url = `http://127.0.0.1:${await freePort()}`
  const program = join(folder, 'bin', 'llama-swap')
  writeFileSync(program, `#!${process.execPath}\n${FAKE}`)
  chmodSync(program, 0o755)
  writeFileSync(join(folder, 'config.yaml'), 'models: {}\n')
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ upstream: { url }, keys }))
  return url
}

/** What the fake wrote down when it started. */
export type Seen = { pid: number; model: number; args: string[]; env: Record<string, string> }

/** Reads what the fake wrote down; waits for it. */
export async function seenBy(folder: string): Promise<Seen> {
  const file = join(folder, 'seen.json')
  const seen = await until(() => (existsSync(file) ? file : undefined))
  if (seen === undefined) throw new Error('the fake llama-swap was not started')
  return JSON.parse(readFileSync(seen, 'utf8'))
}

/**
 * A stand-in for llama-swap. Like the real one it gives its model a process group of its own (a job of an interactive
 * shell has one), so the model is not reached by a signal to llama-swap's group.
 */
const FAKE = `
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { renameSync, writeFileSync } = require('node:fs')
const { createServer } = require('node:http')
const { dirname, join } = require('node:path')

// Should a test fail to stop it, it is gone soon.
setTimeout(() => process.exit(9), 60_000).unref()
const { FAKE_DIES, FAKE_STUBBORN, FAKE_SILENT } = process.env
console.log('hello from stdout')
console.error('hello from stderr')
if (FAKE_DIES) {
  console.error('cannot read the model')
  process.exit(3)
}
if (FAKE_STUBBORN) process.on('SIGTERM', () => console.log('not yet'))

async function run() {
  const shell = spawn('/bin/bash', ['-c', 'set -m; /bin/sleep 60 & echo $!; wait'])
  const [line] = await once(shell.stdout, 'data')
  const model = Number(String(line))
  if (!FAKE_STUBBORN) process.on('SIGTERM', () => process.exit(process.kill(model, 'SIGKILL') ? 0 : 1))
  const args = process.argv.slice(2)
  const seen = { pid: process.pid, model, args, env: process.env }
  const file = join(dirname(args[args.indexOf('-config') + 1]), 'seen.json')
  writeFileSync(file + '.tmp', JSON.stringify(seen))
  renameSync(file + '.tmp', file)
  if (FAKE_SILENT) return
  const [host, port] = args[args.indexOf('-listen') + 1].split(':')
  createServer((request, response) => {
    if (request.url === '/v1/chat/completions') process.exit(4)
    if (request.url === '/v1/models') response.end('{"data":[{"id":"bob\\'s-model"}]}')
    else response.end('OK')
  }).listen(Number(port), host)
}
run()
`
