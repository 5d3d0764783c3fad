import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HeaderPairs } from '../../../src/deps.ts'
import type { RelayPlan, Settled } from '../../../src/proxy/relay-plan.ts'
import type { Turn } from '../../../src/queue/turn.ts'
import { JSON_HEADERS, STREAM_TYPE, type FakeCall } from '../../support/fake-upstream.ts'
import { MINUTE, SECOND, startRelay, type Started } from './start-relay.ts'

/** What upstream does. */
type UpstreamStep =
  | { step: 'head'; status: number; headers: HeaderPairs }
  | { step: 'chunk'; text: string }
  | { step: 'end' | 'unreachable' | 'reset' }

type Step =
  | UpstreamStep
  | { step: 'stall' | 'drain' | 'leave' }
  | { step: 'grant' | 'refuse' | 'cut-short' }
  | { step: 'advance'; ms: number }

const TEXTS = [
  'data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}\n\n',
  'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
  'data: [DONE]\n\n',
  'event: message_stop\ndata: {"type":"message_stop"}\r\n\r\n',
  'data: {"error":{"message":"m"}}\n\n',
  'event: error\ndata: {"code":500,"message":"m","type":"server_error"}\n\n',
  'data: {"cho',
  'ices":[]}\n',
  '\n',
  ':\n\n',
  '',
  '{"error":{"message":"exceeds","type":"exceed_context_size_error"}}',
  '{"error":{"message":"unspecific error: upstream command exited"}}',
]

const head = fc.record({
  step: fc.constant('head' as const),
  status: fc.constantFrom(
    200,
    200,
    200,
    200,
    202,
    204,
    304,
    302,
    400,
    401,
    404,
    429,
    500,
    502,
    503,
  ),
  headers: fc.constantFrom<HeaderPairs>(
    STREAM_TYPE,
    STREAM_TYPE,
    JSON_HEADERS,
    [],
    [['content-length', '0']],
  ),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: head },
  {
    weight: 4,
    arbitrary: fc.record({ step: fc.constant('chunk' as const), text: fc.constantFrom(...TEXTS) }),
  },
  { weight: 1, arbitrary: fc.constant({ step: 'end' as const }) },
  { weight: 2, arbitrary: fc.constant({ step: 'grant' as const }) },
  { weight: 1, arbitrary: fc.constant({ step: 'refuse' as const }) },
  { weight: 1, arbitrary: fc.constant({ step: 'cut-short' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      step: fc.constantFrom('unreachable', 'reset', 'reset', 'stall', 'drain', 'leave'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      step: fc.constant('advance' as const),
      ms: fc.constantFrom(
        1,
        500,
        SECOND,
        15 * SECOND,
        30 * SECOND,
        MINUTE,
        11 * MINUTE,
        31 * MINUTE,
      ),
    }),
  },
)

const plan: fc.Arbitrary<Partial<RelayPlan>> = fc
  .record({
    voice: fc.constantFrom<Partial<RelayPlan>>(
      { dialect: 'openai', format: 'chat' },
      { dialect: 'anthropic', format: 'messages' },
      { dialect: 'openai', format: undefined },
    ),
    streamed: fc.boolean(),
    errors: fc.constantFrom('normalised', 'normalised', 'as-is'),
    method: fc.constantFrom('POST', 'POST', 'POST', 'HEAD'),
    heartbeat: fc.constantFrom(
      { afterMs: 30 * SECOND, everyMs: 15 * SECOND },
      { afterMs: 500, everyMs: 10 * SECOND },
      { afterMs: 0, everyMs: SECOND },
    ),
    timeouts: fc.constantFrom(
      { upstreamHeadersMs: 30 * MINUTE, upstreamSilenceMs: 10 * MINUTE },
      { upstreamHeadersMs: MINUTE, upstreamSilenceMs: 0 },
      { upstreamHeadersMs: 0, upstreamSilenceMs: 15 * SECOND },
    ),
  })
  .map(({ voice, method, streamed, ...rest }) => ({
    ...voice,
    ...rest,
    // Only a body can ask for a stream, and llama-swap's own pages take none.
    streamed: streamed && method === 'POST' && rest.errors === 'normalised',
    request: { method, target: '/x', headers: [], body: undefined },
  }))

/** A place in a queue: a test says once what becomes of it. */
class TestTurn implements Turn {
  #on: Parameters<Turn['wait']>[0] | undefined

  wait(on: Parameters<Turn['wait']>[0]): void {
    this.#on = on
  }

  answered(): void {}

  hasModel(): boolean {
    return true
  }

  leave(): void {}

  decide(what: 'grant' | 'refuse'): void {
    const on = this.#on
    this.#on = undefined
    if (what === 'grant') on?.granted()
    else on?.refused({ kind: 'waited-too-long' })
  }
}

type World = { relay: Started; turn: TestTurn; answered: Set<FakeCall> }

/** Does a step as far as the ports allow it. */
async function take({ relay, turn, answered }: World, next: Step): Promise<void> {
  switch (next.step) {
    case 'advance':
      return relay.clock.advance(next.ms)
    case 'stall':
    case 'drain':
    case 'leave':
      return relay.client[next.step]()
    case 'grant':
    case 'refuse':
      return turn.decide(next.step)
    case 'cut-short':
      return relay.cutShort()
    default:
      for (const call of relay.upstream.calls.slice(-1)) tell(call, next, answered)
  }
}

/** A head first and once, and no content before it. */
function tell(call: FakeCall, next: UpstreamStep, answered: Set<FakeCall>): void {
  switch (next.step) {
    case 'head':
      if (!answered.has(call)) call.head(next.status, next.headers)
      answered.add(call)
      return
    case 'chunk':
      if (answered.has(call)) call.chunk(next.text)
      return
    case 'end':
      if (answered.has(call)) call.end()
      return
    case 'unreachable':
    case 'reset':
      call.failure(next.step)
  }
}

type Rules = Record<string, boolean>

/** The rules that a relay breaks right now. */
function faultsOf(relay: Started): string[] {
  const rules = {
    ...alwaysTrue(relay),
    ...relay.upstream.calls.slice(-1).map((call) => trueOf(call, relay))[0],
    ...relay.settled.map((ending) => trueAtTheEnd(relay, ending))[0],
  }
  return Object.keys(rules).filter((rule) => !rules[rule])
}

function alwaysTrue({ client, settled, upstream, clock }: Started): Rules {
  const acts = client.acts.map(({ act }) => act).join(' ')
  const isOver = settled.length > 0
  const { calls } = upstream
  return {
    'the client sees a head, then content, then one end':
      /^(?:(?:head(?: write)*)?(?: end| break)?|break)$/.test(acts),
    'it is settled once, with the end that the client sees':
      settled.length === (client.ended === undefined ? 0 : 1),
    'nothing runs on after it':
      !isOver || (calls.every((call) => !call.isLive) && clock.pending() === 0),
    'one timer is enough': clock.pending() <= 1,
    'it is sent twice at most': calls.length <= 2,
    'a stream is told in whole frames':
      client.ended === 'end' || !isStream(client.headers) || /^$|\n\r?\n$/.test(client.text),
  }
}

function trueOf(call: FakeCall, { client, settled }: Started): Rules {
  const isOver = settled.length > 0
  const hasContent = client.acts.some(({ act }) => act === 'write')
  return {
    'it goes on as long as upstream does': isOver || call.isLive,
    'upstream waits exactly while the client does not read':
      isOver || call.isPaused === client.isFull,
    'HEAD has no content': call.request.method !== 'HEAD' || !hasContent,
  }
}

function trueAtTheEnd(
  { client, upstream, startedAt }: Started,
  { outcome, reason, status, bytesOut, firstByteAt, sentAt, queuedMs }: Settled,
): Rules {
  return {
    'its status is what the client saw': status === (client.status ?? 499),
    'its bytes are what the client was given': bytesOut === client.bytes.length,
    'its first byte came after its start': (firstByteAt ?? startedAt) >= startedAt,
    'a failure has a reason, and nothing else has':
      (reason === undefined) === ['completed', 'client-closed'].includes(outcome),
    'a whole answer and a refusal end in order, but for what was cut, or a stream whose turn never came':
      client.ended === 'end' || mayBreak({ outcome, reason, sentAt }, client.headers),
    'a client that left is not answered': outcome !== 'client-closed' || client.ended === 'break',
    'upstream sees the gate leave unless it had finished':
      outcome === 'completed' || upstream.calls.slice(-1).every(({ aborts }) => aborts > 0),
    'it waited until it was sent':
      queuedMs !== undefined && (sentAt === undefined || queuedMs === sentAt - startedAt),
    'it was sent when it says so': (sentAt !== undefined) === upstream.calls.length > 0,
  }
}

function mayBreak(
  { outcome, reason, sentAt }: Pick<Settled, 'outcome' | 'reason' | 'sentAt'>,
  headers: HeaderPairs,
): boolean {
  if (outcome === 'refused')
    return reason === 'draining' || (sentAt === undefined && isStream(headers))
  return outcome !== 'completed'
}

function isStream(headers: HeaderPairs): boolean {
  return headers.some(
    ([name, value]) => name === 'content-type' && value.startsWith('text/event-stream'),
  )
}

describe('whatever happens, in whatever order', () => {
  const steps = fc.array(step, { minLength: 2, maxLength: 16, size: 'max' })
  const story = fc.record({ changes: plan, waits: fc.boolean(), steps })

  test('an exchange keeps its rules, ends once, and nothing is written afterwards', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ({ changes, waits, steps: given }) => {
        const turn = new TestTurn()
        const relay = startRelay({ ...changes, turn })
        const world = { relay, turn, answered: new Set<FakeCall>() }
        if (!waits) turn.decide('grant')
        for (const next of given) {
          const before = {
            calls: relay.upstream.calls.length,
            ended: relay.client.ended,
            acts: relay.client.acts.length,
          }
          await take(world, next)
          expect(faultsOf(relay)).toEqual([])
          const sentAgain = before.calls > 0 && relay.upstream.calls.length > before.calls
          // A second attempt only for a client that has nothing, and nothing at all for one that had everything.
          expect(sentAgain && relay.client.acts.length > 0).toBe(false)
          expect(before.ended !== undefined && relay.client.acts.length > before.acts).toBe(false)
        }

        relay.client.leave()
        const after = {
          acts: relay.client.acts.length,
          settled: relay.settled.length,
          calls: relay.upstream.calls.length,
        }
        for (const { events } of relay.upstream.calls) {
          events.head(200, STREAM_TYPE)
          events.chunk(new TextEncoder().encode(TEXTS[0]))
          events.end()
          events.failure('reset')
        }
        relay.client.drain()
        relay.cutShort()
        relay.client.on?.gone()
        turn.decide('grant')
        await relay.clock.advance(24 * 60 * MINUTE)

        expect(faultsOf(relay)).toEqual([])
        expect({
          acts: relay.client.acts.length,
          settled: relay.settled.length,
          calls: relay.upstream.calls.length,
        }).toEqual(after)
        expect(relay.settled.length).toBe(1)
      }),
      { numRuns: 2000 },
    )
  }, 60_000)
})
