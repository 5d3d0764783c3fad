import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent } from 'undici'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { harness } from '../../adapters/node/harness.ts'
import type { Behaviour } from '../support/look-alike/behaviour.ts'
import { SPOKEN } from '../support/look-alike/completion.ts'
import { llamaServerError, loadFailure, overflow } from '../support/look-alike/error-answers.ts'
import { recordAttempts, statusesOf } from './attempts.ts'
import type { Box } from './gate.ts'
import { behaveToAll, KEYS, startBox } from './gate.ts'
import type { Sdk } from './sdks.ts'
import { ofAll, SDKS } from './sdks.ts'

/** Node's fetch gives up after five minutes of silence; here it gives up after a second. */
const PATIENCE_MS = 1000
const SILENCE_MS = 2500
const HEARTBEAT = { afterMs: 250, everyMs: 250 }

const agent = new Agent({ headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS })
const impatientFetch: typeof fetch = (input, init) =>
  fetch(input, Object.assign({}, init, { dispatcher: agent }))

/** Streams with little patience: the text, and what was thrown behind it. */
async function streamed(
  sdk: Sdk,
  url: string,
  options: { maxRetries: number; fetch: typeof fetch },
): Promise<{ heard: string; thrown?: string }> {
  let heard = ''
  try {
    await sdk.stream({ url, key: KEYS.user, ...options }, (text) => (heard += text))
    return { heard }
  } catch (error) {
    return { heard, thrown: String(error) }
  }
}

const impatiently = (box: Box): Promise<Record<string, { heard: string; thrown?: string }>> =>
  ofAll((sdk) => streamed(sdk, box.url, { maxRetries: 0, fetch: impatientFetch }))

/** Lets upstream be silent behind the first frames of every answer for a while. */
async function pauseMidStream(box: Box): Promise<void> {
  const begun = (): boolean =>
    box.calls().filter(({ sentBytes }) => sentBytes > 0).length === SDKS.length
  while (!begun()) await sleep(10)
  await sleep(SILENCE_MS)
  box.upstream.release()
}

const WHOLE = Object.fromEntries(SDKS.map(({ name }) => [name, { heard: SPOKEN.join('') }]))

describe('a client that gives up after a second of silence', () => {
  let box: Box
  let quietBox: Box
  beforeAll(async () => {
    box = await startBox({ heartbeat: HEARTBEAT })
    quietBox = await startBox({ heartbeat: { afterMs: 0 } })
  })
  afterEach(() => {
    box.upstream.reset()
    quietBox.upstream.reset()
  })
  afterAll(async () => {
    await box.stop()
    await quietBox.stop()
    await agent.close()
  })

  test('waits for a slow model, thanks to heartbeats', async () => {
    behaveToAll(box.upstream, { kind: 'slow-headers', ms: SILENCE_MS })
    expect(await impatiently(box)).toEqual(WHOLE)
  })

  test('waits through a silence in the middle of an answer, thanks to heartbeats', async () => {
    behaveToAll(box.upstream, { kind: 'silence', frames: 4 })
    const [answers] = await Promise.all([impatiently(box), pauseMidStream(box)])
    expect(answers).toEqual(WHOLE)
  })

  test('does not wait for a slow model without them', async () => {
    behaveToAll(quietBox.upstream, { kind: 'slow-headers', ms: SILENCE_MS })
    expect(await impatiently(quietBox)).toEqual({
      openai: { heard: '', thrown: expect.stringMatching(/^Error: Request timed out\./) },
      ai: { heard: '', thrown: 'AI_APICallError: Cannot connect to API: Headers Timeout Error' },
      '@anthropic-ai/sdk': { heard: '', thrown: 'APIConnectionTimeoutError: Request timed out.' },
    })
    await expect
      .poll(() => quietBox.calls().map(({ state }) => state))
      .toEqual(['aborted', 'aborted', 'aborted'])
  })

  test('does not wait through a silence without them', async () => {
    behaveToAll(quietBox.upstream, { kind: 'silence', frames: 4 })
    const [answers] = await Promise.all([impatiently(quietBox), pauseMidStream(quietBox)])
    expect(answers).toEqual({
      openai: { heard: 'Hello, wörld', thrown: 'TypeError: terminated' },
      ai: {
        heard: 'Hello, wörld',
        thrown: 'AI_APICallError: Failed to process successful response',
      },
      '@anthropic-ai/sdk': { heard: 'Hello, ', thrown: 'TypeError: terminated' },
    })
  })
})

/** A gate whose upstream is silent for some heartbeats and then answers with an error. */
async function gateWithLateError(error: Extract<Behaviour, { kind: 'answer' }>): Promise<string> {
  const server = createServer((request, response) => {
    request.resume()
    setTimeout(() => {
      response.writeHead(error.status, (error.headers ?? []).flat())
      response.end(error.body)
    }, 3 * HEARTBEAT.afterMs)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port')
  const gate = await harness.start({
    upstream: { url: `http://127.0.0.1:${address.port}` },
    keys: [{ id: 'user', secret: KEYS.user }],
    heartbeat: HEARTBEAT,
  })
  onTestFinished(async () => {
    await gate.stop()
    server.close()
    server.closeAllConnections()
  })
  return gate.url
}

type Outcome = { heard: string; thrown?: string; statuses: (number | undefined)[] }

/** What every SDK makes of an error behind heartbeats, with its usual retries. */
async function outcomesOf(
  error: Extract<Behaviour, { kind: 'answer' }>,
): Promise<Record<string, Outcome>> {
  const url = await gateWithLateError(error)
  return ofAll(async (sdk) => {
    const { attempts, fetch } = recordAttempts()
    const result = await streamed(sdk, url, { maxRetries: 2, fetch })
    return { ...result, statuses: statusesOf(attempts) }
  })
}

describe('a stream that began with heartbeats', () => {
  test.each<[string, Extract<Behaviour, { kind: 'answer' }>]>([
    ['the prompt is too long', overflow(70_123, 65_536)],
    ['the model is still loading', llamaServerError(503, 'Loading model', 'unavailable_error')],
  ])('breaks when it turns out that %s, so that a retry learns it', async (_, error) => {
    const outcome = { heard: '', statuses: [200] }
    const text = 'The model server ended the stream before the answer was complete.'
    expect(await outcomesOf(error)).toEqual({
      openai: { ...outcome, thrown: `Error: ${text}` },
      ai: { ...outcome, thrown: `AI_StreamProviderError: ${text}` },
      '@anthropic-ai/sdk': { ...outcome, thrown: expect.stringContaining(text) },
    })
  })

  test('tells it when the model could not be loaded, which no retry should try again', async () => {
    const outcome = { heard: '', statuses: [200] }
    const text =
      'The model could not be loaded. The owner of the gate can see why in the log of llama-swap.'
    expect(await outcomesOf(loadFailure())).toEqual({
      openai: { ...outcome, thrown: `Error: ${text}` },
      ai: { ...outcome, thrown: `AI_StreamProviderError: ${text}` },
      '@anthropic-ai/sdk': { ...outcome, thrown: expect.stringContaining(text) },
    })
  })
})
