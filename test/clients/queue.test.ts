import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SPOKEN } from '../support/look-alike/completion.ts'
import { recordAttempts, statusesOf } from './attempts.ts'
import type { Box } from './gate.ts'
import {
  ask,
  callsOf,
  expectObeyed,
  headerOf,
  HOLDER,
  messages,
  MODEL,
  resultsOf,
  same,
  secretOf,
  startLimited,
  WAYS,
} from './limited.ts'
import type { Told, Tokens } from './sdks.ts'
import { ofAll, SDKS } from './sdks.ts'

const TEXT = SPOKEN.join('')

/** Requests of another key that upstream holds until they are released. */
async function hold(box: Box, count: number): Promise<void> {
  box.upstream.behave(...Array.from({ length: count }, () => ({ kind: 'never-headers' as const })))
  const calls = Array.from({ length: count }, async () => {
    const answer = await fetch(`${box.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${HOLDER}` },
      body: JSON.stringify({ model: MODEL, messages }),
    })
    await answer.text()
  })
  onTestFinished(async () => {
    box.upstream.release()
    await Promise.all(calls)
  })
  await expect.poll(() => callsOf(box)).toBe(count)
}

/** A fetch that keeps what came through it. */
function overhear(): { heard: Promise<string>[]; fetch: typeof fetch } {
  const heard: Promise<string>[] = []
  return {
    heard,
    async fetch(input, init) {
      const response = await fetch(input, init)
      heard.push(response.clone().text())
      return response
    },
  }
}

describe('a full queue', () => {
  test.each(WAYS)('is waited out by every SDK that wants its %s', async (way) => {
    const queue = { slotsPerModel: SDKS.length, maxWaiting: 0 }
    const box = await startLimited({}, { queue })
    await hold(box, SDKS.length)
    const asking = ofAll((sdk) => ask(sdk, box, { way }))
    await expect.poll(() => box.gate.output().match(/queue-full/g)).toHaveLength(SDKS.length)
    box.upstream.release()
    const asked = await asking
    expect(resultsOf(asked)).toEqual(same({ text: TEXT, statuses: [503, 200] }))
    expectObeyed(asked, { from: 4999, to: 5000 })
    expect(callsOf(box)).toBe(2 * SDKS.length)
  })

  test('says what it is', async () => {
    const box = await startLimited({}, { queue: { slotsPerModel: 1, maxWaiting: 0 } })
    await hold(box, 1)
    const told = await ofAll(async (sdk) => {
      const key = secretOf(sdk)
      const asked = sdk.answer({ url: box.url, key, maxRetries: 0 })
      const error: unknown = await asked.catch((reason: unknown) => reason)
      const { requestId: _, ...rest } = sdk.read(error)
      return rest
    })
    box.upstream.release()
    const message =
      'The queue in front of the models is full (queue.maxWaiting). Try again in a moment.'
    const openai = { status: 503, type: 'server_error', code: 'queue_full', message }
    expect(told).toEqual({
      openai: { ...openai, error: 'InternalServerError' },
      ai: { ...openai, error: 'APICallError' },
      '@anthropic-ai/sdk': {
        error: 'ServiceUnavailableError',
        status: 503,
        type: 'overloaded_error',
        code: null,
        message,
      },
    })
  })
})

describe('a key that may only use what is loaded', () => {
  const model = 'glm-4.7-flash'
  const message = expect.stringContaining('not loaded')

  test.each<[string, Omit<Told, 'requestId' | 'status' | 'message'>]>([
    ['openai', { error: 'InternalServerError', type: 'server_error', code: 'model_not_loaded' }],
    ['@anthropic-ai/sdk', { error: 'ServiceUnavailableError', type: 'api_error', code: null }],
  ])('is told by %s at once that a model is not', async (name, told) => {
    const box = await startLimited({ swap: 'use' })
    const sdk = SDKS.find((candidate) => candidate.name === name)!
    const { result, attempts } = await ask(sdk, box, { model })
    expect(result).toEqual({ thrown: { ...told, status: 503, message }, statuses: [503] })
    expect(headerOf(attempts[0], 'x-should-retry')).toBe('false')
    expect(callsOf(box)).toBe(0)
  })

  test('is told so by ai, which does not know x-should-retry, after half a minute each time', async () => {
    const box = await startLimited({ swap: 'use' })
    const sdk = SDKS.find(({ name }) => name === 'ai')!
    const { attempts, fetch } = recordAttempts()
    // Left to itself it would be back after two seconds.
    const signal = AbortSignal.timeout(3500)
    const asked = sdk.answer({ url: box.url, key: secretOf(sdk), model, fetch, signal })
    await expect(asked).rejects.toThrow('Delay was aborted')
    expect(statusesOf(attempts)).toEqual([503])
    expect(headerOf(attempts[0], 'retry-after')).toBe('30')
    expect(callsOf(box)).toBe(0)
  })

  test('is answered by the model that is', async () => {
    const box = await startLimited({ swap: 'use' })
    const asked = await ofAll((sdk) => ask(sdk, box))
    expect(resultsOf(asked)).toEqual(same({ text: TEXT, statuses: [200] }))
  })
})

describe('a stream that waits in the queue', () => {
  const EVERY_MS = 200

  test('is read by every SDK to its end, behind heartbeats', async () => {
    const box = await startLimited(
      {},
      { queue: { slotsPerModel: 1 }, heartbeat: { afterMs: EVERY_MS, everyMs: EVERY_MS } },
    )
    await hold(box, 1)
    const streaming = ofAll(
      async (sdk): Promise<{ text: string; tokens: Tokens; beats: number }> => {
        const { heard, fetch } = overhear()
        let text = ''
        const asked = { url: box.url, key: secretOf(sdk), fetch }
        const tokens = await sdk.stream(asked, (piece) => (text += piece))
        const stream = (await Promise.all(heard)).join('')
        const [waiting = ''] = stream.split(/data: ?\{"(?!type": "ping)/)
        const beats = waiting.match(/: keep-alive\n\n|event: ping\n/g)?.length ?? 0
        return { text, tokens, beats }
      },
    )
    // Long enough for several heartbeats, all of them before upstream knows of these streams.
    await sleep(6 * EVERY_MS)
    expect(callsOf(box)).toBe(1)
    box.upstream.release()
    const streams = await streaming
    const tokens = { prompt: 25, completion: SPOKEN.length }
    expect(streams).toEqual(same({ text: TEXT, tokens, beats: expect.any(Number) }))
    for (const { beats } of Object.values(streams)) expect(beats).toBeGreaterThanOrEqual(3)
    expect(callsOf(box)).toBe(1 + SDKS.length)
  })
})
