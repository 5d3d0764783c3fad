import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Capability, Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import type { Behaviour } from '../support/look-alike/behaviour.ts'
import type { RecordedRequest } from '../support/look-alike/recorded-request.ts'
import { openRaw, sendRaw, type RawConnection } from '../support/raw-http.ts'
import { textOf } from '../support/raw-http/answer.ts'
import { rawJsonPost, rawRequest } from '../support/raw-http/raw-request.ts'
import { acquaint, callsTo, harnesses, KEY_CONFIG, KEYS, ROOMY } from './gates.ts'

const CLIENTS = 10
/** How soon llama-swap must see that a client has gone. */
const AT_ONCE_MS = 250
/** The same where only the next heartbeat finds out. */
const BY_HEARTBEAT_MS = 1000
/** When the last of all clients must have been noticed, on a machine that is busy with other things. */
const AT_LAST_MS = 5000
/** How long a client that is not noticed is watched before that is believed. */
const NOT_NOTICED_MS = 700
/** Lets what is on its way arrive: a client that closes with unread bytes sends RST instead of FIN. */
const SETTLED_MS = 50

const CHAT = '/v1/chat/completions'
const AUTHORIZATION = { Authorization: `Bearer ${KEYS.user}` }
const ASK = { model: 'gpt-oss-120b', messages: [{ role: 'user', content: 'hi' }] }
const STREAM = rawJsonPost(CHAT, { ...ASK, stream: true }, AUTHORIZATION)

type Phase = {
  phase: string
  path: string
  streamed: boolean
  behaviour: Behaviour
  /** The answer has begun when the client leaves. */
  begun: boolean
  /** What a runtime must be able to do to notice here that a client closes in good order. */
  needs?: Capability
}

const ACTIVE: Phase = {
  phase: 'in an active stream',
  path: CHAT,
  streamed: true,
  behaviour: { kind: 'endless', everyMs: 20 },
  begun: true,
}

const PHASES: Phase[] = [
  {
    phase: 'before the headers of a stream',
    path: CHAT,
    streamed: true,
    behaviour: { kind: 'never-headers' },
    begun: false,
    needs: 'cancel-before-headers',
  },
  {
    phase: 'before the headers of a call that is not streamed',
    path: CHAT,
    streamed: false,
    behaviour: { kind: 'never-headers' },
    begun: false,
    needs: 'cancel-before-headers',
  },
  {
    phase: 'in a silent stream',
    path: CHAT,
    streamed: true,
    behaviour: { kind: 'silence', frames: 1 },
    begun: true,
    needs: 'cancel-while-silent',
  },
  {
    phase: 'in a silent stream of messages',
    path: '/v1/messages',
    streamed: true,
    behaviour: { kind: 'silence', frames: 1 },
    begun: true,
    needs: 'cancel-while-silent',
  },
  {
    phase: 'in the middle of a JSON answer',
    path: CHAT,
    streamed: false,
    behaviour: { kind: 'silence', frames: 1 },
    begun: true,
    needs: 'cancel-while-silent',
  },
  ACTIVE,
]

type Way = { way: string; inGoodOrder: boolean; leave: (client: RawConnection) => void }

const FIN: Way = { way: 'by FIN', inGoodOrder: true, leave: (client) => client.close() }
const RST: Way = { way: 'by RST', inGoodOrder: false, leave: (client) => client.destroy() }
const WAYS = [FIN, RST]

type Row = Phase & Way

const ROWS: Row[] = PHASES.flatMap((phase) => WAYS.map((way) => ({ ...phase, ...way })))

/** A key for each of them that may have one answer at a time. */
const SINGLES = ROWS.map((row, i) => ({ ...row, key: `single-${i}` }))

function secretOf(key: string): string {
  return `sk-${key}-0123456789abcdef0123456789`
}

/** The beginnings of two uploads that never end. */
const UPLOADS = [
  {
    length: 'of known length',
    headers: { 'Content-Length': '1000000' },
    begin: '{"model":"gpt-oss-120b","prompt":"',
  },
  {
    length: 'of unknown length',
    headers: { 'Transfer-Encoding': 'chunked' },
    begin: '22\r\n{"model":"gpt-oss-120b","prompt":"\r\n',
  },
].flatMap((upload) => WAYS.map((way) => ({ ...upload, ...way })))

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let silent: Running
  let beating: Running
  let single: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    const common = { upstream: { url: upstream.url }, ...ROOMY }
    ;[silent, beating, single] = await Promise.all([
      harness.start({ ...common, heartbeat: { afterMs: 0 } }),
      harness.start({ ...common, heartbeat: { afterMs: 100, everyMs: 100 } }),
      harness.start({
        ...common,
        heartbeat: { afterMs: 100, everyMs: 100 },
        queue: false,
        keys: [
          ...KEY_CONFIG,
          ...SINGLES.map(({ key }) => ({
            id: key,
            secret: secretOf(key),
            limits: { concurrent: 1 },
          })),
        ],
      }),
    ])
    await acquaint(upstream, silent, beating, single)
  })
  afterEach(() => upstream.reset())
  afterAll(() => Promise.all([silent, beating, single, upstream].map((one) => one.stop())))

  /** Brings ten calls into one phase and lets their clients leave together. */
  async function leave(gate: Running, row: Row): Promise<{ calls: RecordedRequest[]; at: number }> {
    upstream.behave(...Array.from({ length: CLIENTS }, () => row.behaviour))
    const request = rawJsonPost(row.path, { ...ASK, stream: row.streamed }, AUTHORIZATION)
    const clients = await openMany(gate.url, request)
    await upstream.waitFor(() => callsTo(upstream).length === CLIENTS, AT_LAST_MS)
    if (row.begun) await Promise.all(clients.map((client) => client.readUntil(hasBody)))
    await sleep(SETTLED_MS)
    const at = performance.now()
    for (const client of clients) row.leave(client)
    return { calls: callsTo(upstream), at }
  }

  /** The times after which llama-swap saw each of ten clients leave. */
  async function cancelTimes(gate: Running, row: Row): Promise<CancelTime[]> {
    const { calls, at } = await leave(gate, row)
    return Promise.all(calls.map((call) => cancelTime(call, at)))
  }

  const whyNot = ({ needs, inGoodOrder }: Row): string | undefined =>
    needs && inGoodOrder ? harness.cannot[needs] : undefined
  const LIMITED = ROWS.map((row) => ({ ...row, why: whyNot(row) })).filter(({ why }) => why)

  test.each(ROWS.filter((row) => whyNot(row) === undefined))(
    'llama-swap sees at once that a client leaves $way $phase',
    async (row) => {
      const times = await cancelTimes(silent, row)
      expect(times).not.toContain('not noticed')
      expect(medianOf(times)).toBeLessThan(AT_ONCE_MS)
    },
  )

  test.each(LIMITED)(
    'llama-swap still does not see that a client leaves $way $phase: $why',
    async (row) => {
      const { calls } = await leave(silent, row)
      await sleep(NOT_NOTICED_MS)
      expect(calls.map(({ state }) => state)).toEqual(calls.map(() => 'open'))
      // The calls go on until they are answered; dropping them would have the gate send them again.
      upstream.release()
      await upstream.waitFor(() => calls.every(({ state }) => state !== 'open'))
    },
  )

  test.each(LIMITED.filter(({ streamed }) => streamed))(
    'a heartbeat finds out that a client left $way $phase',
    async (row) => {
      const times = await cancelTimes(beating, row)
      expect(times).not.toContain('not noticed')
      expect(medianOf(times)).toBeLessThan(BY_HEARTBEAT_MS)
    },
  )

  test.each(WAYS)(
    'llama-swap sees that a client leaves $way in the second call on its connection',
    async (row) => {
      upstream.behave({ kind: 'normal' }, ACTIVE.behaviour)
      const client = await openRaw(silent.url, STREAM)
      await client.answer()
      await client.write(STREAM)
      await upstream.waitFor(() => callsTo(upstream).length === 2)
      await sleep(SETTLED_MS)
      const at = performance.now()
      row.leave(client)
      expect(await cancelTime(callsTo(upstream)[1]!, at)).toBeLessThan(BY_HEARTBEAT_MS)
    },
  )

  test('llama-swap sees that a client leaves that had stopped to read', async () => {
    upstream.behave({ kind: 'flood', bytes: 64 * 1024 * 1024 })
    const client = await openRaw(silent.url, STREAM, { paused: true })
    const call = await upstream.waitFor(({ sentBytes }) => sentBytes > 0)
    for (let before = 0; before < call.sentBytes; await sleep(200)) before = call.sentBytes
    const at = performance.now()
    client.destroy()
    expect(await cancelTime(call, at)).toBeLessThan(BY_HEARTBEAT_MS)
  })

  test.each(UPLOADS)(
    'a body $length that breaks off $way never reaches llama-swap',
    async (row) => {
      const headers = { ...AUTHORIZATION, ...row.headers }
      const upload = rawRequest({ target: '/v1/completions', headers, body: row.begin })
      const clients = await openMany(silent.url, upload)
      await sleep(SETTLED_MS)
      for (const client of clients) row.leave(client)
      await sleep(SETTLED_MS)
      // The gate is as well as before, and nothing has come before this call.
      const answer = await sendRaw(silent.url, rawJsonPost(CHAT, ASK, AUTHORIZATION))
      expect([answer.status, callsTo(upstream).map(({ url }) => url)]).toEqual([200, [CHAT]])
    },
  )

  /** Has the client of a key's only answer leave it. */
  async function leaveSingle({ key, ...row }: (typeof SINGLES)[number]) {
    upstream.behave(row.behaviour)
    const headers = { Authorization: `Bearer ${secretOf(key)}` }
    const body = { ...ASK, stream: row.streamed }
    const client = await openRaw(single.url, rawJsonPost(row.path, body, headers))
    await upstream.waitFor(() => callsTo(upstream).length === 1, AT_LAST_MS)
    if (row.begun) await client.readUntil(hasBody)
    await sleep(SETTLED_MS)
    row.leave(client)
    const again = (): Promise<number> =>
      sendRaw(single.url, rawJsonPost(CHAT, ASK, headers)).then(({ status }) => status)
    const report = rawRequest({ target: '/usage?by=key', headers })
    const told = async (): Promise<Told> => {
      const { data } = JSON.parse(textOf(await sendRaw(single.url, report)))
      const lines = single.output().split('\n').filter(isJson).map(lineIn)
      return {
        outcomes: lines
          .filter(({ keyId, path }) => keyId === key && path !== '/usage')
          .map(({ outcome }) => outcome),
        requests: data.map((sum: Record<string, unknown>) => [
          sum['key'],
          sum['requests'],
          sum['completed'],
        ]),
      }
    }
    return { call: callsTo(upstream)[0]!, again, told }
  }
  const isUnseen = (row: Row): boolean => whyNot(row) !== undefined && !row.streamed

  test.each(SINGLES.filter((row) => !isUnseen(row)))(
    'who leaves $way $phase frees the only place of its key, and is counted once',
    async (row) => {
      const { call, again, told } = await leaveSingle(row)
      expect(await cancelTime(call, 0)).not.toBe('not noticed')
      // Long before its lease would end by itself.
      await expect.poll(again, { interval: 200, timeout: AT_LAST_MS }).toBe(200)
      await expect
        .poll(() => told().then(withoutRefused))
        .toEqual({
          outcomes: ['client-closed', 'completed'],
          requests: [[row.key, 2, 1]],
        })
    },
  )

  test.each(SINGLES.filter(isUnseen))(
    'who leaves $way $phase still keeps the only place of its key until the answer is over',
    async (row) => {
      const { call, again } = await leaveSingle(row)
      await sleep(NOT_NOTICED_MS)
      expect([call.state, await again()]).toEqual(['open', 429])
      upstream.release()
      await expect.poll(again, { interval: 200, timeout: AT_LAST_MS }).toBe(200)
    },
  )

  test('the log has one line for each client that left, and nothing that looks like a failure', async () => {
    const before = beating.output().length
    await cancelTimes(beating, { ...ACTIVE, ...FIN })
    await expect
      .poll(() => beating.output().slice(before).trim().split('\n').map(outcomeIn))
      .toEqual(Array.from({ length: CLIENTS }, () => 'client-closed'))
  })
})

type CancelTime = number | 'not noticed'

function cancelTime(call: RecordedRequest, since: number): Promise<CancelTime> {
  return Promise.race([
    call.closed.then((closedAt) => closedAt - since),
    sleep(AT_LAST_MS, 'not noticed' as const, { ref: false }),
  ])
}

function medianOf(times: CancelTime[]): number {
  const sorted = times.filter((time) => time !== 'not noticed').toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Infinity
}

function openMany(url: string, request: Uint8Array): Promise<RawConnection[]> {
  return Promise.all(Array.from({ length: CLIENTS }, () => openRaw(url, request)))
}

function hasBody(received: Buffer): boolean {
  const head = received.indexOf('\r\n\r\n')
  return head !== -1 && received.length > head + 4
}

/** What is told of the requests of one key: in the log, and per key as [key, requests, completed]. */
type Told = { outcomes: string[]; requests: unknown[][] }

/** Takes out the requests that came too early. */
function withoutRefused({ outcomes, requests }: Told): Told {
  const refused = outcomes.filter((outcome) => outcome === 'refused').length
  return {
    outcomes: outcomes.filter((outcome) => outcome !== 'refused'),
    requests: requests.map(([key, count, completed]) => [key, Number(count) - refused, completed]),
  }
}

function isJson(line: string): boolean {
  return line.startsWith('{')
}

function lineIn(line: string): { keyId: string; path: string; outcome: string } {
  return JSON.parse(line)
}

/** The outcome that a log line tells, or the line itself where it is none. */
function outcomeIn(line: string): unknown {
  return line.startsWith('{') ? JSON.parse(line).outcome : line
}
