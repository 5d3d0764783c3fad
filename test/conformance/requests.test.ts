import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { openRaw, sendRaw } from '../support/raw-http.ts'
import { textOf } from '../support/raw-http/answer.ts'
import { rawJsonPost, rawRequest } from '../support/raw-http/raw-request.ts'
import { acquaint, callsTo, harnesses, KEYS, ROOMY } from './gates.ts'

const CHAT = '/v1/chat/completions'
const AUTHORIZATION = { Authorization: `Bearer ${KEYS.user}` }
const ASK = { model: 'gpt-oss-120b', messages: [{ role: 'user', content: 'hi' }] }
const CALL = rawJsonPost(CHAT, ASK, AUTHORIZATION)
const HEALTH = rawRequest({ target: '/health' })
/** More than any runtime takes, and what each must take. */
const TOO_LARGE = 512 * 1024
const LARGE = 8 * 1024
/** What a client sends on after it was refused. */
const UPLOAD = 16 * 1024 * 1024
/** So long a client waits for leave to send its body, before it sends it without. */
const LEAVE_MS = 300

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    gate = await harness.start({ upstream: { url: upstream.url }, ...ROOMY })
    await acquaint(upstream, gate)
  })
  afterEach(() => upstream.reset())
  afterAll(() => Promise.all([gate.stop(), upstream.stop()]))

  test('a client that asks whether to go on (Expect: 100-continue) is served', async () => {
    const headers = { ...AUTHORIZATION, Expect: '100-continue' }
    const [head, body] = rawJsonPost(CHAT, ASK, headers).toString().split('\r\n\r\n')
    const client = await openRaw(gate.url, `${head}\r\n\r\n`)
    await sleep(LEAVE_MS)
    await client.write(body!)
    const answer = await client.answer()
    client.close()
    expect([answer.status, callsTo(upstream).map(({ headers: sent }) => sent['expect'])]).toEqual([
      200,
      [undefined],
    ])
  })

  const chunked = harness.cannot['http-1.0']
  test.each(chunked === undefined ? ['HTTP/1.0'] : [])(
    'a client of %s gets a whole answer in its form',
    async (version) => {
      const usual = await sendRaw(gate.url, CALL)
      const answer = await sendRaw(gate.url, CALL.toString().replace('HTTP/1.1', version))
      expect([answer.status, answer.chunks.length, textOf(answer)]).toEqual([200, 0, textOf(usual)])
    },
  )
  test.each(chunked === undefined ? [] : [chunked])(
    'a client of HTTP/1.0 still gets chunks: %s',
    async () => {
      const answer = await sendRaw(gate.url, CALL.toString().replace('HTTP/1.1', 'HTTP/1.0'))
      expect([answer.status, answer.chunks.length > 0]).toEqual([200, true])
    },
  )

  test('a large header is taken, and one that is too large ends its own connection only', async () => {
    const large = rawRequest({ target: '/health', headers: { 'X-Large': 'a'.repeat(LARGE) } })
    const tooLarge = rawRequest({
      target: '/health',
      headers: { 'X-Large': 'a'.repeat(TOO_LARGE) },
    })
    const client = await openRaw(gate.url, tooLarge)
    await client.peerEnded
    const statuses = [await sendRaw(gate.url, large), await sendRaw(gate.url, HEALTH)]
    expect(client.received().includes(' 200 ')).toBe(false)
    expect(statuses.map(({ status }) => status)).toEqual([200, 200])
  })

  test('a client without a key is refused before its body has come', async () => {
    const lines = [`POST ${CHAT} HTTP/1.1`, 'Host: a', 'Content-Type: application/json']
    const head = `${lines.join('\r\n')}\r\nContent-Length: ${UPLOAD}\r\n\r\n`
    const client = await openRaw(gate.url, head)
    const { status } = await client.answer()
    client.destroy()
    const after = await sendRaw(gate.url, HEALTH)
    expect([status, after.status, callsTo(upstream)]).toEqual([401, 200, []])
  })

  test('an answer without a content type passes whole', async () => {
    upstream.behave({ kind: 'answer', status: 200, body: 'as it is' })
    const answer = await sendRaw(gate.url, CALL)
    expect([answer.status, textOf(answer), answer.ending]).toEqual([200, 'as it is', 'complete'])
  })
})
