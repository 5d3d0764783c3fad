import { refusalOf } from '../../../src/errors/refusal.ts'
import type { RelayPlan, Settled } from '../../../src/proxy/relay-plan.ts'
import { Relay } from '../../../src/proxy/relay.ts'
import { FREE_TURN } from '../../../src/queue/turn.ts'
import { NO_METER } from '../../../src/usage/no-meter.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { FakeUpstream, type FakeCall } from '../../support/fake-upstream.ts'
import { RecordingClient } from '../../support/recording-client.ts'

/** One relay between a fake upstream and a recording client. */
export type Started = {
  clock: FakeClock
  upstream: FakeUpstream
  /** The first exchange with upstream. */
  call: FakeCall
  client: RecordingClient
  /** How the exchange ended; a second entry would be a fault. */
  settled: Settled[]
  /** Exceptions that nobody expected. */
  bugs: unknown[]
  startedAt: number
  /** As when the gate's time to stop is over. */
  cutShort: () => void
}

export const SECOND = 1_000
export const MINUTE = 60 * SECOND

type World = { clock: FakeClock; upstream: FakeUpstream; client: RecordingClient }

/** A streamed chat call with the default patience, changed as a test needs it. */
export function startRelay(
  changes: Partial<RelayPlan> = {},
  {
    clock = fakeClock(),
    upstream = new FakeUpstream(),
    client = new RecordingClient(),
  }: Partial<World> = {},
): Started {
  const settled: Settled[] = []
  const bugs: unknown[] = []
  const dialect = changes.dialect ?? 'openai'
  const relay = new Relay({
    upstream,
    clock,
    client,
    request: { method: 'POST', target: '/v1/chat/completions', headers: [], body: undefined },
    dialect,
    format: 'chat',
    streamed: true,
    errors: 'normalised',
    sendings: 2,
    secrets: [],
    model: 'glm-4.7-flash',
    ownHeaders: [['x-request-id', 'r-1']],
    turn: FREE_TURN,
    meter: NO_METER,
    heartbeat: { afterMs: 30 * SECOND, everyMs: 15 * SECOND },
    timeouts: { upstreamHeadersMs: 30 * MINUTE, upstreamSilenceMs: 10 * MINUTE },
    overflowed: () => undefined,
    refusalFor: (error) => refusalOf(error, dialect),
    settle: (ending) => settled.push(ending),
    bug: (error) => bugs.push(error),
    ...changes,
  })
  relay.start()
  return {
    clock,
    upstream,
    call: upstream.calls[0]!,
    client,
    settled,
    bugs,
    startedAt: clock.now(),
    cutShort: () => relay.cutShort(),
  }
}

/** The plan of a messages stream, whose client speaks Anthropic's dialect. */
export const MESSAGES_PLAN: Partial<RelayPlan> = { dialect: 'anthropic', format: 'messages' }

/** Everything that an exchange left behind, for a comparison of the whole. */
export function outcomeOf({ client, settled, upstream, clock }: Started): unknown {
  return {
    ...client.seen,
    settled: settled.map(({ outcome, status, reason }) => ({ outcome, status, reason })),
    aborts: upstream.calls.map((call) => call.aborts),
    isLive: upstream.calls.some((call) => call.isLive),
    timers: clock.pending(),
  }
}

/** The same for an exchange that ended well after one call. */
export function completed(status: number, text: string): unknown {
  return {
    status,
    text,
    ended: 'end',
    settled: [{ outcome: 'completed', status, reason: undefined }],
    aborts: [0],
    isLive: false,
    timers: 0,
  }
}

/** The frame with which an OpenAI stream says that it was cut. */
export const CUT =
  'data: {"error":{"message":"The model server ended the stream before the answer was complete.",' +
  '"type":"server_error","param":null,"code":"stream_interrupted"}}\n\n'

/** The same in a messages stream. */
export const MESSAGES_CUT =
  'event: error\ndata: {"type":"error","error":{"type":"api_error",' +
  '"message":"The model server ended the stream before the answer was complete."}}\n\n'

export const BEAT = ': keep-alive\n\n'
export const PING = 'event: ping\ndata: {"type": "ping"}\n\n'

/** The head of an answer that a heartbeat began. */
export const EARLY_HEAD = [
  ['content-type', 'text/event-stream; charset=utf-8'],
  ['cache-control', 'no-cache, no-transform'],
  ['x-accel-buffering', 'no'],
  ['x-request-id', 'r-1'],
]
