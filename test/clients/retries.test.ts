import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Behaviour } from '../support/look-alike/behaviour.ts'
import { SPOKEN } from '../support/look-alike/completion.ts'
import {
  concurrencyLimit,
  empty502,
  llamaServerError,
  loadFailure,
} from '../support/look-alike/error-answers.ts'
import type { Attempt } from './attempts.ts'
import { recordAttempts, statusesOf, waitsOf } from './attempts.ts'
import type { Box } from './gate.ts'
import { behaveToAll, KEYS, startBox } from './gate.ts'
import type { Sdk } from './sdks.ts'
import { ofAll, SDKS } from './sdks.ts'

/** A wait that no SDK chooses of its own accord: openai and Anthropic take 0.5 and 1 s, the AI SDK 2 and 4 s. */
const BUSY_SECONDS = 3
/** How much later a request may come than was said, on a slow machine. */
const LATE_MS = 700

const busy: Behaviour = {
  ...concurrencyLimit(),
  headers: [
    ['content-type', 'application/json'],
    ['retry-after', String(BUSY_SECONDS)],
  ],
}
const loading = llamaServerError(503, 'Loading model', 'unavailable_error')

const same = <T>(value: T): Record<string, T> =>
  Object.fromEntries(SDKS.map(({ name }) => [name, value]))

type Result = { text?: string; thrown?: unknown; statuses: (number | undefined)[] }
type Asked = { result: Result; attempts: Attempt[] }

/** Asks as usual, retries and all: what came of it, and how it was tried. */
async function ask(sdk: Sdk, url: string, way: 'answer' | 'stream' = 'answer'): Promise<Asked> {
  const { attempts, fetch } = recordAttempts()
  const asked = { url, key: KEYS.user, fetch }
  let text = ''
  try {
    if (way === 'answer') ({ text } = await sdk.answer(asked))
    else await sdk.stream(asked, (piece) => (text += piece))
    return { result: { text, statuses: statusesOf(attempts) }, attempts }
  } catch (error) {
    const { requestId: _, ...thrown } = sdk.read(error)
    return { result: { thrown, statuses: statusesOf(attempts) }, attempts }
  }
}

const resultsOf = (asked: Record<string, Asked>): Record<string, Result> =>
  Object.fromEntries(Object.entries(asked).map(([name, { result }]) => [name, result]))

/** Every SDK waited that long before each of its retries. */
function expectWaits(asked: Record<string, Asked>, ms: number): void {
  const waits = Object.values(asked).flatMap(({ attempts }) => waitsOf(attempts))
  expect(waits).toHaveLength(2 * SDKS.length)
  expect(Math.min(...waits)).toBeGreaterThan(ms - 50)
  expect(Math.max(...waits)).toBeLessThan(ms + LATE_MS)
}

/** Three attempts that got the same answer, and what each SDK throws in the end. */
function failures(
  failure: { status: number; code: string; message: string },
  anthropic: { error: string; type: string },
): Record<string, Result> {
  const statuses = [failure.status, failure.status, failure.status]
  const openai = { ...failure, type: 'server_error' }
  return {
    openai: { thrown: { ...openai, error: 'InternalServerError' }, statuses },
    ai: { thrown: { ...openai, error: 'RetryError' }, statuses },
    '@anthropic-ai/sdk': { thrown: { ...failure, ...anthropic, code: null }, statuses },
  }
}

describe('every SDK', () => {
  let box: Box
  beforeAll(async () => {
    box = await startBox()
  })
  afterEach(() => box.upstream.reset())
  afterAll(() => box.stop())

  test('waits as long as a busy upstream says, and gets its answer', async () => {
    behaveToAll(box.upstream, busy, 2)
    const asked = await ofAll((sdk) => ask(sdk, box.url))
    expect(resultsOf(asked)).toEqual(same({ text: SPOKEN.join(''), statuses: [503, 503, 200] }))
    expectWaits(asked, 1000 * BUSY_SECONDS)
    const headers = asked['openai']?.attempts[0]?.answer?.headers
    expect([headers?.get('retry-after'), headers?.get('retry-after-ms')]).toEqual(['3', '3000'])
  })

  test('waits a second for a model that is loading, and streams the whole answer', async () => {
    behaveToAll(box.upstream, loading, 2)
    const asked = await ofAll((sdk) => ask(sdk, box.url, 'stream'))
    expect(resultsOf(asked)).toEqual(same({ text: SPOKEN.join(''), statuses: [503, 503, 200] }))
    expectWaits(asked, 1000)
  })

  test.each<[string, Behaviour]>([
    ['a connection that upstream had closed', { kind: 'reset-before-headers' }],
    ["llama-swap's empty 502", empty502()],
  ])('sees nothing of %s', async (_, behaviour) => {
    for (const sdk of SDKS) {
      box.upstream.behave(behaviour)
      const { result } = await ask(sdk, box.url)
      expect(result).toEqual({ text: SPOKEN.join(''), statuses: [200] })
    }
    expect(box.calls()).toHaveLength(2 * SDKS.length)
  })

  test('gives up after three attempts on an upstream that never answers', async () => {
    // Each attempt is sent once more by the gate.
    behaveToAll(box.upstream, empty502(), 6)
    const asked = await ofAll((sdk) => ask(sdk, box.url))
    const expected = failures(
      {
        status: 502,
        code: 'upstream_failed',
        message: 'The model server broke the connection before it answered.',
      },
      { error: 'InternalServerError', type: 'api_error' },
    )
    expect(resultsOf(asked)).toEqual(expected)
    expect(box.calls()).toHaveLength(6 * SDKS.length)
  })
})

describe('after a load that failed', () => {
  let box: Box
  beforeAll(async () => {
    box = await startBox()
  })
  afterEach(() => box.upstream.reset())
  afterAll(() => box.stop())

  test.each(SDKS.filter(({ name }) => name !== 'ai'))('$name does not ask again', async (sdk) => {
    box.upstream.behave(loadFailure(), loadFailure())
    const { result } = await ask(sdk, box.url)
    expect(result).toMatchObject({
      thrown: {
        status: 503,
        message:
          'The model could not be loaded. The owner of the gate can see why in the log of llama-swap.',
      },
      statuses: [503],
    })
    expect(box.calls()).toHaveLength(1)
  })

  test('ai, which does not know x-should-retry, waits for half a minute before it asks again', async () => {
    box.upstream.behave(loadFailure(), loadFailure())
    const { attempts, fetch } = recordAttempts()
    const ai = SDKS.find(({ name }) => name === 'ai')!
    // Left to itself it would be back after two seconds.
    const signal = AbortSignal.timeout(3500)
    const asked = ai.answer({ url: box.url, key: KEYS.user, fetch, signal })
    await expect(asked).rejects.toThrow('Delay was aborted')
    expect(statusesOf(attempts)).toEqual([503])
    expect(attempts[0]?.answer?.headers.get('retry-after')).toBe('30')
    expect(box.calls()).toHaveLength(1)
  })
})

describe('while upstream is down', () => {
  let box: Box
  beforeAll(async () => {
    box = await startBox()
    await box.upstream.stop()
  })
  afterAll(() => box.gate.stop())

  test('every SDK asks three times, five seconds apart, and says why', async () => {
    const asked = await ofAll((sdk) => ask(sdk, box.url))
    const expected = failures(
      {
        status: 503,
        code: 'upstream_unavailable',
        message:
          'The model server behind this gate is not reachable. It may be starting; the owner of the gate can see why in its log.',
      },
      { error: 'ServiceUnavailableError', type: 'overloaded_error' },
    )
    expect(resultsOf(asked)).toEqual(expected)
    expectWaits(asked, 5000)
  })
})
