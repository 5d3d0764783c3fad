import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import type { Behaviour, Piece } from '../support/look-alike/behaviour.ts'
import { modelList, runningList } from '../support/look-alike/catalogue.ts'
import { openRaw, sendRaw, type RawConnection } from '../support/raw-http.ts'
import { AnswerReader } from '../support/raw-http/answer-reader.ts'
import { headerValue, textOf, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawJsonPost } from '../support/raw-http/raw-request.ts'
import { CHAT, STREAM_SAMPLES } from '../support/sse-samples.ts'
import { acquaint, callsTo, harnesses, KEYS, ROOMY } from './gates.ts'

const ASK = { model: 'gpt-oss-120b', messages: [{ role: 'user', content: 'hi' }], prompt: 'hi' }

/** A stream asks for usage by itself, so that its answer is that of upstream. */
function request(path: string, stream = true): Buffer {
  const options = stream ? { stream_options: { include_usage: true } } : {}
  const headers = { Authorization: `Bearer ${KEYS.user}` }
  return rawJsonPost(path, { ...ASK, stream, ...options }, headers)
}

const MEGABYTE = 1024 * 1024
/** What upstream has for the client that reads in the end, and for each of those that never do. */
const READ_BYTES = 48 * MEGABYTE
const UNREAD_BYTES = 160 * MEGABYTE
const UNREAD_CLIENTS = 5
/** More than all buffers between upstream and a client that does not read: the kernel's grow to 36 MB per connection. */
const MOST_IN_FLIGHT = 96 * MEGABYTE
/** What the gate's memory may grow by while it serves all of them; without backpressure it would be hundreds. */
const MOST_GROWTH = 100 * MEGABYTE
/** For 48 MB on a machine that is busy with other things. */
const READ_WITHIN_MS = 45_000
/** More streams at once than some runtimes let through unasked. */
const STREAMS = 400
/** Long enough for anything that happens at once, on a machine that is busy with other things. */
const SOON_MS = 3000

/** The lengths of silence in these tests, longer than a stall of the machine where one must not happen. */
const BEATS = { afterMs: 100, everyMs: 100 }
const SLOW_BEATS = { afterMs: 600, everyMs: 600 }
const LIMIT_MS = 700
const LIMITS = { upstreamHeadersMs: LIMIT_MS, upstreamSilenceMs: LIMIT_MS }

const COMMENT = ': keep-alive\n\n'
const PING = 'event: ping\ndata: {"type": "ping"}\n\n'

/** For each dialect its heartbeat, and what it says of a stream that breaks off and of an answer that never came. */
const DIALECTS = [
  {
    dialect: 'openai',
    path: '/v1/chat/completions',
    beat: COMMENT,
    cut: 'data: {"error":{"message":"The model server ended the stream before the answer was complete.","type":"server_error","param":null,"code":"stream_interrupted"}}\n\n',
    timeout:
      '{"error":{"message":"The model server did not answer in time (timeouts.upstreamHeadersMs; for a list ten seconds).","type":"server_error","param":null,"code":"upstream_timeout"}}',
  },
  {
    dialect: 'anthropic',
    path: '/v1/messages',
    beat: PING,
    cut: 'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"The model server ended the stream before the answer was complete."}}\n\n',
    timeout:
      '{"type":"error","error":{"type":"api_error","message":"The model server did not answer in time (timeouts.upstreamHeadersMs; for a list ten seconds)."}}',
  },
]

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let hand: HandUpstream
  let gate: Running
  let prompt: Running
  let handed: Running
  let beating: Running
  let impatient: Running
  let both: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    hand = await startHandUpstream()
    const common = { upstream: { url: upstream.url }, ...ROOMY }
    ;[gate, prompt, handed, beating, impatient, both] = await Promise.all([
      harness.start(common),
      harness.start({ ...common, upstream: { url: hand.url } }),
      harness.start({ ...common, upstream: { url: hand.url }, heartbeat: SLOW_BEATS }),
      harness.start({ ...common, heartbeat: BEATS }),
      harness.start({ ...common, heartbeat: { afterMs: 0 }, timeouts: LIMITS }),
      harness.start({ ...common, heartbeat: BEATS, timeouts: LIMITS }),
    ])
    await acquaint(upstream, gate, beating, impatient, both)
  })
  afterEach(() => upstream.reset())
  afterAll(async () => {
    const gates = [gate, prompt, handed, beating, impatient, both]
    await Promise.all([...gates, upstream, hand].map((one) => one.stop()))
  })

  /** How a client sees a broken connection; the harness says where it does not. */
  const BROKEN = harness.cannot['broken-connection-visible'] === undefined ? 'broken' : 'complete'

  /** What upstream says when it behaves. */
  async function usual(path: string, stream = true): Promise<string> {
    return textOf(await sendRaw(upstream.url, request(path, stream)))
  }

  function statesOfCalls(): string[] {
    return callsTo(upstream).map(({ state }) => state)
  }

  describe('frames', () => {
    test.each(STREAM_SAMPLES)(
      'reach the client one by one, each before upstream writes the next: $name',
      async ({ path, text }) => {
        const client = await openRaw(prompt.url, request(path))
        const response = await hand.next()
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        let sent = ''
        for (const frame of framesOf(text)) {
          response.write(frame)
          sent += frame
          await client.readUntil((received) => bodyIn(received) === sent)
        }
        response.end()
        expect(textOf(await client.answer())).toBe(text)
        client.close()
      },
    )

    test.each(STREAM_SAMPLES)(
      'keep their bytes wherever upstream cuts them: $name',
      async ({ path, bytes, text }) => {
        const ways = [
          [{ bytes }],
          cutWhere(bytes, () => true),
          cutWhere(bytes, (at) => at % 1000 === 0),
          cutWhere(bytes, (at) => isLineBreak(bytes[at]), 1),
          cutWhere(bytes, (at) => isLineBreak(bytes[at - 1]), 1),
          cutWhere(bytes, (at) => isInsideCharacter(bytes[at]), 1),
        ]
        upstream.behave(...ways.map((pieces): Behaviour => ({ kind: 'pieces', pieces })))
        const answers = await Promise.all(ways.map(() => sendRaw(gate.url, request(path))))
        expect(answers.map((answer) => [textOf(answer), answer.ending])).toEqual(
          ways.map(() => [text, 'complete']),
        )
      },
    )
  })

  describe('the head of a stream', () => {
    test.each(DIALECTS)(
      'keeps proxies from holding it back or changing it: $dialect',
      async ({ path }) => {
        const type = 'text/event-stream; charset=utf-8'
        const headers = [
          ['content-type', type],
          ['cache-control', 'max-age=60'],
          ['x-accel-buffering', 'yes'],
        ] as const
        const pieces = [{ bytes: await usual(path) }]
        upstream.behave({ kind: 'pieces', headers, pieces }, { kind: 'normal' })
        const first = await sendRaw(gate.url, request(path))
        const second = await sendRaw(gate.url, request(path))
        const rest = { caching: 'no-cache, no-transform', buffering: 'no', length: undefined }
        expect([first, second].map(headOf)).toEqual([
          { status: 200, type, ...rest },
          { status: 200, type: 'text/event-stream', ...rest },
        ])
      },
    )

    const late = harness.cannot['head-before-body']
    test(`reaches the client ${late ? `still not before the first frame: ${late}` : 'before the first frame'}`, async () => {
      const client = await openRaw(prompt.url, request(CHAT.path))
      const response = await hand.next()
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      await client.readUntil('200 OK')
      await sleep(300)
      expect(client.received().includes('\r\n\r\n')).toBe(late === undefined)
      client.destroy()
    })

    test('is not the head of an answer that is no stream', async () => {
      const answer = await sendRaw(gate.url, request(CHAT.path, false))
      const { caching, buffering } = headOf(answer)
      expect([caching, buffering]).toEqual([undefined, undefined])
    })
  })

  test('clients that read slowly slow upstream down, fill no memory of the gate, and lose nothing', async () => {
    const unread = Array.from({ length: UNREAD_CLIENTS }, () => UNREAD_BYTES)
    upstream.behave(
      ...[READ_BYTES, ...unread].map((bytes): Behaviour => ({ kind: 'flood', bytes })),
    )
    const before = residentBytesOf(gate)
    const [reader] = await openMany(1, gate.url, { paused: true })
    const read = await upstream.waitFor((call) => callsTo(upstream).includes(call))
    const others = await openMany(UNREAD_CLIENTS, gate.url, { paused: true })
    await upstream.waitFor(() => callsTo(upstream).length === 1 + UNREAD_CLIENTS)
    const sent = await whenStill(() => callsTo(upstream).map(({ sentBytes }) => sentBytes))
    const grown = residentBytesOf(gate) - before
    // A Worker has no process of its own to measure: there it must be enough that upstream cannot send more.
    expect(grown).toBeLessThan(MOST_GROWTH)
    expect(Math.max(...sent)).toBeLessThan(MOST_IN_FLIGHT)
    for (const other of others) other.destroy()
    reader!.resume()
    const answer = await reader!.answer({ withinMs: READ_WITHIN_MS })
    // The client may have the end before upstream knows that it has sent it.
    await expect.poll(() => read.state, { timeout: SOON_MS }).toBe('finished')
    expect([answer.ending, answer.body.length]).toEqual(['complete', read.sentBytes])
  })

  test(`${STREAMS} streams have their first frame before one of them ends`, async () => {
    const text = await usual(CHAT.path)
    const silence: Behaviour = { kind: 'silence', frames: 1 }
    upstream.behave(...Array.from({ length: STREAMS }, () => silence))
    const clients = await openMany(STREAMS, gate.url)
    await Promise.all(clients.map((client) => client.readUntil('data:', 10_000)))
    upstream.release()
    const answers = await Promise.all(clients.map((client) => client.answer({ withinMs: 10_000 })))
    for (const client of clients) client.close()
    expect(new Set(answers.map(textOf))).toEqual(new Set([text]))
  })

  describe.each(DIALECTS)('while upstream is silent, a stream ($dialect)', ({ path, ...voice }) => {
    const { beat, cut } = voice

    test('is begun before the headers, but not at once, and then whole', async () => {
      upstream.behave({ kind: 'never-headers' })
      const asked = performance.now()
      const client = await openRaw(beating.url, request(path))
      await client.readUntil(beat)
      expect(performance.now() - asked).toBeGreaterThan(BEATS.afterMs - 10)
      await client.readUntil((received) => bodyIn(received).startsWith(beat.repeat(3)))
      upstream.release()
      const answer = await client.answer()
      client.close()
      expect(headOf(answer)).toEqual({
        status: 200,
        type: 'text/event-stream; charset=utf-8',
        caching: 'no-cache, no-transform',
        buffering: 'no',
        length: undefined,
      })
      expect([textOf(answer).replace(beats(beat), ''), answer.ending]).toEqual([
        await usual(path),
        'complete',
      ])
    })

    test('gets heartbeats between its frames', async () => {
      const frames = framesOf(await usual(path))
      const begin = frames.slice(0, 2).join('')
      upstream.behave({ kind: 'silence', frames: 2 })
      const client = await openRaw(beating.url, request(path))
      await client.readUntil((received) => bodyIn(received).startsWith(begin + beat.repeat(3)))
      upstream.release()
      const body = textOf(await client.answer())
      client.close()
      expect(body.slice(begin.length).replace(beats(beat), '')).toBe(frames.slice(2).join(''))
    })

    test('never gets one inside a frame', async () => {
      const [first = '', second = ''] = framesOf(await usual(path))
      const client = await openRaw(handed.url, request(path))
      const response = await hand.next()
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(first + second.slice(0, 20))
      await client.readUntil((received) => bodyIn(received) === first + beat)
      response.write(second.slice(20))
      const received = await client.readUntil((all) => bodyIn(all).endsWith(second))
      expect(bodyIn(received)).toBe(first + beat + second)
      client.destroy()
    })

    test('is broken off at the limit of silence, which heartbeats do not push back', async () => {
      const frames = framesOf(await usual(path))
        .slice(0, 2)
        .join('')
      upstream.reset()
      const asked = performance.now()
      const clients = [
        await openWith(both, { kind: 'never-headers' }),
        await openWith(both, { kind: 'silence', frames: 2 }),
        await openWith(impatient, { kind: 'silence', frames: 2 }),
      ]
      const answers = await Promise.all(clients.map((client) => client.answer()))
      const tookMs = performance.now() - asked
      const seen = answers.map((answer) => {
        const beatOnce = textOf(answer).replace(beats(beat), beat)
        return [answer.status, beatOnce, endingOf(answer)]
      })
      expect(seen).toEqual([
        [200, beat + cut, BROKEN],
        [200, frames + beat + cut, BROKEN],
        [200, frames + cut, BROKEN],
      ])
      expect(tookMs).toBeGreaterThan(LIMIT_MS - 50)
      expect(tookMs).toBeLessThan(LIMIT_MS + SOON_MS)
      await expect
        .poll(statesOfCalls, { timeout: SOON_MS })
        .toEqual(['aborted', 'aborted', 'aborted'])

      /** Opens a stream, and waits until upstream has taken it and chosen what to do. */
      async function openWith(running: Running, behaviour: Behaviour): Promise<RawConnection> {
        const before = callsTo(upstream).length
        upstream.behave(behaviour)
        const client = await openRaw(running.url, request(path))
        await upstream.waitFor(() => callsTo(upstream).length > before)
        return client
      }
    })

    test('or any call is answered 504 where no heartbeat has begun it, at the limit for headers', async () => {
      upstream.behave({ kind: 'never-headers' }, { kind: 'never-headers' })
      const answers = await Promise.all([
        sendRaw(impatient.url, request(path)),
        sendRaw(impatient.url, request(path, false)),
      ])
      expect(answers.map((answer) => [answer.status, textOf(answer)])).toEqual([
        [504, voice.timeout],
        [504, voice.timeout],
      ])
      await expect.poll(statesOfCalls, { timeout: SOON_MS }).toEqual(['aborted', 'aborted'])
    })
  })

  test('a stream gets no heartbeat while frames come', async () => {
    const [frame = ''] = framesOf(await usual(CHAT.path))
    const client = await openRaw(handed.url, request(CHAT.path))
    const response = await hand.next()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let sent = 0; sent < 12; sent++) {
      response.write(frame)
      await sleep(SLOW_BEATS.afterMs / 6)
    }
    expect(bodyIn(client.received())).toBe(frame.repeat(12))
    client.destroy()
  })

  test('an active stream outlasts the limits of silence', async () => {
    const text = await usual(CHAT.path)
    upstream.behave({ kind: 'normal', paceMs: 150 })
    const asked = performance.now()
    const answer = await sendRaw(impatient.url, request(CHAT.path))
    expect(performance.now() - asked).toBeGreaterThan(LIMIT_MS)
    expect([textOf(answer), answer.ending]).toEqual([text, 'complete'])
  })

  describe('a call that is not streamed', () => {
    test.each([CHAT.path, '/v1/messages', '/v1/embeddings'])(
      'hears nothing until its answer is there, and then only that: %s',
      async (path) => {
        upstream.behave({ kind: 'never-headers' })
        const client = await openRaw(beating.url, request(path, path === '/v1/embeddings'))
        await upstream.waitFor(() => callsTo(upstream).length === 1)
        await sleep(5 * BEATS.afterMs)
        expect(client.received().length).toBe(0)
        upstream.release()
        expect(textOf(await client.answer())).toBe(await usual(path, path === '/v1/embeddings'))
        client.close()
      },
    )

    test('hears nothing in the middle of its answer either', async () => {
      upstream.behave({ kind: 'silence', frames: 1 })
      const client = await openRaw(beating.url, request(CHAT.path, false))
      await upstream.waitFor(({ sentBytes }) => sentBytes > 0)
      await sleep(5 * BEATS.afterMs)
      upstream.release()
      expect(textOf(await client.answer())).toBe(await usual(CHAT.path, false))
      client.close()
    })

    test('is broken off at the limit of silence', async () => {
      const json = await usual(CHAT.path, false)
      upstream.behave({ kind: 'silence', frames: 1 })
      const answer = await sendRaw(both.url, request(CHAT.path, false))
      expect([json.startsWith(textOf(answer)), endingOf(answer)]).toEqual([true, BROKEN])
    })
  })
})

/** The frames of a stream, each with its blank line. */
function framesOf(text: string): string[] {
  return text.match(/.*?(?:\r\n\r\n|\n\n)/gs) ?? []
}

/** One or more heartbeats in a row. */
function beats(beat: string): RegExp {
  return new RegExp(`(?:${beat.replaceAll(/[{}]/g, '\\$&')})+`)
}

/** The body as far as it has come. */
function bodyIn(received: Buffer): string {
  const reader = new AnswerReader('POST')
  reader.push(received)
  return textOf(reader.finish('open'))
}

/** Bytes cut before every position that is chosen. */
function cutWhere(bytes: Uint8Array, isCut: (at: number) => boolean, afterMs = 0): Piece[] {
  const cuts = Array.from(bytes.keys()).filter((at) => at > 0 && isCut(at))
  return [0, ...cuts].map((from, i) => ({ bytes: bytes.subarray(from, cuts[i]), afterMs }))
}

function isLineBreak(byte: number | undefined): boolean {
  return byte === 0x0a || byte === 0x0d
}

/** A continuation byte of UTF-8: a cut before it is inside a character. */
function isInsideCharacter(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x80 && byte <= 0xbf
}

type Head = Record<'type' | 'caching' | 'buffering' | 'length', string | undefined> & {
  status: number
}

function headOf(answer: RawAnswer): Head {
  return {
    status: answer.status,
    type: headerValue(answer, 'content-type'),
    caching: headerValue(answer, 'cache-control'),
    buffering: headerValue(answer, 'x-accel-buffering'),
    length: headerValue(answer, 'content-length'),
  }
}

function endingOf({ ending }: RawAnswer): 'complete' | 'broken' {
  return ending === 'complete' ? 'complete' : 'broken'
}

function openMany(
  count: number,
  url: string,
  options: { paused?: boolean } = {},
): Promise<RawConnection[]> {
  return Promise.all(Array.from({ length: count }, () => openRaw(url, request(CHAT.path), options)))
}

/** Memory that a gate's process holds; 0 where it has none of its own. */
function residentBytesOf({ process: child }: Running): number {
  if (child?.pid === undefined) return 0
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', `${child.pid}`]).toString()) * 1024
}

/** Numbers when they have stopped to grow. */
async function whenStill(read: () => number[]): Promise<number[]> {
  for (let before = read(); ; before = read()) {
    await sleep(500)
    if (read().every((value, i) => value === before[i])) return before
  }
}

/** An upstream of which a test writes every byte of an answer to a client itself. */
type HandUpstream = { url: string; next(): Promise<ServerResponse>; stop(): Promise<void> }

async function startHandUpstream(): Promise<HandUpstream> {
  const waiting: ServerResponse[] = []
  const server = createServer((incoming, response) => {
    incoming.resume().on('end', () => {
      if (incoming.url === '/v1/models') response.end(JSON.stringify(modelList(undefined)))
      else if (incoming.url === '/running') response.end(JSON.stringify(runningList(undefined)))
      else waiting.push(response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    async next() {
      await expect.poll(() => waiting.length, { timeout: SOON_MS, interval: 2 }).toBeGreaterThan(0)
      return waiting.shift()!
    },
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
