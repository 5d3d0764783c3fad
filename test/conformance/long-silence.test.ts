import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { openRaw, sendRaw } from '../support/raw-http.ts'
import { textOf } from '../support/raw-http/answer.ts'
import { rawJsonPost, rawRequest } from '../support/raw-http/raw-request.ts'
import { CHAT } from '../support/sse-samples.ts'
import { acquaint, callsTo, harnesses, KEYS, ROOMY } from './gates.ts'

/** Longer than what runtimes allow unasked: Bun closes a connection after 10 to 12 s of silence. */
const SILENCE_MS = 13_000
const GAP_MS = 15_000
const WITHIN_MS = 25_000

const STREAM = [['content-type', 'text/event-stream']] as const

function ask(stream: boolean): Buffer {
  const options = stream ? { stream_options: { include_usage: true } } : {}
  return rawJsonPost(
    CHAT.path,
    { model: 'gpt-oss-120b', messages: [{ role: 'user', content: 'hi' }], stream, ...options },
    { Authorization: `Bearer ${KEYS.user}` },
  )
}

describe.concurrent.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    gate = await harness.start({
      upstream: { url: upstream.url },
      ...ROOMY,
      heartbeat: { afterMs: 0 },
    })
    await acquaint(upstream, gate)
  })
  afterAll(() => Promise.all([gate.stop(), upstream.stop()]))

  /** A call that is not streamed, whose answer is long in coming. */
  async function late(): Promise<unknown> {
    upstream.behave({ kind: 'slow-headers', ms: SILENCE_MS })
    const answer = sendRaw(gate.url, ask(false), { withinMs: WITHIN_MS })
    await upstream.waitFor(() => callsTo(upstream).length === 1)
    const { status, ending } = await answer
    return { status, ending }
  }

  /** A stream that says nothing for long in its middle. */
  async function interrupted(): Promise<unknown> {
    const middle = CHAT.text.indexOf('\n\n') + 2
    const pieces = [
      { bytes: CHAT.text.slice(0, middle) },
      { bytes: CHAT.text.slice(middle), afterMs: GAP_MS },
    ]
    await upstream.waitFor(() => callsTo(upstream).length === 1)
    upstream.behave({ kind: 'pieces', pieces, headers: STREAM })
    const answer = await sendRaw(gate.url, ask(true), { withinMs: WITHIN_MS })
    return { status: answer.status, ending: answer.ending, text: textOf(answer) }
  }

  /** Two requests on one connection, with a long pause between them. */
  async function resumed(): Promise<unknown> {
    const health = rawRequest({ target: '/health' })
    const client = await openRaw(gate.url, health)
    const first = await client.answer()
    await sleep(SILENCE_MS)
    await client.write(health)
    const second = await client.answer()
    client.close()
    return [first.status, second.status]
  }

  // The edge in front of a Worker keeps the connections to clients; workerd alone closes them after some seconds.
  const isKept = harness.cannot['drain-on-signal'] === undefined
  test(`without heartbeats, a long silence ends no answer${isKept ? ', and no connection between two' : ''}`, async () => {
    expect(await Promise.all([late(), interrupted(), resumed()])).toEqual([
      { status: 200, ending: 'complete' },
      { status: 200, ending: 'complete', text: CHAT.text },
      [200, isKept ? 200 : 0],
    ])
  })
})
