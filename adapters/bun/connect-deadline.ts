import { connect } from 'node:net'
import type { Fetch } from '../../src/proxy/fetch-upstream.ts'

/** Together about as long as undici waits for a connection. */
const LOOK_AFTER_MS = 8_000
const CONNECT_MS = 4_000

/**
 * Bun's fetch gives a connection no deadline of its own: a box that is switched off drops the packets, and the system
 * gives up after two minutes. So where no answer has come after eight seconds, it is looked whether a new connection gets any
 * answer. A server that gives one is only slow, and has all the time it needs.
 *
 * @returns the same `fetch`, which fails with `CONNECT_TIMEOUT` after 12 s at most where nobody answers
 */
export function withConnectDeadline(fetch: Fetch, canReach = isReachable): Fetch {
  return async (target, init) => {
    const dead = Promise.withResolvers<never>()
    const look = async (): Promise<void> => {
      if (!(await canReach(new URL(target), CONNECT_MS))) dead.reject(new Error('CONNECT_TIMEOUT'))
    }
    const timer = setTimeout(() => void look(), LOOK_AFTER_MS)
    try {
      return await Promise.race([fetch(target, init), dead.promise])
    } finally {
      clearTimeout(timer)
    }
  }
}

/**
 * Whether a TCP connection to an address comes about in time, or is refused, or fails in any other way: only who gets no
 * answer at all cannot be reached. What else may be wrong the request itself finds out, if it is not under way already.
 */
export function isReachable({ hostname, port, protocol }: URL, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, '')
    const socket = connect({ host, port: Number(port) || (protocol === 'https:' ? 443 : 80) })
    const end = (isThere: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(isThere)
    }
    const timer = setTimeout(() => end(false), withinMs)
    socket.once('connect', () => end(true))
    socket.once('error', () => end(true))
  })
}
