import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'
import type { ConfigFile } from '../src/config/schema.ts'
import { firstExisting } from '../test/harness.ts'
import { denoProgram } from '../test/support/deno-program.ts'

// usage: node bench/compare.ts [rounds, default 3]
// Needs Linux, gcc and two cores: mock upstream and load client on the first, the program under test on the second.
// Every round measures every program in turn, so that a slow moment of the machine meets all of them; medians are printed.

const KEY = 'sk-bench-0123456789abcdef0123456789'
const MOCK_PORT = 9100
const PORT = 9101
const UPSTREAM_URL = `http://127.0.0.1:${MOCK_PORT}`

type Program = { name: string; command: [string, ...string[]]; url: string }

/** Every limit is there and counts, and none is ever reached. */
const CONFIG: ConfigFile = {
  listen: { port: PORT },
  upstream: { url: UPSTREAM_URL },
  keys: [{ id: 'bench', secret: KEY, scopes: ['inference', 'admin'] }],
  limits: {
    requestsPerMinute: 1_000_000_000,
    burst: 1_000_000,
    tokensPerMinute: 1_000_000_000_000,
    tokensPerDay: 1_000_000_000_000,
    concurrent: 100_000,
    waiting: 100_000,
  },
  queue: { slotsPerModel: 10_000 },
}

const gate = (name: string, ...command: [string, ...string[]]): Program => ({
  name,
  command,
  url: `http://127.0.0.1:${PORT}/v1/chat/completions`,
})
/** Below /upstream/ nothing is counted and no usage is read: what is saved is the price of both. */
const uncounted = (name: string, ...command: [string, ...string[]]): Program => ({
  name,
  command,
  url: `http://127.0.0.1:${PORT}/upstream/bench/v1/chat/completions`,
})
const programs: Program[] = [
  gate('gate on Node', process.execPath, 'adapters/node/main.ts'),
  uncounted('gate on Node, nothing counted', process.execPath, 'adapters/node/main.ts'),
  gate('gate on Bun', firstExisting('node_modules/bun/bin/bun.exe', 'bun'), 'adapters/bun/main.ts'),
  gate('gate on Deno', denoProgram(), 'run', '--no-prompt', '-NERW', 'adapters/deno/main.ts'),
  gate('Hono + fetch on Node, no checks', process.execPath, 'bench/baseline-fetch.ts'),
]

const figures = z.object({
  rps: z.number(),
  cpu_per_1k_req: z.number().optional(),
  p50us: z.number(),
  p99us: z.number(),
  cpu_per_M_ev: z.number().optional(),
  delay_p50us: z.number().optional(),
  delay_p99us: z.number().optional(),
})
type Figures = z.infer<typeof figures>

const folder = mkdtempSync(join(tmpdir(), 'swapgate-bench-'))
const configFile = join(folder, 'config.json')
writeFileSync(configFile, JSON.stringify(CONFIG))
const log = openSync(join(folder, 'log'), 'w')
const built = (source: string): string => {
  const program = join(folder, source)
  execFileSync('gcc', ['-O2', '-o', program, `bench/${source}.c`, '-lm'])
  return program
}

function onCore(core: number, command: [string, ...string[]]): ChildProcess {
  const env = { ...process.env, CONFIG: configFile, PORT: String(PORT), UPSTREAM_URL }
  return spawn('taskset', ['-c', String(core), ...command], {
    env,
    // A file, as under a service manager: a pipe that nobody empties while a measurement runs would stop the program.
    stdio: ['ignore', log, 'inherit'],
  })
}

type Measured = { client: string; url: string; pid: number }

/** Runs one measurement; `pid` is the process whose CPU time is counted. */
function measure({ client, url, pid }: Measured, options: string[]): Figures {
  const args = ['-c', '0', client, ...options, `url=${url}`, `key=${KEY}`, `pids=${pid}`]
  const text = execFileSync('taskset', args, { encoding: 'utf8' })
  return figures.parse(JSON.parse(text))
}

async function measureAll(client: string, program: Program): Promise<Record<string, Figures>> {
  const child = onCore(1, program.command)
  await listening()
  const small = ['mode=rps', 'c=32', 'dur=4', 'warm=2', 'body=8192']
  const large = ['mode=rps', 'c=32', 'dur=3', 'warm=1', 'body=100000']
  const stream = ['mode=sse', 'k=100', 'n=100', 'us=20000', 'dur=5', 'warm=2']
  const under = { client, url: program.url, pid: child.pid ?? 0 }
  const measured = {
    small: measure(under, small),
    large: measure(under, large),
    stream: measure(under, stream),
  }
  child.kill('SIGKILL')
  await once(child, 'exit')
  return measured
}

async function listening(): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await fetch(`http://127.0.0.1:${PORT}/health`).catch(() => undefined)
    if (answer) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the program under test does not listen')
}

function median(values: Array<number | undefined>): number {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const rounds = Number(process.argv[2] ?? 3)
const client = built('client')
const mock = onCore(0, [built('mock'), String(MOCK_PORT)])
const results = new Map<string, Array<Record<string, Figures>>>()
for (let round = 0; round < rounds; round++)
  for (const program of programs) {
    console.error(`round ${round + 1} of ${rounds}: ${program.name}`)
    const sofar = results.get(program.name) ?? []
    results.set(program.name, [...sofar, await measureAll(client, program)])
  }
mock.kill('SIGKILL')
rmSync(folder, { recursive: true, force: true })

const rows = [...results].map(([name, all]) => {
  const of = (part: string, field: keyof Figures): number =>
    median(all.map((one) => one[part]?.[field]))
  const cells = [
    of('small', 'rps').toFixed(0),
    of('small', 'cpu_per_1k_req').toFixed(3),
    of('large', 'rps').toFixed(0),
    of('stream', 'cpu_per_M_ev').toFixed(0),
    `${(of('stream', 'delay_p50us') / 1000).toFixed(2)} / ${(of('stream', 'delay_p99us') / 1000).toFixed(1)}`,
  ]
  return `| ${name} | ${cells.join(' | ')} |`
})
console.log(
  '| | requests/s, 8 KB | CPU ms per request | requests/s, 100 KB | CPU µs per stream event | event delay p50 / p99 ms |',
)
console.log('|---|---|---|---|---|---|')
console.log(rows.join('\n'))
