import { createFetchUpstream } from '../../src/proxy/fetch-upstream.ts'
import type { Runtime } from '../process/start-gate.ts'
import { withConnectDeadline } from './connect-deadline.ts'
import { serve } from './serve.ts'

/** The gate on Bun. Its fetch gives up after 300 s of silence unless told otherwise. */
export const runtime: Runtime = {
  name: 'bun',
  createUpstream: (url) =>
    createFetchUpstream(
      url,
      withConnectDeadline((target, init) => fetch(target, { ...init, timeout: false })),
      (error) => console.error(error),
    ),
  serve,
}
