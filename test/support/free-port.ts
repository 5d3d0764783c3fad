import { randomInt } from 'node:crypto'
import { listenError } from '../../adapters/cli/port.ts'

/** Below the ports that a system gives to those who ask for any: there another test could take it before it is used. */
const FIRST = 10_000
const LAST = 30_000

/** Given to somebody who may not listen on it yet. */
const given = new Set<number>()

/** A TCP port of 127.0.0.1 that nobody listens on at this moment, and that nobody else in this process is given. */
export async function freePort(): Promise<number> {
  const port = randomInt(FIRST, LAST)
  if (given.has(port)) return freePort()
  given.add(port)
  const taken = await listenError({ host: '127.0.0.1', port })
  return taken ? freePort() : port
}
