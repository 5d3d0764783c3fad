import { once } from 'node:events'
import { onTestFinished, vi } from 'vitest'
import type { DemoOptions } from '../../../adapters/demo/options.ts'
import { createDemoServer, originOf } from '../../../adapters/demo/server.ts'

/** A server-sent event as the tests compare it. */
export interface Frame {
  readonly event?: string
  readonly data: unknown
}

/** A demo server on a free port, gone again when the test is over. */
export interface RunningDemo {
  readonly url: string
  readonly get: (path: string) => Promise<Response>
  readonly post: (path: string, body: unknown, signal?: AbortSignal) => Promise<Response>
  readonly running: () => Promise<string[]>
}

export async function startDemo(options: Partial<DemoOptions> = {}): Promise<RunningDemo> {
  const server = createDemoServer({ loadMs: 20, tokensPerSecond: 5000, ...options })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const url = originOf(server)
  const get = (path: string): Promise<Response> => fetch(url + path, { redirect: 'manual' })
  return {
    url,
    get,
    post: (path, body, signal) =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        ...(signal && { signal }),
      }),
    running: async () => {
      const listing: { running: { model: string; state: string }[] } = JSON.parse(
        await (await get('/running')).text(),
      )
      return listing.running.map(({ model, state }) => `${model} ${state}`)
    },
  }
}

/** From here to the end of the test models load only as far as the test advances the timers. */
export function stopTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
}

/** Splits a finished stream into its events; `[DONE]` stays a string. */
export function framesOf(stream: string): Frame[] {
  return stream
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const lines = block.split('\n')
      const field = (name: string): string | undefined =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
      const event = field('event')
      const data = field('data') ?? ''
      return {
        ...(event !== undefined && { event }),
        data: data === '[DONE]' ? data : mask(JSON.parse(data)),
      }
    })
}

/** Replaces what differs from run to run: random ids, clocks and rates. */
export function mask(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, maskField))
}

function maskField(key: string, value: unknown): unknown {
  if (/^created(_at)?$|^completed_at$/.test(key)) return 0
  if (/_ms$|_per_second$/.test(key)) return undefined
  return typeof value === 'string' ? value.replace(/_?[0-9a-f]{32}/g, '#') : value
}
