import { createFetchUpstream } from '../../src/proxy/fetch-upstream.ts'
import type { Runtime } from '../process/start-gate.ts'
import { serve } from './serve.ts'

/** The gate on Deno. */
export const runtime: Runtime = {
  name: 'deno',
  createUpstream: (url) =>
    createFetchUpstream(
      url,
      (target, init) => fetch(target, init),
      (error) => console.error(error),
    ),
  serve,
}
