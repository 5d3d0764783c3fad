import { createFetchUpstream, type Fetch } from '../../src/proxy/fetch-upstream.ts'
import type { Runtime } from '../process/start-gate.ts'
import { withConnectDeadline } from './connect-deadline.ts'
import { serve } from './serve.ts'

/** Bun's fetch gives up after 300 s of silence unless told otherwise. */
const patientFetch: Fetch = (target, init) => fetch(target, { ...init, timeout: false })

function isProxied(): boolean {
  return Object.entries(process.env).some(([name, value]) => /^https?_proxy$/i.test(name) && value)
}

/** The gate on Bun. */
export const runtime: Runtime = {
  name: 'bun',
  createUpstream: (url) =>
    createFetchUpstream(
      url,
      // Behind a proxy it is the proxy that connects.
      isProxied() ? patientFetch : withConnectDeadline(patientFetch),
      (error) => console.error(error),
    ),
  serve,
}
