import { gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { bundle, type Bundle } from './start-worker.ts'
import { wranglerFile } from './wrangler-file.ts'

/** Cloudflare takes 3 MB on the free plan, and starts the sooner the less it is. */
const MOST_BYTES = 150_000

let worker: Bundle
beforeAll(async () => {
  worker = await bundle({ entryPoints: [wranglerFile.main] })
})

test('the Worker stays small', () => {
  expect(gzipSync(worker.script).length).toBeLessThan(MOST_BYTES)
})

test('the Worker holds nothing of other runtimes, and no reader of files', () => {
  const files = Object.keys(worker.metafile.inputs)
  const adapters = files.filter((file) => file.startsWith('adapters/'))
  const folders = adapters.map((file) => /^adapters\/(\w+)/.exec(file)?.[1] ?? '')
  const packages = files.map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1])
  expect({
    folders: [...new Set(folders)].toSorted(),
    sqlite: adapters.filter((file) => file.startsWith('adapters/sqlite/')),
    packages: [...new Set(packages.filter((name) => name !== undefined))].toSorted(),
  }).toEqual({
    folders: ['cloudflare', 'sqlite'],
    sqlite: ['adapters/sqlite/usage-table.ts'],
    packages: ['@hono/zod-validator', 'hono', 'zod'],
  })
})

test('the Worker imports nothing but what the platform has', () => {
  const outputs = Object.values(worker.metafile.outputs)
  const imports = outputs.flatMap((output) => output.imports.map(({ path }) => path))
  expect([...new Set(imports)]).toEqual(['cloudflare:workers'])
})

test('the log of the Worker is kept, without the lines of the platform that hold whole URLs', () => {
  expect(wranglerFile.observability).toEqual({
    enabled: true,
    logs: { enabled: true, invocation_logs: false },
  })
})
