import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// Half of the time to start is reading TypeScript. Where the folder cannot be written, it takes that time again.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/node', import.meta.url)))
const { runGate } = await import('../process/run-gate.ts')
const { runtime } = await import('./runtime.ts')
await runGate(runtime)
