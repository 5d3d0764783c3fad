import type { Readable } from 'node:stream'
import { build, type BuildOptions, type Metafile } from 'esbuild'
import { Log, LogLevel, Miniflare } from 'miniflare'
import { miniflareOptions, wranglerFile } from './wrangler-file.ts'

/** A Worker as one file, and what went into it. */
export type Bundle = { script: string; metafile: Metafile }

/** Bundles a Worker as wrangler does. */
export async function bundle(entry: Pick<BuildOptions, 'entryPoints' | 'stdin'>): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    ...entry,
    bundle: true,
    minify: wranglerFile.minify,
    format: 'esm',
    write: false,
    metafile: true,
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
  })
  return { script: outputFiles.map((file) => file.text).join(''), metafile }
}

/** How a Worker is started. */
export type WorkerOptions = {
  script: string
  /** Variables and secrets by name. */
  bindings?: Record<string, string>
  /** Folder in which Durable Objects live on; undefined: they end with the Worker. */
  keptIn?: string | undefined
  /** Leaves out the Durable Objects of `wrangler.toml`. */
  withoutObjects?: boolean
}

/** A Worker on workerd. */
export type RunningWorker = {
  /** Base URL without a trailing slash. */
  url: string
  /** Everything that it has written. */
  output(): string
  stop(): Promise<void>
}

/** Starts a Worker with what `wrangler.toml` says, on a free port. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { script, bindings = {}, keptIn, withoutObjects = false } = options
  let output = ''
  const deployed = miniflareOptions()
  const miniflare = new Miniflare({
    ...deployed,
    ...(withoutObjects && { durableObjects: {} }),
    ...(keptIn !== undefined && { durableObjectsPersist: keptIn }),
    modules: true,
    script,
    bindings,
    log: new Log(LogLevel.NONE),
    handleRuntimeStdio(stdout: Readable, stderr: Readable) {
      stdout.on('data', (text: Buffer) => (output += text.toString()))
      stderr.on('data', (text: Buffer) => (output += text.toString()))
    },
  })
  const url = await miniflare.ready
  return { url: url.origin, output: () => output, stop: () => miniflare.dispose() }
}
