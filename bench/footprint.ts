import { createHash } from 'node:crypto'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { stop as stopEsbuild } from 'esbuild'
import * as z from 'zod'
import type { ConfigFile } from '../src/config/schema.ts'
import { startWorker } from '../test/adapters/cloudflare/start-worker.ts'
import { firstExisting, type Harness, type Running } from '../test/harness.ts'
import { denoProgram } from '../test/support/deno-program.ts'
import { harness as bun } from '../adapters/bun/harness.ts'
import { harness as deno } from '../adapters/deno/harness.ts'
import { harness as node } from '../adapters/node/harness.ts'
import { bundleWorker } from '../adapters/cloudflare/harness.ts'

// usage: node bench/footprint.ts [starts per runtime, default 5]
// Needs Linux. What the gate weighs on each runtime: on the disk, at the start, and in memory with and without streams.

const KEY = 'sk-bench-0123456789abcdef0123456789'
const STARTS = Number(process.argv[2] ?? 5)
const STREAMS = 400
const MB = 1_000_000

const lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      dev: z.boolean().optional(),
      optional: z.boolean().optional(),
      devOptional: z.boolean().optional(),
    }),
  ),
})

/** The folders that `npm ci --omit=dev --omit=optional` makes: npm marks all others in its lock file. */
function installed(): string[] {
  const { packages } = lock.parse(JSON.parse(readFileSync('package-lock.json', 'utf8')))
  return Object.entries(packages)
    .filter(([path, { dev, optional, devOptional }]) => path && !(dev ?? optional ?? devOptional))
    .map(([path]) => path)
}

type Program = { harness: Pick<Harness, 'name' | 'start'>; onDisk: string }

function sizeWith(program: string): string {
  const folders = [...installed(), 'src', 'adapters']
  const gate = folders.reduce((sum, folder) => sum + bytesBelow(folder), 0)
  return `${megabytes(gate)} + ${megabytes(statSync(program).size)}`
}

// A Worker is bundled when it is deployed, not when it starts. esbuild leaves a process behind.
const script = await bundleWorker()
await stopEsbuild()

const programs: Program[] = [
  { harness: node, onDisk: sizeWith(process.execPath) },
  { harness: bun, onDisk: sizeWith(firstExisting('node_modules/bun/bin/bun.exe', 'bun')) },
  { harness: deno, onDisk: sizeWith(denoProgram()) },
  {
    harness: {
      name: 'workerd',
      start: (config) => startWorker({ script, bindings: { CONFIG: JSON.stringify(config) } }),
    },
    onDisk: `${Math.round(gzipSync(script).length / 1000)} kB gzip`,
  },
]

/** Without packages of their own in a package's folder: those have entries of their own. */
function bytesBelow(path: string): number {
  const stats = statSync(path)
  if (!stats.isDirectory()) return stats.size
  const names = readdirSync(path).filter((name) => name !== 'node_modules')
  return names.reduce((sum, name) => sum + bytesBelow(join(path, name)), 0)
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MB)} MB`
}

/** An upstream whose streams go on until their clients leave. */
async function startUpstream(): Promise<{ url: string; stop(): void }> {
  const event = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'x'.repeat(100) } }] })}\n\n`
  const server = createServer((incoming, outgoing) => {
    incoming.resume()
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
    const timer = setInterval(() => outgoing.write(event), 250)
    outgoing.on('close', () => clearInterval(timer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address')
  return { url: `http://127.0.0.1:${address.port}`, stop: () => server.closeAllConnections() }
}

function configFor(url: string): ConfigFile {
  return {
    upstream: { url },
    // A Worker takes a key only by its hash.
    keys: [{ id: 'bench', secret: `sha256:${createHash('sha256').update(KEY).digest('hex')}` }],
    limits: { requestsPerMinute: null },
    log: { level: 'warn' },
  }
}

/** Milliseconds from the start of the program to its first answer. */
async function coldStart(harness: Program['harness'], config: ConfigFile): Promise<number> {
  const from = performance.now()
  const gate = await harness.start(config)
  const answer = await fetch(`${gate.url}/health`)
  await answer.text()
  const took = performance.now() - from
  await gate.stop()
  return took
}

/** Resident memory of the gate, the only process that this one has started, in bytes. */
function residentBytes(): number {
  const [gate, ...others] = processes()
  if (gate === undefined || others.length > 0) throw new Error('expected one process: the gate')
  return Number(readFileSync(`/proc/${gate}/statm`, 'utf8').split(' ')[1]) * 4096
}

function processes(): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && parentOf(pid) === process.pid)
}

function parentOf(pid: string): number {
  try {
    // The name, in parentheses, may hold anything.
    return Number(
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) \S+ /s, '')
        .split(' ')[0],
    )
  } catch {
    return 0
  }
}

function openStream({ url }: Running): Promise<IncomingMessage> {
  const body = JSON.stringify({ model: 'bench', stream: true, messages: [] })
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }
    const options = { method: 'POST', headers, agent: false }
    const request = httpRequest(`${url}/v1/chat/completions`, options, (answer) =>
      answer.once('data', () => resolve(answer)),
    )
    request.on('error', reject).end(body)
  })
}

type Memory = { idle: number; withStreams: number }

async function memoryOf(harness: Program['harness'], config: ConfigFile): Promise<Memory> {
  const gate = await harness.start(config)
  const first = await openStream(gate)
  first.destroy()
  await wait(3000)
  const idle = residentBytes()
  const streams = await Promise.all(Array.from({ length: STREAMS }, () => openStream(gate)))
  for (const stream of streams) stream.on('error', () => {}).resume()
  await wait(5000)
  const withStreams = residentBytes()
  for (const stream of streams) stream.destroy()
  await gate.stop()
  return { idle, withStreams }
}

const upstream = await startUpstream()
const config = {
  ...configFor(upstream.url),
  queue: { slotsPerModel: STREAMS, maxWaiting: STREAMS },
}
const unlimited = { ...config, limits: { requestsPerMinute: null, waiting: STREAMS } }
const rows: string[] = []
for (const { harness, onDisk } of programs) {
  console.error(harness.name)
  const starts: number[] = []
  for (let i = 0; i < STARTS; i++) starts.push(await coldStart(harness, config))
  const median = starts.toSorted((a, b) => a - b)[Math.floor(STARTS / 2)] ?? Number.NaN
  const { idle, withStreams } = await memoryOf(harness, unlimited)
  const cells = [
    onDisk,
    `${Math.round(median)} ms`,
    megabytes(idle),
    `${((withStreams - idle) / MB / (STREAMS / 100)).toFixed(1)} MB`,
  ]
  rows.push(`| ${harness.name} | ${cells.join(' | ')} |`)
}
upstream.stop()
console.log('| | install: gate + runtime | start to first 200 | idle RSS | RSS per 100 streams |')
console.log('|---|---|---|---|---|')
console.log(rows.join('\n'))
process.exit()
