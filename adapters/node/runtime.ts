import type { Runtime } from '../process/start-gate.ts'
import { serve } from './serve.ts'
import { createUndiciUpstream } from './upstream.ts'

/** The gate on Node: node:http in front, undici's dispatcher behind. */
export const runtime: Runtime = {
  name: 'node',
  createUpstream: (url) => createUndiciUpstream(url, (error) => console.error(error)),
  serve,
}
