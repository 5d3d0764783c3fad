import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import type { Behaviour, Piece } from '../support/look-alike/behaviour.ts'
import { openRaw, sendRaw } from '../support/raw-http.ts'
import { textOf } from '../support/raw-http/answer.ts'
import { rawJsonPost } from '../support/raw-http/raw-request.ts'
import { CHAT } from '../support/sse-samples.ts'
import { harnesses, KEYS, ROOMY } from './gates.ts'

/** What only a Worker could get wrong; every runtime must do it. */

/** Lets what is on its way arrive. */
const SETTLED_MS = 100

const ASK = { model: 'glm-4.7-flash', messages: [{ role: 'user', content: 'hi' }], stream: true }

function post(secret: string): Buffer {
  return rawJsonPost(CHAT.path, ASK, { Authorization: `Bearer ${secret}` })
}

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

  async function start(): Promise<Running> {
    gate = await harness.start({ upstream: { url: upstream.url }, ...ROOMY })
    return gate
  }

  test('a question for the list of models is not lost for others when the client leaves that it was asked for', async () => {
    const { url } = await start()
    upstream.behaveAt('/v1/models', { kind: 'never-headers' })
    const first = await openRaw(url, post(KEYS.limited))
    await upstream.waitFor(() => upstream.held() === 1)
    const second = await openRaw(url, post(KEYS.limited))
    await sleep(SETTLED_MS)
    first.destroy()
    const others = [second, await openRaw(url, post(KEYS.limited))]
    const answers = await Promise.all(others.map((client) => client.answer()))
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
  })

  const frames = CHAT.text.match(/.*?\n\n/gs) ?? []
  const WAIT: Piece = { bytes: '', afterMs: 120 }
  const cuts = (['clean', 'fin', 'reset'] as const).map((ending) => ({
    ending,
    bytes: frames.slice(0, 2).join('') + frames[2]?.slice(0, 9),
  }))

  test.each([
    ...cuts.map((cut) => ({ ...cut, length: undefined })),
    ...cuts.slice(1).map((cut) => ({ ...cut, length: String(CHAT.text.length) })),
  ])(
    'a stream that upstream breaks off ($ending, announced length: $length) ends with an error',
    async ({ ending, bytes, length }) => {
      const { url } = await start()
      const announced = length === undefined ? [] : [['content-length', length] as const]
      const headers = [['content-type', 'text/event-stream'] as const, ...announced]
      const behaviour: Behaviour = { kind: 'pieces', pieces: [{ bytes }, WAIT], headers, ending }
      upstream.behave(behaviour)
      const answer = await sendRaw(url, post(KEYS.user))
      const isHidden = harness.cannot['broken-connection-visible'] !== undefined
      expect([answer.status, textOf(answer), answer.ending === 'complete']).toEqual([
        200,
        `${frames.slice(0, 2).join('')}data: {"error":{"message":"The model server ended the stream before the answer was complete.","type":"server_error","param":null,"code":"stream_interrupted"}}\n\n`,
        isHidden,
      ])
    },
  )
})
