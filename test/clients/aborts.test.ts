import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Behaviour } from '../support/look-alike/behaviour.ts'
import type { RecordedRequest } from '../support/look-alike/recorded-request.ts'
import type { Box } from './gate.ts'
import { KEYS, startBox } from './gate.ts'
import type { Sdk } from './sdks.ts'
import { anthropicFor, openaiFor, SDKS } from './sdks.ts'

/** From the client's decision to the end of the exchange at upstream. */
const WITHIN_MS = 250

const HEARTBEAT = { afterMs: 300, everyMs: 300 }

const model = 'gpt-oss-120b'
const messages: [{ role: 'user'; content: string }] = [{ role: 'user', content: 'Talk for ever.' }]

const ENDLESS: Behaviour = { kind: 'endless', everyMs: 10 }

let box: Box
beforeAll(async () => {
  box = await startBox({ heartbeat: HEARTBEAT })
})
afterEach(() => box.upstream.reset())
afterAll(() => box.stop())

/** The request of an SDK, once upstream has it. */
const arrived = ({ path }: Pick<Sdk, 'path'>): Promise<RecordedRequest> =>
  box.upstream.waitFor(({ url, complete }) => url === path && complete)

/** How long after `leave` the exchange was over at upstream. */
async function freedAfterMs(request: RecordedRequest, leave: () => void): Promise<number> {
  const leftAt = performance.now()
  leave()
  return (await request.closed) - leftAt
}

/** Runs a client's question to its end, whatever that is: what an SDK says of an abort is its own affair. */
async function over(asked: Promise<unknown>): Promise<void> {
  await Promise.allSettled([asked])
}

describe.each(SDKS)('$name', (sdk) => {
  test.each<[string, 'answer' | 'stream', Behaviour]>([
    ['an answer that has not begun', 'answer', { kind: 'never-headers' }],
    ['an answer of which half is there', 'answer', { kind: 'silence', frames: 1 }],
    ['a stream that has not begun', 'stream', { kind: 'never-headers' }],
    ['a stream of headers only', 'stream', { kind: 'silence', frames: 0 }],
  ])('frees upstream at once when its signal aborts %s', async (_, way, behaviour) => {
    box.upstream.behave(behaviour)
    const client = new AbortController()
    const ask = { url: box.url, key: KEYS.user, signal: client.signal }
    const asked = over(way === 'answer' ? sdk.answer(ask) : sdk.stream(ask, () => {}))
    const request = await arrived(sdk)
    expect(await freedAfterMs(request, () => client.abort())).toBeLessThan(WITHIN_MS)
    await asked
    expect(box.calls()).toHaveLength(1)
  })

  test('frees upstream at once when its signal aborts a stream of heartbeats', async () => {
    box.upstream.behave({ kind: 'never-headers' })
    const client = new AbortController()
    const committed = Promise.withResolvers<void>()
    const asked = over(
      sdk.stream(
        {
          url: box.url,
          key: KEYS.user,
          signal: client.signal,
          fetch: (input, init) => fetch(input, init).finally(committed.resolve),
        },
        () => {},
      ),
    )
    const request = await arrived(sdk)
    await committed.promise
    await sleep(HEARTBEAT.everyMs)
    expect(await freedAfterMs(request, () => client.abort())).toBeLessThan(WITHIN_MS)
    await asked
  })

  test.each<[string, Behaviour]>([
    ['speaks', ENDLESS],
    ['has fallen silent', { kind: 'silence', frames: 4 }],
  ])('frees upstream at once when its signal aborts a stream that %s', async (_, behaviour) => {
    box.upstream.behave(behaviour)
    const client = new AbortController()
    const spoken = Promise.withResolvers<void>()
    const asked = over(
      sdk.stream({ url: box.url, key: KEYS.user, signal: client.signal }, (text) => {
        if (text !== '') spoken.resolve()
      }),
    )
    const request = await arrived(sdk)
    await spoken.promise
    expect(await freedAfterMs(request, () => client.abort())).toBeLessThan(WITHIN_MS)
    await asked
  })
})

/** Leaves after the first word, in the way of the SDK, and tells how long after that upstream was free. */
type Leaving = (url: string, left: () => void) => Promise<void>

// The AI SDK has no such way: it goes on reading behind a `break`, and only its signal ends a request.
const LEAVINGS: [string, string, Leaving][] = [
  [
    'openai: stream.controller.abort()',
    '/v1/chat/completions',
    async (url, left) => {
      const client = openaiFor({ url, key: KEYS.user })
      const stream = await client.chat.completions.create({ model, messages, stream: true })
      for await (const { choices } of stream) {
        if (!choices[0]?.delta.content) continue
        left()
        stream.controller.abort()
      }
    },
  ],
  [
    'openai: break',
    '/v1/chat/completions',
    async (url, left) => {
      const client = openaiFor({ url, key: KEYS.user })
      const stream = await client.chat.completions.create({ model, messages, stream: true })
      for await (const { choices } of stream) if (choices[0]?.delta.content) break
      left()
    },
  ],
  [
    'openai: chat.completions.stream().abort()',
    '/v1/chat/completions',
    async (url, left) => {
      const runner = openaiFor({ url, key: KEYS.user }).chat.completions.stream({ model, messages })
      runner.once('content', () => {
        left()
        runner.abort()
      })
      await over(runner.done())
    },
  ],
  [
    'openai: break out of a response',
    '/v1/responses',
    async (url, left) => {
      const client = openaiFor({ url, key: KEYS.user })
      const stream = await client.responses.create({ model, input: 'Talk for ever.', stream: true })
      for await (const { type } of stream) if (type === 'response.output_text.delta') break
      left()
    },
  ],
  [
    '@anthropic-ai/sdk: stream.controller.abort()',
    '/v1/messages',
    async (url, left) => {
      const client = anthropicFor({ url, key: KEYS.user })
      const asked = { model, messages, max_tokens: 100, stream: true } as const
      const stream = await client.messages.create(asked)
      for await (const { type } of stream) {
        if (type !== 'content_block_delta') continue
        left()
        stream.controller.abort()
      }
    },
  ],
  [
    '@anthropic-ai/sdk: break',
    '/v1/messages',
    async (url, left) => {
      const client = anthropicFor({ url, key: KEYS.user })
      const asked = { model, messages, max_tokens: 100, stream: true } as const
      for await (const { type } of await client.messages.create(asked))
        if (type === 'content_block_delta') break
      left()
    },
  ],
  [
    '@anthropic-ai/sdk: messages.stream().abort()',
    '/v1/messages',
    async (url, left) => {
      const client = anthropicFor({ url, key: KEYS.user })
      const stream = client.messages.stream({ model, messages, max_tokens: 100 })
      stream.once('text', () => {
        left()
        stream.abort()
      })
      await over(stream.done())
    },
  ],
]

describe('leaving a stream in the way of the SDK frees upstream at once', () => {
  test.each(LEAVINGS)('%s', async (_, path, leave) => {
    box.upstream.behave(ENDLESS)
    let leftAt = Number.NaN
    const done = leave(box.url, () => (leftAt = performance.now()))
    const request = await arrived({ path })
    expect((await request.closed) - leftAt).toBeLessThan(WITHIN_MS)
    await done
  })
})

describe("an SDK's own time-out", () => {
  test.each<[string, string, (url: string) => Promise<unknown>]>([
    [
      'openai',
      '/v1/chat/completions',
      (url) =>
        openaiFor({ url, key: KEYS.user, maxRetries: 1 }).chat.completions.create(
          { model, messages },
          { timeout: 500 },
        ),
    ],
    [
      '@anthropic-ai/sdk',
      '/v1/messages',
      (url) =>
        anthropicFor({ url, key: KEYS.user, maxRetries: 1 }).messages.create(
          { model, messages, max_tokens: 100 },
          { timeout: 500 },
        ),
    ],
  ])('frees upstream each time: %s', async (_, path, ask) => {
    box.upstream.behave({ kind: 'never-headers' }, { kind: 'never-headers' })
    await expect(ask(box.url)).rejects.toThrow('Request timed out.')
    await expect
      .poll(() => box.calls().map(({ url, state }) => ({ url, state })))
      .toEqual([
        { url: path, state: 'aborted' },
        { url: path, state: 'aborted' },
      ])
  })
})
