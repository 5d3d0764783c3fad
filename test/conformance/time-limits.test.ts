import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { openRaw, sendRaw, type RawConnection } from '../support/raw-http.ts'
import { textOf } from '../support/raw-http/answer.ts'
import { rawJsonPost } from '../support/raw-http/raw-request.ts'
import { acquaint, harnesses, KEYS, ROOMY } from './gates.ts'

const HEADERS_MS = 1000
const BODY_MS = 1500
/** How much later a limit may take hold, on a machine that is busy with other things. */
const LATE_MS = 2500
/** A runtime with a limit of its own ends nobody so soon, and everybody by then. */
const NOT_YET_MS = 4000
const OWN_LIMIT_MS = 20_000
const CLIENTS = 10
const DRIP_MS = 100

const CHAT = '/v1/chat/completions'
const AUTH = `Host: a\r\nx-api-key: ${KEYS.user}\r\nContent-Type: application/json\r\n`
const ASK = rawJsonPost(CHAT, { model: 'gpt-oss-120b', messages: [] }, { 'x-api-key': KEYS.user })

/** A client that sends something and then, if at all, only a little at a time. */
type Slow = { what: string; first: string; drip?: string }

const SLOW_HEADERS: Slow[] = [
  { what: 'nothing', first: '' },
  { what: 'a part', first: `POST ${CHAT} HTTP/1.1\r\nHost: a\r\nAccept` },
  { what: 'a byte now and then', first: 'GET / HTTP/1.1\r\nHost: a\r\nX-Long: ', drip: 'a' },
]
const SLOW_SECOND: Slow = {
  what: 'after a whole request a byte now and then',
  first: 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nX-Long: ',
  drip: 'a',
}

/** The paths are one of each dialect. */
const SLOW_BODIES: Slow[] = [
  {
    what: 'nothing, of a known length',
    first: `POST ${CHAT} HTTP/1.1\r\n${AUTH}Content-Length: 900\r\n\r\n`,
  },
  {
    what: 'a part, in chunks',
    first: `POST ${CHAT} HTTP/1.1\r\n${AUTH}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`,
  },
  {
    what: 'a byte now and then, of a known length',
    first: `POST /v1/messages HTTP/1.1\r\n${AUTH}Content-Length: 900\r\n\r\n{`,
    drip: ' ',
  },
  {
    what: 'a byte now and then, in chunks',
    first: `POST /v1/messages HTTP/1.1\r\n${AUTH}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`,
    drip: '1\r\n \r\n',
  },
]

const MESSAGE =
  'The request did not arrive whole within the time set by timeouts.requestBodyMs in config.json, or nothing of it came for a minute.'

describe.concurrent.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    gate = await harness.start({
      upstream: { url: upstream.url },
      ...ROOMY,
      timeouts: { requestHeadersMs: HEADERS_MS, requestBodyMs: BODY_MS },
    })
    await acquaint(upstream, gate)
  })
  afterAll(() => Promise.all([gate.stop(), upstream.stop()]))

  const own = harness.cannot['request-time-limits']
  describe('clients that send of their header nothing, a part or a byte now and then', () => {
    test.each(own === undefined ? ['time'] : [])('are ended in %s', async () => {
      const slow = await openAll(gate.url, [...SLOW_HEADERS, SLOW_SECOND])
      const took = await Promise.all(slow.map(({ endedMs }) => endedMs))
      expect(Math.max(...took)).toBeLessThan(HEADERS_MS + LATE_MS)
    })

    test.each(own === undefined ? [] : [own])('are still ended later: %s', async () => {
      const slow = await openAll(gate.url, SLOW_HEADERS)
      const took = await Promise.all(slow.map(({ endedMs }) => endedMs))
      expect(Math.min(...took)).toBeGreaterThan(NOT_YET_MS)
      expect(Math.max(...took)).toBeLessThan(OWN_LIMIT_MS)
    })

    test.each(own === undefined ? [] : [own])(
      'are still kept longer in a second request: %s',
      async () => {
        const { endedMs, close } = await openSlow(gate.url, SLOW_SECOND)
        const first = await Promise.race([endedMs.then(() => 'ended'), sleep(NOT_YET_MS, 'open')])
        close()
        expect(first).toBe('open')
      },
    )
  })

  test('clients that send of their body nothing, a part or a byte now and then are told so, and ended', async (context) => {
    const slow = await openAll(gate.url, SLOW_BODIES)
    const answers = await Promise.all(
      slow.map(({ clients }) => Promise.all(clients.map((client) => client.answer()))),
    )
    const took = await Promise.all(slow.map(({ endedMs }) => endedMs))
    expect(
      answers.map((same) => same.map((answer) => [answer.status, JSON.parse(textOf(answer))])),
    ).toEqual(
      SLOW_BODIES.map((body) =>
        Array(CLIENTS)
          .fill(0)
          .map(() => [408, errorOn(body)]),
      ),
    )
    expect(Math.min(...took)).toBeGreaterThan(BODY_MS - DRIP_MS)
    expect(Math.max(...took)).toBeLessThan(BODY_MS + LATE_MS)
    const logged = /"status":408,"outcome":"refused","reason":"request-too-slow"/g
    // Tests that run side by side must poll through their own context.
    await context.expect
      .poll(() => gate.output().match(logged)?.length)
      .toBeGreaterThanOrEqual(SLOW_BODIES.length * CLIENTS)
  })

  test('slow clients keep nobody else out', async () => {
    const slow = await openAll(gate.url, [...SLOW_HEADERS, SLOW_SECOND, ...SLOW_BODIES])
    const answer = await sendRaw(gate.url, ASK, { withinMs: BODY_MS })
    for (const { close } of slow) close()
    expect(answer.status).toBe(200)
  })

  test('a slow request that comes in time is served', async () => {
    const bytes = ASK.toString('latin1')
    const client = await openRaw(gate.url)
    for (const part of bytes.match(/[^]{1,30}/g)!) {
      await client.write(part)
      await sleep(DRIP_MS)
    }
    expect((await client.answer()).status).toBe(200)
    client.close()
  })
})

type Opened = {
  clients: RawConnection[]
  /** How long it took until the gate had ended the last of them. */
  endedMs: Promise<number>
  close: () => void
}

function openAll(url: string, kinds: Slow[]): Promise<Opened[]> {
  return Promise.all(kinds.map((kind) => openSlow(url, kind)))
}

async function openSlow(url: string, { first, drip }: Slow): Promise<Opened> {
  const opened = performance.now()
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => openRaw(url, first)))
  const timer = setInterval(() => {
    if (drip !== undefined) for (const client of clients) void client.write(drip)
  }, DRIP_MS)
  const all = Promise.all(clients.map(({ peerEnded }) => peerEnded))
  const endedMs = all.then(() => {
    clearInterval(timer)
    for (const client of clients) client.close()
    return performance.now() - opened
  })
  const close = (): void => {
    clearInterval(timer)
    for (const client of clients) client.destroy()
  }
  return { clients, endedMs, close }
}

function errorOn({ first }: Slow): unknown {
  if (first.includes('/v1/messages'))
    return { type: 'error', error: { type: 'invalid_request_error', message: MESSAGE } }
  return {
    error: {
      message: MESSAGE,
      type: 'invalid_request_error',
      param: null,
      code: 'request_timeout',
    },
  }
}
