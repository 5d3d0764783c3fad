import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { openRaw, type RawConnection } from '../support/raw-http.ts'
import { rawJsonPost } from '../support/raw-http/raw-request.ts'
import { harnesses, ROOMY, KEYS } from './gates.ts'

const CHAT = '/v1/chat/completions'
const LISTING = '/v1/models'
const CALL = rawJsonPost(
  CHAT,
  { model: 'glm-4.7-flash', messages: [{ role: 'user', content: 'hi' }] },
  { Authorization: `Bearer ${KEYS.limited}` },
)
/** Lets what is on its way arrive. */
const SETTLED_MS = 200

const WAYS = [
  { way: 'in good order (FIN)', inGoodOrder: true, leave: (it: RawConnection) => it.close() },
  { way: 'by a reset (RST)', inGoodOrder: false, leave: (it: RawConnection) => it.destroy() },
]

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
  })
  afterEach(async () => {
    await gate.stop()
    upstream.reset()
  })
  afterAll(() => upstream.stop())

  /** The calls that llama-swap has seen after a client left while the gate still asked for the names of models. */
  async function callsAfter(leave: (client: RawConnection) => void): Promise<string[]> {
    gate = await harness.start({
      upstream: { url: upstream.url },
      ...ROOMY,
      heartbeat: { afterMs: 0 },
    })
    upstream.behaveAt(LISTING, { kind: 'never-headers' })
    const client = await openRaw(gate.url, CALL)
    await upstream.waitFor(({ url }) => url === LISTING)
    leave(client)
    await sleep(SETTLED_MS)
    upstream.release()
    await sleep(SETTLED_MS)
    return upstream.requests.map(({ url }) => url).filter((url) => url === CHAT)
  }

  const unseen = harness.cannot['cancel-before-headers']
  test.each(WAYS.filter(({ inGoodOrder }) => !inGoodOrder || unseen === undefined))(
    'a client that leaves $way before its call was sent causes no call',
    async ({ leave }) => {
      expect(await callsAfter(leave)).toEqual([])
      // workerd's log comes with some delay, or not at all for a client that has left.
      await expect
        .poll(() => gate.process === undefined || gate.output().includes('"client-closed"'))
        .toBe(true)
    },
  )

  test.each(unseen === undefined ? [] : [unseen])(
    'a client that leaves in good order still causes a call: %s',
    async () => {
      await callsAfter((client) => client.close())
      expect((await upstream.waitFor(({ url }) => url === CHAT)).url).toBe(CHAT)
    },
  )
})
