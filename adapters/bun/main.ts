import { liftRequestLimit } from './lift-request-limit.ts'

liftRequestLimit()
const { runGate } = await import('../process/run-gate.ts')
const { runtime } = await import('./runtime.ts')
await runGate(runtime)
