import { setTimeout as sleep } from 'node:timers/promises'
import { RateLimitError } from 'openai'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { harness as node } from '../../adapters/node/harness.ts'
import type { ConfigFile } from '../../src/config/schema.ts'
import { recordAttempts, statusesOf, waitsOf } from '../clients/attempts.ts'
import { anthropicFor, openaiFor } from '../clients/sdks.ts'
import { zoneAtNoon } from '../clients/zone-at-noon.ts'
import type { Running } from '../harness.ts'
import { eventually, postJson } from './client.ts'
import { readCounters, readLoad, type Load } from './counters.ts'
import type { LlamaServer } from './llama-server.ts'
import { sentenceOf, startLlamaServer } from './llama-server.ts'
import { AT_LENGTH } from './tiny-gguf.ts'

const model = 'gpt-oss-120b'
const KEYS = {
  laptop: 'sk-laptop-0123456789abcdef01234567',
  friend: 'sk-friend-0123456789abcdef01234567',
}
const hello: [{ role: 'user'; content: string }] = [{ role: 'user', content: 'hello' }]
const talk: [{ role: 'user'; content: string }] = [{ role: 'user', content: `talk ${AT_LENGTH}` }]

/** A gate of two keys, of which only the friend's has limits. */
async function startGate(
  server: LlamaServer,
  limits: object,
  rest: ConfigFile = {},
): Promise<Running> {
  const gate = await node.start({
    upstream: { url: server.url },
    limits: { timeZone: zoneAtNoon() },
    keys: [
      { id: 'laptop', secret: KEYS.laptop, limits: { requestsPerMinute: null } },
      { id: 'friend', secret: KEYS.friend, limits },
    ],
    ...rest,
  })
  onTestFinished(() => gate.stop())
  return gate
}

/** What is left of a key's tokens, as an answer says that takes none. */
async function remainingTokens({ url }: Running, key: string): Promise<number> {
  const answer = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
  await answer.text()
  return Number(answer.headers.get('x-ratelimit-remaining-tokens') ?? Number.NaN)
}

/** Tokens that llama-server computed for one call, by what it tells the client. */
type Computed = (url: string) => Promise<number>

const CALLS: [string, Computed][] = [
  [
    'a chat',
    async (url) => {
      const client = openaiFor({ url, key: KEYS.friend })
      const { usage } = await client.chat.completions.create({ model, messages: hello })
      const cached = usage?.prompt_tokens_details?.cached_tokens ?? Number.NaN
      return (usage?.total_tokens ?? Number.NaN) - cached
    },
  ],
  [
    'a streamed chat',
    async (url) => {
      const stream = await openaiFor({ url, key: KEYS.friend }).chat.completions.create({
        model,
        messages: talk,
        max_tokens: 50,
        stream: true,
        stream_options: { include_usage: true },
      })
      let computed = Number.NaN
      for await (const { usage } of stream)
        if (usage)
          computed = usage.total_tokens - (usage.prompt_tokens_details?.cached_tokens ?? Number.NaN)
      return computed
    },
  ],
  [
    'a message',
    async (url) => {
      const { messages } = anthropicFor({ url, key: KEYS.friend })
      const { usage } = await messages.create({ model, messages: hello, max_tokens: 100 })
      return usage.input_tokens + usage.output_tokens
    },
  ],
  [
    'a streamed message',
    async (url) => {
      const { messages } = anthropicFor({ url, key: KEYS.friend })
      const stream = messages.stream({ model, messages: talk, max_tokens: 50 })
      const { usage } = await stream.finalMessage()
      return usage.input_tokens + usage.output_tokens
    },
  ],
]

describe('limits in front of a real llama-server', () => {
  let server: LlamaServer
  beforeAll(async () => {
    server = await startLlamaServer({
      model,
      contextSize: 8192,
      parallel: 2,
      script: { ballastMegabytes: 0 },
      extraArgs: ['--metrics'],
    })
  })
  afterAll(() => server?.stop())

  const computedSoFar = async (): Promise<number> => {
    const { prompt, completion } = await readCounters(server)
    return prompt + completion
  }

  test.each(CALLS)('%s takes what llama-server says it computed', async (_, call) => {
    const gate = await startGate(server, { tokensPerDay: 100_000 })
    let remaining = 100_000
    // The prompt of the second call comes from the cache, which is free.
    for (const time of ['first', 'second']) {
      const before = await computedSoFar()
      const computed = await call(gate.url)
      expect(await computedSoFar()).toBe(before + computed)
      remaining -= computed
      await eventually(
        `${remaining} tokens are left after the ${time} call`,
        async () => (await remainingTokens(gate, KEYS.friend)) === remaining,
      )
    }
  })

  test('a key that has used up its day is told so once, and the other goes on', async () => {
    const gate = await startGate(server, { tokensPerDay: 60 })
    const { attempts, fetch } = recordAttempts()
    const friend = openaiFor({ url: gate.url, key: KEYS.friend, fetch })
    const ask = { model, messages: hello, max_tokens: 30 }
    await friend.chat.completions.create(ask)
    const before = await computedSoFar()

    const refused: unknown = await friend.chat.completions.create(ask).catch((error) => error)
    expect(refused).toBeInstanceOf(RateLimitError)
    expect(refused).toMatchObject({ status: 429, code: 'insufficient_quota' })
    expect(statusesOf(attempts)).toEqual([200, 429])
    expect(await computedSoFar()).toBe(before)

    const laptop = openaiFor({ url: gate.url, key: KEYS.laptop })
    const { choices } = await laptop.chat.completions.create({ model, messages: hello })
    expect(choices[0]?.message.content).toBe(sentenceOf(model))
  })

  test('the openai package waits until the tokens of the minute are there again', async () => {
    const gate = await startGate(server, { tokensPerMinute: 1200 })
    const { attempts, fetch } = recordAttempts()
    const { completions } = openaiFor({ url: gate.url, key: KEYS.friend, fetch }).chat
    // More than there is, so that some seconds pass until the next call may come.
    await completions.create({ model, messages: talk, max_tokens: 1240 })
    const { choices } = await completions.create({ model, messages: hello, max_tokens: 5 })

    expect(choices[0]?.message.content).toBe(sentenceOf(model).split(' ').slice(0, 5).join(' '))
    expect(statusesOf(attempts)).toEqual([200, 429, 200])
    const told = Number(attempts[1]?.answer?.headers.get('retry-after-ms') ?? Number.NaN)
    expect(told).toBeGreaterThan(0)
    expect(waitsOf(attempts)[1]).toBeGreaterThan(told - 20)
  })
})

describe('eight requests at once for two slots', () => {
  let server: LlamaServer
  beforeAll(async () => {
    server = await startLlamaServer({
      model,
      contextSize: 8192,
      parallel: 2,
      extraArgs: ['--metrics'],
    })
  })
  afterAll(() => server?.stop())

  /** The most that llama-server worked on, and the most that waited in it, while eight requests were answered. */
  async function busiest(gate: Running): Promise<{ statuses: number[]; most: Load }> {
    const headers = { authorization: `Bearer ${KEYS.laptop}` }
    const ask = async (): Promise<number> => {
      const body = { model, messages: talk, max_tokens: 80 }
      const answer = await postJson(`${gate.url}/v1/chat/completions`, body, { headers })
      await answer.text()
      return answer.status
    }
    const over = new AbortController()
    const most = { processing: 0, deferred: 0 }
    const watch = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const { processing, deferred } = await readLoad(server)
        most.processing = Math.max(most.processing, processing)
        most.deferred = Math.max(most.deferred, deferred)
        await sleep(10)
      }
    }
    const watched = watch()
    const statuses = await Promise.all(Array.from({ length: 8 }, ask))
    over.abort()
    await watched
    return { statuses, most }
  }

  test('wait in the gate, not in llama-server', async () => {
    const gate = await startGate(server, {}, { queue: { slotsPerModel: 2 } })
    expect(await busiest(gate)).toEqual({
      statuses: Array.from({ length: 8 }, () => 200),
      most: { processing: 2, deferred: 0 },
    })
  })

  test('wait in llama-server where the queue is off', async () => {
    const gate = await startGate(server, {}, { queue: false })
    const { statuses, most } = await busiest(gate)
    expect(statuses).toEqual(Array.from({ length: 8 }, () => 200))
    expect(most.deferred).toBeGreaterThan(0)
  })

  // Those above were served although the gate asks for what is loaded as soon as somebody waits.
  test('are refused to a key that may only use what is loaded: llama-server does not tell', async () => {
    const gate = await startGate(
      server,
      {},
      {
        keys: [{ id: 'guest', secret: KEYS.friend, swap: 'use' }],
      },
    )
    const headers = { authorization: `Bearer ${KEYS.friend}` }
    const body = { model, messages: hello }
    const answer = await postJson(`${gate.url}/v1/chat/completions`, body, { headers })
    expect([answer.status, await answer.json()]).toMatchObject([
      502,
      { error: { code: 'upstream_misconfigured' } },
    ])
  })
})
