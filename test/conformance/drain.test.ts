import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ConfigFile } from '../../src/config/schema.ts'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { openRaw, sendRaw } from '../support/raw-http.ts'
import { textOf } from '../support/raw-http/answer.ts'
import { rawJsonPost } from '../support/raw-http/raw-request.ts'
import { harnesses, KEY_CONFIG, KEYS } from './gates.ts'

const CHAT = '/v1/chat/completions'
const ASK = { model: 'gpt-oss-120b', messages: [{ role: 'user', content: 'hi' }] }
const AUTHORIZATION = { Authorization: `Bearer ${KEYS.user}` }
const STREAM = rawJsonPost(CHAT, { ...ASK, stream: true }, AUTHORIZATION)
const CALL = rawJsonPost(CHAT, ASK, AUTHORIZATION)

/** A drain that no test waits for. */
const LONG_MS = 60_000
/** Long enough for a process to end on a busy machine, and far from any time-out of a runtime. */
const SOON_MS = 3000

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running | undefined
  beforeAll(async () => {
    upstream = await startLookAlike()
  })
  afterEach(async () => {
    await gate?.stop()
    gate = undefined
    upstream.reset()
  })
  afterAll(() => upstream.stop())

  /** A gate of this test alone, since every test ends it. */
  async function startGate(config: Partial<ConfigFile> = {}): Promise<Running> {
    gate = await harness.start({
      upstream: { url: upstream.url },
      keys: KEY_CONFIG,
      heartbeat: { afterMs: 0 },
      timeouts: { drainMs: LONG_MS },
      ...config,
    })
    return gate
  }

  const cannot = harness.cannot['drain-on-signal']
  if (cannot !== undefined) {
    test(`there is still no process to send a signal to: ${cannot}`, async () => {
      expect((await startGate()).process).toBeUndefined()
    })
    return
  }

  test('a stream that is active at SIGTERM is finished whole, and the exit code is 0', async () => {
    const { url, process } = processOf(await startGate())
    upstream.behave({ kind: 'normal', paceMs: 100 })
    const client = await openRaw(url, STREAM)
    await client.readUntil('data:')
    const exit = process.exit
    process.signal('SIGTERM')
    const [answer, direct] = [await client.answer(), await sendRaw(upstream.url, STREAM)]
    expect([textOf(answer), answer.ending]).toEqual([textOf(direct), 'complete'])
    expect(await exit).toEqual({ code: 0, signal: null })
  })
  // MORE
})

type Exit = { code: number | null; signal: string | null }

/** The process of a gate and what becomes of it. */
function processOf({ url, process: child }: Running): {
  url: string
  process: { signal(name: NodeJS.Signals): void; exit: Promise<Exit> }
} {
  if (child === undefined) throw new Error('expected a gate with a process of its own')
  const exit = once(child, 'exit').then(([code, signal]) => ({ code, signal }))
  return { url, process: { exit, signal: (name) => void child.kill(name) } }
}
