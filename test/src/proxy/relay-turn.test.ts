import { describe, expect, test } from 'vitest'
import type { GateError } from '../../../src/errors/gate-error.ts'
import type { RelayPlan } from '../../../src/proxy/relay-plan.ts'
import type { Turn } from '../../../src/queue/turn.ts'
import { FakeUpstream, JSON_HEADERS, STREAM_TYPE } from '../../support/fake-upstream.ts'
import { RecordingClient } from '../../support/recording-client.ts'
import { CHAT } from '../../support/sse-samples.ts'
import {
  BEAT,
  completed,
  EARLY_HEAD,
  MESSAGES_PLAN,
  MINUTE,
  outcomeOf,
  PING,
  SECOND,
  startRelay,
  type Started,
} from './start-relay.ts'

/** A place in a queue that a test steers. */
class FakeTurn implements Turn {
  /** What the relay did, in order. */
  readonly did: string[] = []
  #on: Parameters<Turn['wait']>[0] | undefined

  wait(on: Parameters<Turn['wait']>[0]): void {
    this.did.push('wait')
    this.#on = on
  }

  answered(): void {
    this.did.push('answered')
  }

  hasModel(): boolean {
    return true
  }

  leave(): void {
    this.did.push('leave')
  }

  grant(): void {
    this.#on?.granted()
  }

  refuse(error: GateError): void {
    this.#on?.refused(error)
  }
}

function startWaiting(changes: Partial<RelayPlan> = {}): { turn: FakeTurn; relay: Started } {
  const turn = new FakeTurn()
  return { turn, relay: startRelay({ turn, ...changes }) }
}

/** Neither sent nor answered. */
const NOTHING = {
  status: undefined,
  text: '',
  ended: undefined,
  settled: [],
  aborts: [],
  isLive: false,
}

describe('a request whose turn has not come', () => {
  test('is not sent, and its client hears nothing at first', async () => {
    const { turn, relay } = startWaiting()
    await relay.clock.advance(30 * SECOND - 1)
    expect({ ...Object(outcomeOf(relay)), did: turn.did }).toEqual({
      ...NOTHING,
      timers: 1,
      did: ['wait'],
    })
  })

  test('gets heartbeats when a stream was asked for', async () => {
    const { relay } = startWaiting()
    await relay.clock.advance(60 * SECOND)
    expect(relay.client.seen).toEqual({ status: 200, text: BEAT.repeat(3), ended: undefined })
    expect(relay.client.headers).toEqual(EARLY_HEAD)
    expect(relay.upstream.calls).toEqual([])
  })

  test("gets pings in Anthropic's dialect", async () => {
    const { relay } = startWaiting(MESSAGES_PLAN)
    await relay.clock.advance(30 * SECOND)
    expect(relay.client.text).toBe(PING)
  })

  test('hears nothing when no stream was asked for: its status must be true', async () => {
    const { relay } = startWaiting({ streamed: false })
    await relay.clock.advance(60 * MINUTE)
    expect(outcomeOf(relay)).toEqual({ ...NOTHING, timers: 0 })
  })

  test('waits as long as the queue lets it, whatever the patience with upstream is', async () => {
    const { relay, turn } = startWaiting({
      timeouts: { upstreamHeadersMs: SECOND, upstreamSilenceMs: SECOND },
      heartbeat: { afterMs: 0, everyMs: 15 * SECOND },
    })
    await relay.clock.advance(60 * MINUTE)
    expect(outcomeOf(relay)).toEqual({ ...NOTHING, timers: 0 })
    turn.grant()
    await relay.clock.advance(SECOND)
    expect(relay.settled).toMatchObject([{ reason: 'upstream-timeout' }])
  })

  test('has a client that reads again after a stall wait as long as any other', async () => {
    const { relay, turn } = startWaiting({
      timeouts: { upstreamHeadersMs: 40 * SECOND, upstreamSilenceMs: 40 * SECOND },
    })
    relay.client.stall()
    await relay.clock.advance(30 * SECOND)
    await relay.clock.advance(MINUTE - 1)
    relay.client.drain()
    await relay.clock.advance(60 * MINUTE)
    expect(relay.settled).toEqual([])
    turn.grant()
    await relay.clock.advance(40 * SECOND)
    expect(relay.settled).toMatchObject([{ reason: 'upstream-timeout' }])
  })

  test('is over when its client leaves the heartbeats unread for a minute', async () => {
    const { relay } = startWaiting()
    relay.client.stall()
    await relay.clock.advance(30 * SECOND)
    await relay.clock.advance(MINUTE)
    expect(relay.settled).toEqual([
      {
        outcome: 'client-closed',
        status: 200,
        reason: undefined,
        firstByteAt: undefined,
        bytesOut: BEAT.length,
        sentAt: undefined,
        queuedMs: 90 * SECOND,
        begun: false,
      },
    ])
  })

  test('is over without a call when its client leaves', async () => {
    const { relay } = startWaiting()
    await relay.clock.advance(5 * SECOND)
    relay.client.leave()
    expect(relay.settled).toEqual([
      {
        outcome: 'client-closed',
        status: 499,
        reason: undefined,
        firstByteAt: undefined,
        bytesOut: 0,
        sentAt: undefined,
        queuedMs: 5 * SECOND,
        begun: false,
      },
    ])
    expect([relay.upstream.calls, relay.clock.pending()]).toEqual([[], 0])
  })

  test('is not sent when its turn comes after its client has left', () => {
    const { relay, turn } = startWaiting()
    relay.client.leave()
    turn.grant()
    expect([relay.upstream.calls, relay.settled.length]).toEqual([[], 1])
  })

  test('does not even ask for a turn when its client has left before', () => {
    const turn = new FakeTurn()
    const client = new RecordingClient()
    client.isGone = true
    const { settled } = startRelay({ turn }, { client })
    expect([turn.did, settled]).toEqual([
      [],
      [
        {
          outcome: 'client-closed',
          status: 499,
          reason: undefined,
          firstByteAt: undefined,
          bytesOut: 0,
          sentAt: undefined,
          queuedMs: undefined,
          begun: false,
        },
      ],
    ])
  })
})

describe('a request whose turn comes', () => {
  test('is sent then, and its times tell so', async () => {
    const { relay, turn } = startWaiting()
    await relay.clock.advance(5 * SECOND)
    turn.grant()
    await relay.clock.advance(SECOND)
    relay.upstream.last.answer({ headers: STREAM_TYPE, body: CHAT.bytes })
    expect(outcomeOf(relay)).toEqual(completed(200, CHAT.text))
    expect(relay.settled).toMatchObject([
      {
        sentAt: relay.startedAt + 5 * SECOND,
        firstByteAt: relay.startedAt + 6 * SECOND,
        queuedMs: 5 * SECOND,
      },
    ])
  })

  test('has its patience with upstream counted from then on', async () => {
    const { relay, turn } = startWaiting({ streamed: false })
    await relay.clock.advance(60 * MINUTE)
    turn.grant()
    await relay.clock.advance(30 * MINUTE - 1)
    expect(relay.settled).toEqual([])
    await relay.clock.advance(1)
    expect(relay.settled).toMatchObject([{ status: 504, reason: 'upstream-timeout' }])
  })

  test('keeps the pace of the heartbeats that it had while waiting', async () => {
    const { relay, turn } = startWaiting()
    await relay.clock.advance(40 * SECOND)
    turn.grant()
    expect(relay.client.text).toBe(BEAT)
    await relay.clock.advance(15 * SECOND)
    expect(relay.client.text).toBe(BEAT.repeat(2))
    relay.upstream.last.answer({ headers: STREAM_TYPE, body: CHAT.bytes })
    expect(outcomeOf(relay)).toEqual(completed(200, BEAT.repeat(2) + CHAT.text))
  })

  test('makes upstream wait at once when its client has stopped reading the heartbeats', async () => {
    const { relay, turn } = startWaiting()
    relay.client.stall()
    await relay.clock.advance(30 * SECOND)
    turn.grant()
    expect(relay.upstream.last.did).toEqual(['pause'])
    relay.client.drain()
    expect(relay.upstream.last.did).toEqual(['pause', 'resume'])
  })

  test.each([
    ['an answer', 200, true, true],
    ['an error of the model itself', 400, true, false],
    ['a model that has no such route', 404, true, false],
    ['too many requests, which llama-swap may say', 429, false, false],
    ['a failure', 500, false, false],
    ['a load that goes on', 503, false, false],
  ])('tells the queue of %s (%i) that it is one: %j', (...row) => {
    const [, status, isAnswer, begun] = row
    const { relay, turn } = startWaiting()
    turn.grant()
    relay.upstream.last.answer({ status, headers: JSON_HEADERS, body: '{}' })
    expect(turn.did).toEqual(isAnswer ? ['wait', 'answered'] : ['wait'])
    expect(relay.settled).toMatchObject([{ begun }])
  })

  test('tells the queue of an answer when its head comes, not at its end', () => {
    const { relay, turn } = startWaiting()
    turn.grant()
    relay.upstream.last.head(200, STREAM_TYPE)
    expect(turn.did).toEqual(['wait', 'answered'])
  })

  test('that is sent again after a reset was sent first when it was sent first', async () => {
    const { relay, turn } = startWaiting()
    turn.grant()
    await relay.clock.advance(SECOND / 2)
    relay.upstream.last.failure('reset')
    expect(relay.upstream.calls).toHaveLength(2)
    relay.upstream.last.answer({ headers: STREAM_TYPE, body: CHAT.bytes })
    expect(relay.settled).toMatchObject([
      { outcome: 'completed', sentAt: relay.startedAt, queuedMs: 0 },
    ])
    expect(turn.did).toEqual(['wait', 'answered'])
  })
})

describe('a request that is refused while it waits', () => {
  test('and then once more has had its answer', async () => {
    const { relay, turn } = startWaiting()
    turn.refuse({ kind: 'key-queue-full' })
    const before = outcomeOf(relay)
    turn.refuse({ kind: 'waited-too-long' })
    turn.grant()
    expect(outcomeOf(relay)).toEqual(before)
  })

  test('gets no answer when its client has left', () => {
    const { relay, turn } = startWaiting()
    relay.client.leave()
    const before = relay.client.acts.length
    turn.refuse({ kind: 'waited-too-long' })
    expect([relay.client.acts.length, relay.settled.length]).toEqual([before, 1])
  })

  test('gets the refusal as its answer, and its wait in vain is told', async () => {
    const { relay, turn } = startWaiting()
    await relay.clock.advance(2 * SECOND)
    turn.refuse({ kind: 'key-queue-full' })
    expect(relay.client.status).toBe(429)
    expect(Object.fromEntries(relay.client.headers)).toMatchObject({ 'retry-after': '5' })
    expect(relay.settled).toEqual([
      {
        outcome: 'refused',
        status: 429,
        reason: 'key-queue-full',
        firstByteAt: undefined,
        bytesOut: relay.client.bytes.length,
        sentAt: undefined,
        queuedMs: 2 * SECOND,
        begun: false,
      },
    ])
    expect([relay.upstream.calls, relay.clock.pending()]).toEqual([[], 0])
  })

  test.each([
    ['queue-full', 'queue_full'],
    ['waited-too-long', 'queue_timeout'],
    ['draining', 'gate_stopping'],
  ] as const)(
    'is told of %s after a heartbeat, and has its connection broken, because a retry may help',
    async (kind, code) => {
      const { relay, turn } = startWaiting()
      await relay.clock.advance(30 * SECOND)
      turn.refuse({ kind })
      expect(relay.client.seen).toEqual({
        status: 200,
        text: expect.stringMatching(
          new RegExp(`^: keep-alive\n\ndata: \\{"error":.*"${code}"\\}\\}\n\n$`),
        ),
        ended: 'break',
      })
      expect(relay.settled).toEqual([
        {
          outcome: 'refused',
          status: 200,
          reason: kind,
          firstByteAt: undefined,
          bytesOut: relay.client.bytes.length,
          sentAt: undefined,
          queuedMs: 30 * SECOND,
          begun: false,
        },
      ])
    },
  )

  test('is told after a heartbeat, in the stream, where a retry does not help', async () => {
    const { relay, turn } = startWaiting()
    await relay.clock.advance(30 * SECOND)
    turn.refuse({ kind: 'model-not-loaded', model: 'a' })
    expect(relay.client.text).toMatch(
      /^: keep-alive\n\ndata: \{"error":.*"model_not_loaded"\}\}\n\n$/,
    )
    expect(relay.client.ended).toBe('end')
    expect(relay.settled).toMatchObject([{ outcome: 'refused', reason: 'model-not-loaded' }])
  })
})

function throwing(fault: Error): FakeUpstream {
  const upstream = new FakeUpstream()
  upstream.send = () => {
    throw fault
  }
  return upstream
}

describe('an exception while a request is sent', () => {
  test('does not reach whoever gave the turn', () => {
    const turn = new FakeTurn()
    const fault = new Error('bug')
    const relay = startRelay({ turn }, { upstream: throwing(fault) })
    turn.grant()
    expect({ bugs: relay.bugs, status: relay.client.status }).toEqual({
      bugs: [fault],
      status: 500,
    })
    expect(relay.settled).toMatchObject([{ outcome: 'upstream-failed', reason: 'internal' }])
  })

  test('breaks a stream that a heartbeat has begun', async () => {
    const turn = new FakeTurn()
    const relay = startRelay({ turn }, { upstream: throwing(new Error('bug')) })
    await relay.clock.advance(30 * SECOND)
    turn.grant()
    expect([relay.client.ended, relay.clock.pending()]).toEqual(['break', 0])
  })
})

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

describe('the meter', () => {
  test('sees the pieces of a plain answer and the frames of a stream, and may take frames out', () => {
    const seen: string[] = []
    const meter: RelayPlan['meter'] = {
      frames(bytes) {
        seen.push(`frames ${decode(bytes)}`)
        const text = decode(bytes).replace('data: secret\n\n', '')
        return new TextEncoder().encode(text)
      },
      piece: (bytes) => void seen.push(`piece ${decode(bytes)}`),
      counts: () => undefined,
      isLlamaCpp: () => false,
    }
    const plain = startRelay({ meter, streamed: false })
    plain.call.answer({ headers: JSON_HEADERS, body: '{}' })
    const stream = startRelay({ meter })
    stream.call.head(200, STREAM_TYPE).chunk('data: secret\n\nda').chunk('ta: [DONE]\n\n').end()

    expect(seen).toEqual(['piece {}', 'frames data: secret\n\n', 'frames data: [DONE]\n\n'])
    expect([outcomeOf(plain), outcomeOf(stream)]).toEqual([
      completed(200, '{}'),
      completed(200, 'data: [DONE]\n\n'),
    ])
  })

  test('sees nothing of an error', () => {
    const seen: Uint8Array[] = []
    const meter: RelayPlan['meter'] = {
      frames: (bytes) => bytes,
      piece: (bytes) => void seen.push(bytes),
      counts: () => undefined,
      isLlamaCpp: () => false,
    }
    const { call } = startRelay({ meter })
    call.answer({ status: 400, headers: JSON_HEADERS, body: '{"error":{"message":"no"}}' })
    expect(seen).toEqual([])
  })
})
