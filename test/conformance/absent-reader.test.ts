import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { openRaw, type RawConnection } from '../support/raw-http.ts'
import { rawJsonPost } from '../support/raw-http/raw-request.ts'
import { acquaint, callsTo, harnesses, KEYS, ROOMY } from './gates.ts'

const CLIENTS = 3
const STREAM = rawJsonPost(
  '/v1/chat/completions',
  { model: 'gpt-oss-120b', messages: [{ role: 'user', content: 'hi' }], stream: true },
  { Authorization: `Bearer ${KEYS.user}` },
)
/** How long a client may read nothing before its answer is broken off. */
const SILENCE_MS = 500
/** How soon upstream must see that, on a machine that is busy with other things. */
const BROKEN_OFF_MS = 5000
/** The grace for what was written, and a busy machine. */
const GIVEN_UP_MS = 15_000
/** Lets what is on its way arrive. */
const SETTLED_MS = 200

const FLOODS = Array.from({ length: CLIENTS }, () => ({ kind: 'flood', bytes: 2 ** 26 }) as const)

const ABORTED = FLOODS.map(() => 'aborted')

// Only Linux tells the sockets of another process without a tool.
const WATCHED = process.platform === 'linux' ? ['its connection'] : []

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    gate = await harness.start({
      upstream: { url: upstream.url },
      ...ROOMY,
      timeouts: { upstreamSilenceMs: SILENCE_MS },
    })
    await acquaint(upstream, gate)
    // Connections that wait for the next call are not to be counted.
    upstream.closeIdle()
    await sleep(SETTLED_MS)
  })
  afterEach(() => upstream.reset())
  afterAll(() => Promise.all([gate.stop(), upstream.stop()]))

  /** Clients that stop to read at once, each of an endless answer. */
  async function stall(): Promise<RawConnection[]> {
    upstream.behave(...FLOODS)
    const clients = await Promise.all(FLOODS.map(() => openRaw(gate.url, STREAM, { paused: true })))
    await upstream.waitFor(() => callsTo(upstream).length === CLIENTS)
    return clients
  }
  const states = (): string[] => callsTo(upstream).map(({ state }) => state)

  const noProcess = harness.cannot['drain-on-signal']
  test.each(noProcess === undefined ? WATCHED : [])(
    'a client that has stopped to read does not keep %s',
    async () => {
      const pid = gate.process!.pid!
      const before = socketsOf(pid)
      const clients = await stall()
      expect(socketsOf(pid)).toBeGreaterThanOrEqual(before + CLIENTS)
      await expect.poll(states, { timeout: BROKEN_OFF_MS }).toEqual(ABORTED)
      await expect
        .poll(() => socketsOf(pid), { timeout: GIVEN_UP_MS, interval: 100 })
        .toBeLessThanOrEqual(before)
      for (const client of clients) client.destroy()
    },
  )

  test('a client that has stopped to read does not keep its place at upstream', async () => {
    const clients = await stall()
    await expect.poll(states, { timeout: BROKEN_OFF_MS }).toEqual(ABORTED)
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
