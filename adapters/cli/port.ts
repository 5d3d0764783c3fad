import { createServer } from 'node:net'
import type { Address } from './choose-upstream.ts'

/** Why nobody could listen on an address now; undefined when it is free. Port 0 always is. */
export function listenError({ host, port }: Address): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', resolve)
    probe.listen(port, host, () => probe.close(() => resolve(undefined)))
  })
}

/** An address as URLs and `-listen` write it. */
export function showAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
