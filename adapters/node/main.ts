import { runGate } from '../process/run-gate.ts'
import { runtime } from './runtime.ts'

await runGate(runtime)
