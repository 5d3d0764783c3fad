import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import * as z from 'zod'

/** The version that the docs were checked with. */
export const VERSION = '1.18.33'
/** The variable that holds the key, in the docs and in generated files. */
export const KEY_VARIABLE = 'LLAMA_SWAP_API_KEY'

const DEFAULT_ROOT = '/var/cache/swapgate/opencode'

const HOW_TO_GET_IT = `These tests need OpenCode ${VERSION} in a folder of its own, and this machine has none.
Run \`bash test/opencode/setup-opencode.sh\` once (ten seconds, 190 MB; installs nothing else).
It fills $SWAPGATE_OPENCODE_ROOT or ${DEFAULT_ROOT}.`

/** The folder that holds the program `opencode`. Fails with the way to get it: a skipped test would look like a passed one. */
export function opencodeFolder(): string {
  const { SWAPGATE_OPENCODE_ROOT: chosen, XDG_CACHE_HOME: cache } = process.env
  const usual = [DEFAULT_ROOT, join(cache || join(homedir(), '.cache'), 'swapgate/opencode')]
  const root = (chosen ? [chosen] : usual).find(isComplete)
  if (root === undefined) throw new Error(HOW_TO_GET_IT)
  return join(root, 'bin')
}

function isComplete(root: string): boolean {
  const about = join(root, 'package.json')
  if (!existsSync(join(root, 'bin/opencode')) || !existsSync(about)) return false
  return readFileSync(about, 'utf8').includes(`"version": "${VERSION}"`)
}

/** A user of OpenCode who has never run it, with an empty project. */
export type Sandbox = {
  home: string
  /** The project's folder. */
  folder: string
  /** What a shell of this user needs to run `opencode`, and to leave this machine and its network alone. */
  environment: Record<string, string>
  /** Puts a file into the project. */
  write: (name: string, content: string) => void
  /** Runs the program itself, in the project. */
  opencode: (args: readonly string[], options?: RunOptions) => Promise<Ended>
  remove: () => void
}

export type RunOptions = {
  /** Added to that of the user; undefined takes a variable away. */
  environment?: Record<string, string | undefined>
}

/** A program that has ended. */
export type Ended = {
  exitCode: number | undefined
  stdout: string
  stderr: string
  durationMs: number
}

export function createSandbox(): Sandbox {
  const programs = opencodeFolder()
  const home = mkdtempSync(join(tmpdir(), 'swapgate-opencode-'))
  const folder = join(home, 'project')
  mkdirSync(folder)
  const environment = environmentOf(home, programs)
  return {
    home,
    folder,
    environment,
    write: (name, content) => writeFileSync(join(folder, name), content),
    opencode: (args, options = {}) =>
      run(['opencode', ...args], {
        ...options,
        folder,
        environment: { ...environment, ...options.environment },
      }),
    remove: () => rmSync(home, { recursive: true, force: true, maxRetries: 5 }),
  }
}

/** Nothing of the caller's: a key or a setting of this shell would decide what a test shows. */
function environmentOf(home: string, programs: string): Record<string, string> {
  return {
    PATH: `${programs}:/usr/local/bin:/usr/bin:/bin`,
    HOME: home,
    LANG: 'C.UTF-8',
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_STATE_HOME: join(home, 'state'),
    XDG_CACHE_HOME: join(home, 'cache'),
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
    OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    OPENCODE_DISABLE_EXTERNAL_SKILLS: '1',
    OPENCODE_DISABLE_CLAUDE_CODE: '1',
    npm_config_offline: 'true',
    npm_config_registry: 'http://127.0.0.1:9/',
  }
}

const PATIENCE_MS = 90_000

/** Runs a program to its end, with nothing on its standard input. */
export async function run(
  command: readonly [string, ...string[]],
  options: RunOptions & { folder: string },
): Promise<Ended> {
  const started = performance.now()
  const [program, ...args] = command
  const child = spawn(program, args, {
    cwd: options.folder,
    env: options.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it has started ends with it.
    detached: true,
  })
  const patience = setTimeout(() => killGroup(child.pid), PATIENCE_MS)
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  clearTimeout(patience)
  const exitCode = child.exitCode ?? undefined
  return { exitCode, stdout, stderr, durationMs: performance.now() - started }
}

function killGroup(leader: number | undefined): void {
  if (leader === undefined) return
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}

const eventSchema = z.looseObject({
  type: z.string(),
  part: z
    .looseObject({
      text: z.string().optional(),
      tool: z.string().optional(),
      state: z.looseObject({ status: z.string() }).optional(),
    })
    .optional(),
  error: z
    .looseObject({ name: z.string(), data: z.looseObject({ message: z.string() }).optional() })
    .optional(),
})

/** What `opencode run --format json` told. */
export type Told = {
  /** The answers, in order. */
  texts: string[]
  /** The tools that were used, with how that ended. */
  tools: string[]
  /** What went wrong: `APIError: message`. */
  errors: string[]
}

export function readEvents(stdout: string): Told {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'))
  const events = lines.map((line) => eventSchema.parse(JSON.parse(line)))
  return {
    texts: events.flatMap(({ type, part }) => (type === 'text' ? [part?.text ?? ''] : [])),
    tools: events.flatMap(({ type, part }) =>
      type === 'tool_use' ? [`${part?.tool} ${part?.state?.status}`] : [],
    ),
    errors: events.flatMap(({ error }) =>
      error ? [`${error.name}: ${error.data?.message ?? ''}`] : [],
    ),
  }
}
