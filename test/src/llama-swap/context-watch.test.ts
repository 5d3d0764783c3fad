import { describe, expect, test } from 'vitest'
import { createContextWatch, type ContextWatch } from '../../../src/llama-swap/context-watch.ts'
import { NO_MODEL_CONFIG } from '../../../src/llama-swap/model-config.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { FakeUpstream, jsonAnswer } from '../../support/fake-upstream.ts'

const PROPS = JSON.stringify({ default_generation_settings: { n_ctx: 4096 }, total_slots: 1 })

type Record = { model: string; state: string; cmd?: string; proxy?: string }
const ready = (model: string, cmd = 'llama-server'): Record => ({
  model,
  state: 'ready',
  cmd,
  proxy: `http://localhost/${model}`,
})

type Opened = {
  watch: ContextWatch
  clock: FakeClock
  upstream: FakeUpstream
  /** What runs; may be changed. */
  running: Record[]
  /** Servers that were asked. */
  asked: string[]
}

function open(
  running: Record[],
  answer: (server: string, wantsKey: boolean) => Promise<string | undefined> = () =>
    Promise.resolve(PROPS),
): Opened {
  const clock = fakeClock()
  const upstream = new FakeUpstream()
  const asked: string[] = []
  upstream.onCall = (call) => void call.answer(jsonAnswer({ running: opened.running }))
  const watch = createContextWatch(
    {
      clock,
      askModelServer: (server, wantsKey) => {
        asked.push(server)
        return answer(server, wantsKey)
      },
    },
    () => ({ upstream, clock, headers: [] }),
    { config: () => NO_MODEL_CONFIG, isOfNoModelHere: (id) => id === 'fast' },
  )
  const opened: Opened = { watch, clock, upstream, running, asked }
  return opened
}

const tokensOf = ({ watch }: Opened, id: string) => watch.of(id).context?.tokens

test('only models that are ready are asked, each at its own server', async () => {
  const opened = open([
    ready('a'),
    ready('b'),
    { ...ready('c'), state: 'starting' },
    { ...ready('d'), state: 'stopping' },
    { model: 'e', state: 'ready' },
  ])
  await opened.watch.look(undefined)
  expect({
    asked: opened.asked,
    targets: opened.upstream.calls.map(({ request }) => request.target),
    tokens: ['a', 'b', 'c', 'd', 'e'].map((id) => tokensOf(opened, id)),
  }).toEqual({
    asked: ['http://localhost/a', 'http://localhost/b'],
    targets: ['/running'],
    tokens: [4096, 4096, undefined, undefined, undefined],
  })
})

test('a model is asked again after thirty seconds at the earliest', async () => {
  const opened = open([ready('a')])
  const counts: number[] = []
  for (const ms of [0, 29_999, 1, 1]) {
    await opened.clock.advance(ms)
    await opened.watch.look(undefined)
    counts.push(opened.asked.length)
  }
  expect(counts).toEqual([1, 1, 2, 2])
})

test('a model that was started anew is asked at once', async () => {
  const opened = open([ready('a')])
  await opened.watch.look(undefined)
  opened.running = [ready('a', 'llama-server -c 8192')]
  await opened.watch.look(undefined)
  expect(opened.asked.length).toBe(2)
})

test('only a server with a key in its command is shown one', async () => {
  const shown: boolean[] = []
  const running = [ready('a'), ready('b', 'llama-server --api-key k')]
  const opened = open(running, async (_server, wantsKey) => void shown.push(wantsKey))
  await opened.watch.look(undefined)
  expect(shown).toEqual([false, true])
})

test('a server whose answer could not be believed is not asked', async () => {
  const opened = open([ready('a', '/opt/run.sh a')])
  await opened.watch.look(undefined)
  expect(opened.asked).toEqual([])
})

test("another model's answer teaches nothing, and is asked for again after ten minutes at the earliest", async () => {
  const running = [ready('a', 'llama-server -m /models/a.gguf')]
  const opened = open(running, async () => JSON.stringify({ model_path: 'b.gguf', total_slots: 1 }))
  const counts: number[] = []
  for (const ms of [0, 599_999, 1]) {
    await opened.clock.advance(ms)
    await opened.watch.look(undefined)
    counts.push(opened.asked.length)
  }
  expect([opened.watch.of('a'), counts]).toEqual([
    { context: undefined, props: undefined },
    [1, 1, 2],
  ])
})

test("an answer that comes when the model was started anew is not the new one's", async () => {
  const late = Promise.withResolvers<string>()
  const answers = [late.promise, new Promise<string>(() => {})]
  const opened = open([ready('a')], () => answers.shift() ?? late.promise)
  const first = opened.watch.look(undefined)
  await opened.clock.advance(2000)
  opened.running = [ready('a', 'llama-server -c 8192')]
  void opened.watch.look(undefined)
  await opened.clock.advance(0)
  late.resolve(PROPS)
  await first
  expect([opened.asked.length, tokensOf(opened, 'a')]).toEqual([2, undefined])
})

test('many that look at the same time share the questions', async () => {
  const opened = open([ready('a')])
  await Promise.all(Array.from({ length: 20 }, () => opened.watch.look(undefined)))
  expect([opened.upstream.calls.length, opened.asked.length]).toEqual([1, 1])
})

test.each<[string, string | undefined]>([
  ['nothing', undefined],
  ['something else', '<html>'],
])('a server that says %s teaches nothing', async (_, text) => {
  const opened = open([ready('a')], () => Promise.resolve(text))
  await opened.watch.look(undefined)
  expect(opened.watch.of('a')).toEqual({ context: undefined, props: undefined })
})

test('where llama-swap does not say what runs nobody is asked', async () => {
  const opened = open([ready('a')])
  opened.upstream.onCall = (call) => void call.failure('unreachable')
  await opened.watch.look(undefined)
  expect(opened.asked).toEqual([])
})

const settle = async ({ clock }: Opened) => clock.advance(0)

describe('a model that has answered', () => {
  test('is asked in the background, unless it is known', async () => {
    const opened = open([ready('a')])
    opened.watch.answered('a', undefined)
    await settle(opened)
    const first = [tokensOf(opened, 'a'), opened.upstream.calls.length]
    await opened.clock.advance(60_000)
    opened.watch.answered('a', undefined)
    await settle(opened)
    expect([first, opened.upstream.calls.length]).toEqual([[4096, 1], 1])
  })

  test('and does not tell is no reason to ask more than twice a minute', async () => {
    const opened = open([])
    for (let i = 0; i < 6; i++) {
      opened.watch.answered('a', undefined)
      await opened.clock.advance(10_000)
    }
    expect(opened.upstream.calls.length).toBe(2)
  })

  test('for a name that may stand for several is not asked', async () => {
    const opened = open([ready('fast')])
    opened.watch.answered('fast', undefined)
    await settle(opened)
    expect(opened.upstream.calls.length).toBe(0)
  })

  test('is not asked where no server can be', async () => {
    const { upstream, clock } = open([])
    const watch = createContextWatch({ clock }, () => ({ upstream, clock, headers: [] }), {
      config: () => NO_MODEL_CONFIG,
      isOfNoModelHere: () => false,
    })
    watch.answered('a', undefined)
    await clock.advance(0)
    expect(upstream.calls.length).toBe(0)
  })
})

test('a request that was too long is a reason to look which command runs', async () => {
  const opened = open([ready('a', '/opt/run.sh a')])
  opened.watch.overflowed('a', 2048)
  await settle(opened)
  const first = tokensOf(opened, 'a')
  opened.running = [ready('a', '/opt/run.sh b')]
  await opened.clock.advance(60_000)
  await opened.watch.look(undefined)
  expect([first, tokensOf(opened, 'a')]).toEqual([2048, undefined])
})

test('a request that was too long teaches, but nothing of a name that may stand for several', () => {
  const { watch } = open([])
  watch.overflowed('a', 2048)
  watch.overflowed('fast', 2048)
  expect(['a', 'fast'].map((id) => watch.of(id).context)).toEqual([
    {
      tokens: 2048,
      source: 'overflow',
      certainty: 'exact',
      why: 'the model said so when a request was too long',
    },
    undefined,
  ])
})
