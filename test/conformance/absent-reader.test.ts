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
/** How long a connection is watched before it is believed to stay. */
const KEPT_MS = 7000

const FLOODS = Array.from({ length: CLIENTS }, () => ({ kind: 'flood', bytes: 2 ** 26 }) as const)

// Only Linux tells the sockets of another process without a tool.
const WATCHED = harnesses.filter(({ cannot }) => cannot['drain-on-signal'] === undefined)

describe.runIf(process.platform === 'linux').each(WATCHED)('on $name', (harness) => {
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

  /** Lets clients stop to read until their answers are broken off. */
  async function stall(pid: number): Promise<{ before: number; clients: RawConnection[] }> {
    const before = socketsOf(pid)
    upstream.behave(...FLOODS)
    const clients = await Promise.all(FLOODS.map(() => openRaw(gate.url, STREAM, { paused: true })))
    await upstream.waitFor(() => callsTo(upstream).length === CLIENTS)
    expect(socketsOf(pid)).toBeGreaterThanOrEqual(before + CLIENTS)
    await expect
      .poll(() => callsTo(upstream).map(({ state }) => state), { timeout: BROKEN_OFF_MS })
      .toEqual(FLOODS.map(() => 'aborted'))
    return { before, clients }
  }

  const kept = harness.cannot['absent-reader']
  test.each(kept === undefined ? ['its connection'] : [])(
    'a client that has stopped to read does not keep %s',
    async () => {
      const pid = gate.process!.pid!
      const { before, clients } = await stall(pid)
      await expect
        .poll(() => socketsOf(pid), { timeout: GIVEN_UP_MS, interval: 100 })
        .toBeLessThanOrEqual(before)
      for (const client of clients) client.destroy()
    },
  )
  test.each(kept === undefined ? [] : [kept])(
    'a client that has stopped to read still keeps it: %s',
    async () => {
      const pid = gate.process!.pid!
      const { before, clients } = await stall(pid)
      await sleep(KEPT_MS)
      expect(socketsOf(pid)).toBeGreaterThanOrEqual(before + CLIENTS)
      for (const client of clients) client.destroy()
      await expect.poll(() => socketsOf(pid)).toBeLessThanOrEqual(before)
    },
  )
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
