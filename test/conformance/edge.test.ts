import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { harness as node } from '../../adapters/node/harness.ts'
import type { ConfigFile } from '../../src/config/schema.ts'
import type { Running } from '../harness.ts'
import { startForwarder, type Forwarder } from '../support/forwarder.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import type { Behaviour } from '../support/look-alike/behaviour.ts'
import {
  concurrencyLimit,
  llamaSwapError,
  loadFailure,
  overflow,
} from '../support/look-alike/error-answers.ts'
import { openRaw, sendRaw, type RawConnection } from '../support/raw-http.ts'
import { headerValue, textOf, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawJsonPost, rawRequest } from '../support/raw-http/raw-request.ts'
import { callsTo, harnesses } from './gates.ts'

const CHAT = '/v1/chat/completions'
const MESSAGES = '/v1/messages'
const MODEL = 'gpt-oss-120b'
/** The home gate has one place for it, so that requests for it must take turns. */
const NARROW = 'glm-4.7-flash'
const FORGED = '198.51.100.66'

function secretOf(id: string): string {
  return `sk-${id}-0123456789abcdef0123456789`
}

function key(id: string, more: object = {}) {
  return { id, secret: secretOf(id), ...more }
}

const COMMON = { limits: { requestsPerMinute: null }, usage: { file: null } } satisfies ConfigFile

/** The gate at the box. Its heartbeats come soon, to be seen in a test. */
const HOME: ConfigFile = {
  ...COMMON,
  keys: [key('edge', { edge: true }), key('owner', { scopes: ['status'] })],
  heartbeat: { afterMs: 250, everyMs: 250 },
  queue: {
    slotsPerModel: 500,
    slots: { [NARROW]: 1 },
    maxWaiting: 4,
    maxModelWaitMs: 0,
    minResidencyMs: 0,
    idleMs: 0,
  },
}

/** The gate in front, whose clients have keys that nobody knows at home. */
const EDGE: ConfigFile = {
  ...COMMON,
  keys: [
    ...['friend', 'greedy', 'modest'].map((id) => key(id)),
    ...harnesses.map(({ name }) => key(`on-${name}`)),
    key('status', { scopes: ['inference', 'status'] }),
  ],
  heartbeat: { afterMs: 400, everyMs: 400 },
}

type Ask = { from?: string; path?: string; body?: object; headers?: Record<string, string> }

function post({ from = 'friend', path = CHAT, body = {}, headers = {} }: Ask = {}): Buffer {
  const messages = [{ role: 'user', content: 'hi' }]
  return rawJsonPost(
    path,
    { model: MODEL, messages, max_tokens: 4, ...body },
    { Authorization: `Bearer ${secretOf(from)}`, ...headers },
  )
}

/** What a client goes by after a refusal. */
function told(answer: RawAnswer): unknown {
  const field = (name: string) => headerValue(answer, name)
  return {
    status: answer.status,
    body: textOf(answer),
    type: field('content-type'),
    after: field('retry-after'),
    afterMs: field('retry-after-ms'),
    shouldRetry: field('x-should-retry'),
    mark: field('swapgate-error'),
  }
}

function codeOf(answer: RawAnswer): unknown {
  return JSON.parse(textOf(answer)).error.code
}

let upstream: LookAlike
let home: Running
beforeAll(async () => {
  upstream = await startLookAlike()
  home = await node.start({ ...HOME, upstream: { url: upstream.url } })
})
afterEach(() => upstream.reset())
afterAll(() => Promise.all([home.stop(), upstream.stop()]))

/** The log lines of the home gate. */
function homeLog(): Array<Record<string, unknown>> {
  const lines = home
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
  return lines.map((line) => JSON.parse(line))
}

/** Whose chat the home gate wrote down last, and where they were. */
function lastAtHome(): unknown[] {
  const line = homeLog().findLast((event) => event['path'] === CHAT)
  return [line?.['keyId'], line?.['clientAddress']]
}

type Used = Record<'requests' | 'prompt_tokens' | 'cached_tokens' | 'completion_tokens', number>

/** What two requests of these tests use, beside what was used before. */
function twoMoreThan(before: Used): Used {
  return {
    requests: before.requests + 2,
    prompt_tokens: before.prompt_tokens + 50,
    cached_tokens: before.cached_tokens + 48,
    completion_tokens: before.completion_tokens + 8,
  }
}

/** What a key used, by the word of one of the gates. */
async function usageAt(gate: Running, from: string, of?: string): Promise<Used> {
  const target = of === undefined ? '/usage' : `/usage?key=${of}`
  const headers = { Authorization: `Bearer ${secretOf(from)}` }
  const report = JSON.parse(textOf(await sendRaw(gate.url, rawRequest({ target, headers }))))
  const { requests, prompt_tokens, cached_tokens, completion_tokens } = report.total
  return { requests, prompt_tokens, cached_tokens, completion_tokens }
}

describe.each(harnesses)('a gate in front of another, on $name,', (harness) => {
  let way: Forwarder
  let roundabout: Forwarder
  let edge: Running
  /** Its upstream is what the roundabout leads to. */
  let astray: Running
  let strayed: Running
  beforeAll(async () => {
    way = await startForwarder(home.url)
    roundabout = await startForwarder(home.url)
    const self = { url: roundabout.url, apiKey: secretOf('friend') }
    ;[edge, astray, strayed] = await Promise.all([
      harness.start({
        ...EDGE,
        upstream: { kind: 'swapgate', url: way.url, apiKey: secretOf('edge') },
      }),
      harness.start({ ...EDGE, upstream: { kind: 'swapgate', ...self } }),
      harness.start({ ...EDGE, upstream: self }),
    ])
  })
  afterAll(() =>
    Promise.all([edge.stop(), astray.stop(), strayed.stop(), way.stop(), roundabout.stop()]),
  )

  const ask = (asked?: Ask): Promise<RawAnswer> => sendRaw(edge.url, post(asked))

  test('tells the home gate who its client is, and hands over no credential and no word of the client about itself', async () => {
    way.forget()
    const secret = secretOf('friend')
    const id = `${harness.name}-${Date.now()}`
    const answer = await ask({
      headers: {
        'x-api-key': secret,
        'api-key': secret,
        Cookie: `key=${secret}`,
        'X-Anything': `my key is ${secret}`,
        'Swapgate-Client': `"${FORGED}";key="owner"`,
        'X-Forwarded-For': FORGED,
        'X-Real-IP': FORGED,
        Forwarded: `for=${FORGED}`,
        'CF-Connecting-IP': FORGED,
        Via: '1.1 office.example',
        'X-Session-Id': id,
      },
    })
    // Without Cloudflare in front of it a Worker takes the client's word for the address.
    const address = harness.cannot['client-address'] ? FORGED : '127.0.0.1'
    const sent = way.sent().toString()
    expect({
      status: answer.status,
      leaks: sent.includes(secret),
      told: [...sent.matchAll(/^swapgate-client: *(.*)\r$/gim)].map(([, value]) => value),
      claims:
        /^(?:x-forwarded-for|forwarded|x-real-ip|cookie|cf-connecting-ip):|office\.example/im.test(
          sent,
        ),
      keys: new Set([...sent.matchAll(/^authorization: *(.*)\r$/gim)].map(([, value]) => value)),
    }).toEqual({
      status: 200,
      leaks: false,
      told: [`"${address}";key="friend"`],
      claims: false,
      keys: new Set([`Bearer ${secretOf('edge')}`]),
    })
    const [call] = upstream.requests.filter(({ headers }) => headers['x-session-id'] === id)
    expect([
      call?.headers['x-forwarded-for'],
      call?.headers['swapgate-client'],
      call?.headers['via'],
    ]).toEqual([
      address,
      undefined,
      expect.stringMatching(/^1\.1 swapgate-[0-9a-f]{8}, 1\.1 swapgate-[0-9a-f]{8}$/),
    ])
    await expect.poll(lastAtHome).toEqual(['edge/friend', address])
  })

  test('has its clients counted at home, each for itself, as it counts them itself', async () => {
    // A key of its own for each runtime: home has been counting since the first of them.
    const from = `on-${harness.name}`
    const look = () =>
      Promise.all([
        usageAt(home, 'owner', `edge/${from}`),
        usageAt(edge, from),
        usageAt(home, 'owner', 'edge'),
      ])
    const before = await look()
    for (const stream of [false, true]) await ask({ from, body: { stream } })
    // The key of the edge is told the sum over all its clients.
    await expect.poll(look).toEqual(before.map(twoMoreThan))
  })

  test('asks nothing that its key may not see: chats and lists need no right to see what is loaded', async () => {
    way.forget()
    const headers = { Authorization: `Bearer ${secretOf('friend')}` }
    const list = await sendRaw(edge.url, rawRequest({ target: '/v1/models', headers }))
    const ids = JSON.parse(textOf(list)).data.map(({ id }: { id: string }) => id)
    expect([(await ask()).status, ids.includes(MODEL), way.sent().includes('/running')]).toEqual([
      200,
      true,
      false,
    ])
  })

  test('sends nothing home for a flood of requests with keys that it does not know', async () => {
    await ask()
    // What still comes of earlier requests, or of the gate's own questions to keep its names fresh.
    await sleep(50)
    way.forget()
    const statuses: number[] = []
    const guess = async (number: number): Promise<void> => {
      const headers = { Authorization: `Bearer sk-guess-${number}-0123456789` }
      statuses.push((await sendRaw(edge.url, post({ headers }))).status)
    }
    for (let first = 0; first < 500; first += 20)
      await Promise.all(Array.from({ length: 20 }, (_, i) => guess(first + i)))
    expect([statuses.length, new Set(statuses), way.sent().length]).toEqual([
      500,
      new Set([401]),
      0,
    ])
  })

  test('says at once that home is not there, and needs nothing to go on when it is back', async () => {
    expect((await ask()).status).toBe(200)
    await way.stop()
    const down: unknown[] = []
    for (const path of [CHAT, MESSAGES])
      for (const stream of [false, true]) {
        const asked = performance.now()
        const answer = await ask({ path, body: { stream } })
        down.push([
          answer.status,
          headerValue(answer, 'retry-after'),
          performance.now() - asked < 1000,
        ])
      }
    await way.start()
    const back = await ask()
    expect([down, back.status]).toEqual([Array.from({ length: 4 }, () => [503, '5', true]), 200])
  })

  describe('passes on what the home gate refuses', () => {
    const REFUSALS: Array<{ what: string; does: Behaviour; status: number }> = [
      { what: 'a load that failed', does: loadFailure(), status: 503 },
      { what: 'a prompt that is too long', does: overflow(70_000, 65_536), status: 400 },
      { what: 'a full box', does: concurrencyLimit(), status: 503 },
      {
        what: 'an unknown model',
        does: llamaSwapError(404, 'no router for requested model', {
          type: 'invalid_request_error',
          code: 'not_found',
        }),
        status: 404,
      },
      { what: 'a box that is down', does: { kind: 'answer', status: 530 }, status: 503 },
    ]

    test.each(REFUSALS)('$what', async ({ does, status }) => {
      const seen: unknown[] = []
      const atHome: unknown[] = []
      for (const path of [CHAT, MESSAGES]) {
        upstream.behave(does)
        const answer = await ask({ path })
        seen.push(told(answer))
        upstream.behave(does)
        atHome.push(told(await sendRaw(home.url, post({ path, from: 'edge' }))))
        expect(answer.status).toBe(status)
      }
      expect(seen).toEqual(atHome)
    })

    test('but not what it says of the key of the gate in front', async () => {
      const answer = await sendRaw(astray.url, post())
      expect([answer.status, codeOf(answer), headerValue(answer, 'x-should-retry')]).toEqual([
        502,
        'upstream_key_refused',
        'false',
      ])
    })
  })

  test('lets its clients take turns at home, and passes on that the queue is full', async () => {
    upstream.behave(...Array.from({ length: 5 }, (): Behaviour => ({ kind: 'never-headers' })))
    const open: RawConnection[] = []
    const enter = async (from: string): Promise<void> => {
      const asked = post({
        from,
        body: { model: NARROW, stream: true },
        headers: { 'x-from': from },
      })
      const connection = await openRaw(edge.url, asked)
      open.push(connection)
      // A heartbeat shows that it waits at home.
      await connection.readUntil('keep-alive')
    }
    for (const from of ['greedy', 'greedy', 'greedy', 'modest', 'modest']) await enter(from)
    const full = await ask({ body: { model: NARROW } })
    const order = (): unknown[] =>
      upstream.requests
        .filter(({ model }) => model === NARROW)
        .map(({ headers }) => headers['x-from'])
    for (let turn = 1; turn <= 5; turn++) {
      await expect.poll(() => [order().length, upstream.held()]).toEqual([turn, 1])
      upstream.release()
    }
    const answers = await Promise.all(open.map((connection) => connection.answer()))
    for (const connection of open) connection.close()
    expect({
      // Sent in a row they would be served in a row, were they all the edge's.
      turns: [order()[0], order()[1], order()[4]],
      ends: answers.map((answer) => textOf(answer).endsWith('data: [DONE]\n\n')),
      full: [full.status, codeOf(full), headerValue(full, 'retry-after')],
    }).toEqual({
      turns: ['greedy', 'modest', 'greedy'],
      ends: [true, true, true, true, true],
      full: [503, 'queue_full', '5'],
    })
  })

  test.each([
    [CHAT, ': keep-alive\n\n'],
    [MESSAGES, 'event: ping\ndata: {"type": "ping"}\n\n'],
  ])('streams %s frame by frame, with heartbeats while home is silent', async (path, beat) => {
    const body = { stream: true }
    const usual = textOf(await ask({ path, body }))
    upstream.behave({ kind: 'silence', frames: 2 })
    const connection = await openRaw(edge.url, post({ path, body }))
    const early = await connection.readUntil(beat)
    await connection.readUntil((received) => received.toString().split(beat).length > 3)
    upstream.release()
    const whole = textOf(await connection.answer())
    connection.close()
    const frames = usual.split(/(?<=\n\n)/)
    expect([frames.map((frame) => early.includes(frame)), whole.replaceAll(beat, '')]).toEqual([
      frames.map((_, at) => at < 2),
      usual,
    ])
  })

  test('passes on one error frame when the model dies in the middle, and breaks its client’s end', async () => {
    const errors: unknown[] = []
    for (const path of [CHAT, MESSAGES]) {
      upstream.behave({ kind: 'reset-mid-stream', frames: 2 })
      const answer = await ask({ path, body: { stream: true } })
      const frames = [
        ...textOf(answer).matchAll(/ended the stream before the answer was complete/g),
      ]
      errors.push([frames.length, answer.ending !== 'complete'])
    }
    const isSeen = harness.cannot['broken-connection-visible'] === undefined
    expect(errors).toEqual([
      [1, isSeen],
      [1, isSeen],
    ])
  })

  test('sends a request once: what closes the connection at once is no gate that could answer', async () => {
    const closing = createServer((socket) => {
      socket.on('error', () => {}).on('data', () => socket.destroy())
    })
    closing.listen(0, '127.0.0.1')
    await once(closing, 'listening')
    const { port } = Object(closing.address())
    way.leadTo(`http://127.0.0.1:${port}`)
    way.forget()
    const answer = await ask()
    const sent = way
      .sent()
      .toString()
      .match(/^POST /gm)?.length
    way.leadTo(home.url)
    closing.close()
    expect([answer.status, codeOf(answer), sent]).toEqual([503, 'upstream_unavailable', 1])
  })

  test('reads what anybody on the way says as no word of the home gate', async () => {
    const proxy = createHttpServer((_, response) => {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end('{"error":{"message":"no route to 192.168.1.5:3000","type":"proxy"}}')
    })
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const { port } = Object(proxy.address())
    way.leadTo(`http://127.0.0.1:${port}`)
    const answer = await ask()
    way.leadTo(home.url)
    proxy.close()
    proxy.closeAllConnections()
    expect([answer.status, textOf(answer).includes('192.168'), (await ask()).status]).toEqual([
      400,
      false,
      200,
    ])
  })

  test.each([
    ['before the first byte', { kind: 'never-headers' } as const],
    ['in the middle of a stream', { kind: 'endless', everyMs: 20 } as const],
    ['in a silent stream', { kind: 'silence', frames: 1 } as const],
  ])('frees the model when its client leaves %s', async (_, does) => {
    upstream.behave(does)
    const connection = await openRaw(edge.url, post({ body: { stream: true } }))
    await upstream.waitFor(({ method }) => method === 'POST')
    connection.close()
    const call = await upstream.waitFor(
      ({ method, state }) => method === 'POST' && state === 'aborted',
    )
    expect(call.state).toBe('aborted')
  })

  test('that leads back to itself says so, whatever it takes itself for', async () => {
    const seen: unknown[] = []
    for (const lost of [astray, strayed]) {
      roundabout.leadTo(lost.url)
      const headers = { Authorization: `Bearer ${secretOf('status')}` }
      const answers = [
        await sendRaw(lost.url, post()),
        await sendRaw(lost.url, post({ body: { stream: true } })),
        await sendRaw(lost.url, rawRequest({ target: '/v1/models', headers })),
        await sendRaw(lost.url, rawRequest({ target: '/running', headers })),
      ]
      seen.push(
        answers.map((answer) => [
          answer.status,
          codeOf(answer),
          headerValue(answer, 'x-should-retry'),
        ]),
      )
    }
    roundabout.leadTo(home.url)
    const loop = Array.from({ length: 4 }, () => [508, 'loop_detected', 'false'])
    expect([seen, callsTo(upstream).length]).toEqual([[loop, loop], 0])
  })

  test.each([
    ['a gate', () => astray],
    ['llama-swap', () => strayed],
  ])(
    'that leads to a gate that leads back says so after a few requests, taking it for %s',
    async (_, lostOf) => {
      const lost = lostOf()
      const other = await node.start({
        ...COMMON,
        keys: [key('friend', { scopes: ['inference', 'status'] })],
        upstream: { url: lost.url, apiKey: secretOf('status') },
      })
      roundabout.leadTo(other.url)
      roundabout.forget()
      const sentOn = (): number =>
        roundabout
          .sent()
          .toString()
          .match(/^(?:GET|POST) /gm)?.length ?? 0
      const headers = { Authorization: `Bearer ${secretOf('status')}` }
      const asked = [
        rawRequest({ target: '/v1/models', headers }),
        rawRequest({ target: '/running', headers }),
        post({ body: { model: 'unheard-of' } }),
      ]
      const answers: RawAnswer[] = []
      for (const request of asked) answers.push(await sendRaw(lost.url, request))
      for (const request of asked) {
        const connection = await openRaw(lost.url, request)
        await sleep(20)
        connection.close()
      }
      await sleep(300)
      const soon = sentOn()
      await sleep(500)
      await other.stop()
      roundabout.leadTo(home.url)
      expect({
        answers: answers.map((answer) => [answer.status, codeOf(answer)]),
        few: soon > 0 && soon < 25,
        more: sentOn() - soon,
      }).toEqual({
        answers: asked.map(() => [508, 'loop_detected']),
        few: true,
        more: 0,
      })
    },
  )
})
