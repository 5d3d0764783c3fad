import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { harnesses, KEYS } from '../conformance/gates.ts'
import type { Piece } from '../support/look-alike/behaviour.ts'
import type { RecordedRequest } from '../support/look-alike/recorded-request.ts'
import { openRaw, sendRaw, type RawConnection } from '../support/raw-http.ts'
import { headerValue, textOf, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawJsonPost } from '../support/raw-http/raw-request.ts'
import { eventually } from './client.ts'
import { freePort } from '../support/free-port.ts'
import { startSshServer } from './openssh.ts'
import { BEAT_MS, DEAD_AFTER_MS, startStage, type Stage } from './tunnel-stage.ts'

const CHAT = '/v1/chat/completions'
/** Of one test only, so that its line in the log is known. */
const COMPLETIONS = '/v1/completions'
const MODEL = 'gpt-oss-120b'
const AUTHORIZATION = { authorization: `Bearer ${KEYS.user}` }
const BEAT = ': keep-alive\n\n'
const SILENCE_MS = 20_000
/** How long a model at home may go on for a client who has left. */
const SEEN_WITHIN_MS = 2000
/** On Workers a client who leaves is noticed at the next heartbeat, or the one after it. */
const SEEN_BY_HEARTBEAT_MS = 2 * BEAT_MS + 1000
/** What happens at once, on a machine that is busy with other things. */
const AT_ONCE_MS = 1500
const FRAMES = 5
const BETWEEN_FRAMES_MS = 500
const BAD_KEYS = 300
const ADDRESS = '203.0.113.7'
/** Only the runtimes run side by side; what is done to one tunnel comes one after the other. */
const IN_ORDER = { concurrent: false }

function ask(stream: boolean, headers: Record<string, string> = {}): Buffer {
  const body = { model: MODEL, messages: [{ role: 'user', content: 'hi' }], stream }
  return rawJsonPost(CHAT, body, { ...AUTHORIZATION, ...headers })
}

const STREAM = ask(true)
const CALL = ask(false)

/** Frames of one length, so that the bytes which were sent tell how many of them were made. */
const PIECES: Piece[] = Array.from({ length: FRAMES }, (_, i) => ({
  bytes: `data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"word-${i}"}}]}\n\n`,
  afterMs: BETWEEN_FRAMES_MS,
}))
const FRAME_BYTES = PIECES[0]!.bytes.length
const DONE: Piece = { bytes: 'data: [DONE]\n\n', afterMs: BETWEEN_FRAMES_MS }

/** What a client is told while the tunnel is down. */
const DOWN = {
  status: 503,
  retryAfter: '5',
  code: 'upstream_unavailable',
  ending: 'complete',
  atOnce: true,
}

async function refusal(stage: Stage): Promise<typeof DOWN> {
  const at = performance.now()
  const answer = await sendRaw(stage.vps.url, STREAM)
  const tookMs = performance.now() - at
  stage.tell(`a new request: ${answer.status} after ${Math.round(tookMs)} ms: ${textOf(answer)}`)
  return {
    status: answer.status,
    retryAfter: headerValue(answer, 'retry-after') ?? 'none',
    code: /"code":"(\w+)"/.exec(textOf(answer))?.[1] ?? 'none',
    ending: answer.ending,
    atOnce: tookMs < AT_ONCE_MS,
  }
}

function cutOf(answer: RawAnswer): { error: boolean; finished: boolean; broken: boolean } {
  return {
    error: textOf(answer).includes('"code":"stream_interrupted"'),
    finished: textOf(answer).includes('[DONE]'),
    broken: answer.ending !== 'complete',
  }
}

function beatsIn(received: Buffer): number {
  return received.toString().split(BEAT).length - 1
}

function isAboutCompletions(line: string): boolean {
  return line.startsWith('{') && line.includes(`"${COMPLETIONS}"`)
}

async function healed(stage: Stage): Promise<RawAnswer> {
  const answer = await sendRaw(stage.vps.url, CALL)
  stage.tell(`a new request: ${answer.status}`)
  return answer
}

/** The next request that comes to the model from a client. */
function nextCall({ upstream }: Stage): Promise<RecordedRequest> {
  const before = upstream.requests.length
  return upstream.waitFor(
    (request) => upstream.requests.indexOf(request) >= before && request.url === CHAT,
  )
}

/** A stream that goes on until it is cut. */
async function endlessStream(stage: Stage): Promise<RawConnection> {
  stage.upstream.behave({ kind: 'endless', everyMs: 100 })
  const client = await openRaw(stage.vps.url, STREAM)
  await client.readUntil('data: ')
  return client
}

describe.concurrent.each(harnesses)(
  'through a real ssh -R, with the public gate on $name',
  (harness) => {
    let stage: Stage
    beforeAll(async () => {
      stage = await startStage(harness)
      return async () => {
        console.log(stage.report())
        await stage.stop()
      }
    })

    test('each frame arrives before the next one is made', IN_ORDER, async () => {
      stage.upstream.behave({ kind: 'pieces', pieces: [...PIECES, DONE] })
      const called = nextCall(stage)
      const client = await openRaw(stage.vps.url, STREAM)
      const call = await called
      const made: number[] = []
      for (const i of PIECES.keys()) {
        await client.readUntil(`word-${i}"`)
        made.push(call.sentBytes / FRAME_BYTES)
        stage.tell(`frame ${i + 1} has arrived, ${made.at(-1)} made so far`)
      }
      expect(made).toEqual([1, 2, 3, 4, 5])
      expect(await client.answer()).toMatchObject({ status: 200, ending: 'complete' })
    })

    test('a client that leaves before the first byte is gone at home', IN_ORDER, async () => {
      stage.upstream.behave({ kind: 'never-headers' })
      const called = nextCall(stage)
      const client = await openRaw(stage.vps.url, STREAM)
      expect(await leave(client, await called)).toBeLessThan(limitFor('cancel-before-headers'))
    })

    test('a client that leaves in the middle of a stream is gone at home', IN_ORDER, async () => {
      const called = nextCall(stage)
      const client = await endlessStream(stage)
      expect(await leave(client, await called)).toBeLessThan(SEEN_WITHIN_MS)
    })

    test('heartbeats bridge 20 s of silence before the first byte', IN_ORDER, async () => {
      stage.upstream.behave({ kind: 'slow-headers', ms: SILENCE_MS })
      const client = await openRaw(stage.vps.url, STREAM)
      const at = performance.now()
      const beats: number[] = []
      while (!client.received().includes('data: ')) {
        const next = beats.length + 1
        await client.readUntil((all) => beatsIn(all) >= next || all.includes('data: '), SILENCE_MS)
        beats.push(performance.now() - at)
      }
      // The last one is the answer itself.
      const gaps = beats.map((beat, i) => beat - (beats[i - 1] ?? 0))
      stage.tell(
        `heartbeats and the answer after ${beats.map((ms) => (ms / 1000).toFixed(1)).join(', ')} s`,
      )
      expect(Math.max(...gaps)).toBeLessThan(BEAT_MS + AT_ONCE_MS)
      expect(beats.at(-1)).toBeGreaterThan(SILENCE_MS - 100)
      const answer = await client.answer()
      expect([answer.ending, textOf(answer).endsWith('data: [DONE]\n\n')]).toEqual([
        'complete',
        true,
      ])
    })

    test("the log at home tells the client's address and key", IN_ORDER, async () => {
      // What Cloudflare's edge tells a Worker, and what a TLS proxy appends to what a client invents.
      const told = { 'cf-connecting-ip': ADDRESS, 'x-forwarded-for': `192.0.2.66, ${ADDRESS}` }
      const invented = { 'swapgate-client': '"192.0.2.66";key="owner"' }
      const headers = { ...AUTHORIZATION, ...told, ...invented }
      const body = { model: MODEL, prompt: 'hi' }
      await sendRaw(stage.vps.url, rawJsonPost(COMPLETIONS, body, headers))
      const lines = (): string[] => stage.home.log().split('\n').filter(isAboutCompletions)
      await eventually('a line in the log', async () => lines().length > 0)
      const line = lines().join('\n')
      stage.tell(`the log at home: ${line}`)
      expect(JSON.parse(line)).toMatchObject({ keyId: 'edge/friend', clientAddress: ADDRESS })
    })

    test('requests with bad keys do not send a byte through the tunnel', IN_ORDER, async () => {
      const before = { bytes: stage.home.bytes(), calls: stage.upstream.requests.length }
      const statuses = await Promise.all(
        Array.from({ length: BAD_KEYS }, async (_, i) => {
          await sleep(i * 2)
          const request = ask(true, { authorization: `Bearer sk-wrong-${i}-0123456789abcdef` })
          return (await sendRaw(stage.vps.url, request)).status
        }),
      )
      const after = { bytes: stage.home.bytes(), calls: stage.upstream.requests.length }
      stage.tell(`${BAD_KEYS} bad keys: ${after.bytes - before.bytes} bytes through the tunnel`)
      expect({ statuses: new Set(statuses), ...after }).toEqual({
        statuses: new Set([401]),
        ...before,
      })
    })

    test(
      'a stream that ssh was killed under ends with an error, and ssh may come back',
      IN_ORDER,
      async () => {
        const client = await endlessStream(stage)
        await stage.killSsh()
        const at = performance.now()
        const answer = await client.answer()
        stage.tell(`the stream: ${answer.ending} after ${Math.round(performance.now() - at)} ms`)
        expect(cutOf(answer)).toEqual(CUT)
        expect(await refusal(stage)).toEqual(DOWN)
        await stage.startSsh()
        expect(await healed(stage)).toMatchObject({ status: 200, ending: 'complete' })
      },
    )

    test('a stream over a line that went dead ends with an error', IN_ORDER, async () => {
      const client = await endlessStream(stage)
      stage.freezeSsh()
      const at = performance.now()
      const answer = await client.answer({ withinMs: 2 * DEAD_AFTER_MS })
      const tookMs = performance.now() - at
      stage.tell(`the stream: ${answer.ending} after ${Math.round(tookMs)} ms`)
      await stage.killSsh()
      await stage.startSsh()
      expect(cutOf(answer)).toEqual(CUT)
      expect(tookMs).toBeLessThan(DEAD_AFTER_MS + AT_ONCE_MS)
      expect(await healed(stage)).toMatchObject({ status: 200, ending: 'complete' })
    })

    test(
      'ssh that is killed while nothing happens is noticed by the next request',
      IN_ORDER,
      async () => {
        await stage.killSsh()
        expect([await refusal(stage), await refusal(stage)]).toEqual([DOWN, DOWN])
        await stage.startSsh()
        expect(await healed(stage)).toMatchObject({ status: 200, ending: 'complete' })
      },
    )

    test('a gate at home that is gone behind a living ssh is told as such', IN_ORDER, async () => {
      await stage.home.stop()
      expect([await refusal(stage), await refusal(stage)]).toEqual([DOWN, DOWN])
      await stage.home.start()
      expect(await healed(stage)).toMatchObject({ status: 200, ending: 'complete' })
    })

    const hidden = harness.cannot['broken-connection-visible'] !== undefined
    /** What a client sees of a stream that was cut; the harness says where it cannot see the connection break. */
    const CUT = { error: true, finished: false, broken: !hidden }

    /** How long the model at home went on after a client had left. */
    async function leave(client: RawConnection, call: RecordedRequest): Promise<number> {
      await sleep(100)
      const at = performance.now()
      client.close()
      const tookMs = Math.round((await call.closed) - at)
      stage.tell(`a client left; the model at home saw it after ${tookMs} ms`)
      return tookMs
    }

    function limitFor(capability: 'cancel-before-headers'): number {
      return harness.cannot[capability] === undefined ? SEEN_WITHIN_MS : SEEN_BY_HEARTBEAT_MS
    }
  },
)

test('sshd lets the tunnel of docs/tunnel.md listen on no other port', async () => {
  const [allowed, other, home] = [await freePort(), await freePort(), await freePort()]
  const server = await startSshServer(allowed)
  try {
    await expect(server.openTunnel({ vps: other, home })).rejects.toThrow(
      `remote port forwarding failed for listen port ${other}`,
    )
  } finally {
    await server.stop()
  }
})
