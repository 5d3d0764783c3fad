import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { openRaw } from '../support/raw-http.ts'
import { rawJsonPost } from '../support/raw-http/raw-request.ts'
import { harnesses, KEY_CONFIG, KEYS } from './gates.ts'

const CLIENTS = 3
const STREAM = rawJsonPost(
  '/v1/chat/completions',
  { model: 'gpt-oss-120b', messages: [{ role: 'user', content: 'hi' }], stream: true },
  { Authorization: `Bearer ${KEYS.user}` },
)
/** How long a client may read nothing before its answer is broken off. */
const SILENCE_MS = 500
/** The grace for what was written, and a busy machine. */
const GIVEN_UP_MS = 12_000

// Only Linux tells the sockets of another process without a tool.
const WATCHED = harnesses.filter(({ cannot }) => cannot['drain-on-signal'] === undefined)

describe.runIf(process.platform === 'linux').each(WATCHED)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    gate = await harness.start({
      upstream: { url: upstream.url },
      keys: KEY_CONFIG,
      timeouts: { upstreamSilenceMs: SILENCE_MS },
    })
  })
  afterEach(() => upstream.reset())
  afterAll(() => Promise.all([gate.stop(), upstream.stop()]))

  test('a client that has stopped to read does not keep its connection for ever', async () => {
    const pid = gate.process!.pid!
    const before = socketsOf(pid)
    const floods = Array.from(
      { length: CLIENTS },
      () => ({ kind: 'flood', bytes: 2 ** 26 }) as const,
    )
    upstream.behave(...floods)
    const clients = await Promise.all(floods.map(() => openRaw(gate.url, STREAM, { paused: true })))
    await upstream.waitFor(() => upstream.requests.length === CLIENTS)
    expect(socketsOf(pid)).toBeGreaterThanOrEqual(before + CLIENTS)
    await expect
      .poll(() => socketsOf(pid), { timeout: GIVEN_UP_MS, interval: 100 })
      .toBeLessThanOrEqual(before)
    expect(upstream.requests.map(({ state }) => state)).toEqual(floods.map(() => 'aborted'))
    for (const client of clients) client.destroy()
  })
})

/** How many sockets a process holds. */
function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).filter((name) => isSocket(join(folder, name))).length
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:')
  } catch {
    // Closed since the folder was read.
    return false
  }
}
