import { runtime as node } from '../node/runtime.ts'
import type { Runtime } from '../process/start-gate.ts'

/**
 * The gate on Deno: the server and the upstream of Node, which Deno brings along. They are faster than `Deno.serve` and
 * `fetch`, and have time limits for a request, which `Deno.serve` has not.
 */
export const runtime: Runtime = { ...node, name: 'deno' }
