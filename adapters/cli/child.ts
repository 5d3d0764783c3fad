import { spawn, type ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import { membersOf, signalAll, signalOne } from './session.ts'

/** A program to start. */
export type ChildSpec = {
  program: string
  args: string[]
  env: NodeJS.ProcessEnv
  /** Gives it a standard input that ends when we do, even by SIGKILL. */
  isTied?: boolean
  /** Called with each line that the program writes. */
  onLine: (line: string, stream: 'stdout' | 'stderr') => void
}

/** A program that was started, with everything that it starts itself. */
export type Child = {
  /** Resolves with how it ended, in words; never rejects. */
  ended: Promise<string>
  /** The latest lines that it wrote. */
  lastLines(): string[]
  /** Asks it to stop, kills it after `graceMs`, and resolves when nothing of it is left. */
  stop(graceMs: number): Promise<void>
  /** Kills it and all that it started, before it returns. */
  killNow(): void
}

const KEPT_LINES = 20
/** Lines are cut here: a program that writes without line breaks must not fill the memory. */
const LONGEST_LINE = 16_384
/** After a program has ended, its last lines may still be in the pipe. A process that it left holds the pipe open. */
const LAST_LINES_WITHIN_MS = 250
const LOOK_AGAIN_MS = 50

/**
 * Starts a program in a session of its own, so that a terminal's Ctrl-C reaches only us: running answers end first,
 * then what makes them.
 */
export function startChild({ program, args, env, isTied, onLine }: ChildSpec): Child {
  const options = { env, detached: true }
  const child = isTied
    ? spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
    : spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  // Nothing is ever written there; how it ended is told below.
  child.stdin?.on('error', () => {})
  const kept: string[] = []
  const keep = (stream: 'stdout' | 'stderr') => (line: string) => {
    kept.push(line)
    if (kept.length > KEPT_LINES) kept.shift()
    onLine(line, stream)
  }
  readLines(child.stdout, keep('stdout'))
  readLines(child.stderr, keep('stderr'))
  let isOver = false
  const ended = untilEnd(child)
  return {
    ended,
    lastLines: () => [...kept],
    async stop(graceMs) {
      const { pid } = child
      if (pid === undefined || isOver) return
      await stopSession(pid, ended, graceMs)
      isOver = true
    },
    killNow() {
      const { pid } = child
      if (pid === undefined || isOver) return
      isOver = true
      signalAll(membersOf(pid), 'SIGKILL')
      signalOne(-pid, 'SIGKILL')
    },
  }
}

async function stopSession(leader: number, ended: Promise<string>, graceMs: number): Promise<void> {
  // Only the leader and its group: llama-swap stops its models itself, and waits for them.
  signalOne(-leader, 'SIGTERM')
  const deadline = performance.now() + graceMs
  await Promise.race([ended, pause(graceMs)])
  // A wrapper script may end before what it wraps; and a llama-swap that crashed leaves its models behind.
  signalAll(membersOf(leader), 'SIGTERM')
  while (membersOf(leader).length > 0 && performance.now() < deadline) await pause(LOOK_AGAIN_MS)
  signalAll(membersOf(leader), 'SIGKILL')
  signalOne(-leader, 'SIGKILL')
  await ended
}

function untilEnd(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => {
      const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`
      child.once('close', () => resolve(how))
      setTimeout(() => resolve(how), LAST_LINES_WITHIN_MS)
    })
  })
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (rest + text).split(/\r?\n/)
    rest = lines.pop() ?? ''
    lines.forEach(onLine)
    if (rest.length < LONGEST_LINE) return
    onLine(rest)
    rest = ''
  })
  stream.on('end', () => {
    if (rest !== '') onLine(rest)
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
