import { generateText } from 'ai'
import { describe, expect, test } from 'vitest'
import { SPOKEN } from '../support/look-alike/completion.ts'
import { waitsOf } from './attempts.ts'
import type { Box } from './gate.ts'
import {
  ask,
  callsOf,
  expectObeyed,
  headerOf,
  messages,
  MODEL,
  resultsOf,
  same,
  secretOf,
  startLimited,
  WAYS,
} from './limited.ts'
import type { Told } from './sdks.ts'
import { anthropicFor, ofAll, openaiFor, providerFor, SDKS } from './sdks.ts'

const TEXT = SPOKEN.join('')

/** A box whose keys have all used the few tokens that they had. */
async function startUsedUp(): Promise<Box> {
  const box = await startLimited({ limits: { tokensPerDay: 5 } })
  await ofAll((sdk) => ask(sdk, box))
  return box
}

/** The fields that tell of limits. */
const limitFields = (headers: Headers): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => name.includes('ratelimit')))

describe('a key that has reached its requests per minute', () => {
  // Three seconds: openai and Anthropic would choose half a second themselves, the AI SDK two.
  const limits = { requestsPerMinute: 20, burst: 1 }

  test.each(WAYS)('is refused, waits as long as it is told, and gets its %s', async (way) => {
    const box = await startLimited({ limits })
    expect(resultsOf(await ofAll((sdk) => ask(sdk, box)))).toEqual(
      same({ text: TEXT, statuses: [200] }),
    )
    const asked = await ofAll((sdk) => ask(sdk, box, { way }))
    expect(resultsOf(asked)).toEqual(same({ text: TEXT, statuses: [429, 200] }))
    expectObeyed(asked, { from: 2100, to: 3000 })
    expect(callsOf(box)).toBe(2 * SDKS.length)
  })
})

describe('a key that has used up its day', () => {
  const message =
    'This key has used what it may use in a day (limits.tokensPerDay). It may go on at midnight; the owner of the gate can raise the limit.'

  test.each<[string, Omit<Told, 'requestId' | 'error' | 'status' | 'message'>]>([
    ['openai', { type: 'insufficient_quota', code: 'insufficient_quota' }],
    ['@anthropic-ai/sdk', { type: 'rate_limit_error', code: null }],
  ])('is told so by %s at once', async (name, told) => {
    const box = await startUsedUp()
    const sdk = SDKS.find((candidate) => candidate.name === name)!
    const { result, attempts } = await ask(sdk, box)
    expect(result).toEqual({
      thrown: { error: 'RateLimitError', status: 429, message, ...told },
      statuses: [429],
    })
    expect(headerOf(attempts[0], 'x-should-retry')).toBe('false')
    expect(callsOf(box)).toBe(SDKS.length)
  })

  test('is told so by ai, which does not know x-should-retry, after two more attempts', async () => {
    const box = await startUsedUp()
    const sdk = SDKS.find(({ name }) => name === 'ai')!
    const { result, attempts } = await ask(sdk, box)
    expect(result).toEqual({
      thrown: {
        error: 'RetryError',
        status: 429,
        type: 'insufficient_quota',
        code: 'insufficient_quota',
        message,
      },
      statuses: [429, 429, 429],
    })
    // A wait of more than a minute it replaces by its own.
    expect(waitsOf(attempts).map((ms) => Math.round(ms / 1000))).toEqual([2, 4])
    expect(callsOf(box)).toBe(SDKS.length)
  })
})

describe('what is left of the limits', () => {
  const limits = { requestsPerMinute: 60, burst: 10, tokensPerDay: 100_000 }
  const DURATION = expect.stringMatching(/^\d+h\d+m[\d.]+s$/)
  const LEFT = expect.stringMatching(/^9[89]\d{3}$/)
  const openaiFields = {
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '9',
    'x-ratelimit-reset-requests': '1s',
    'x-ratelimit-limit-tokens': '100000',
    'x-ratelimit-remaining-tokens': LEFT,
    'x-ratelimit-reset-tokens': DURATION,
  }

  test('stands in the headers that openai gives', async () => {
    const { url } = await startLimited({ limits })
    const client = openaiFor({ url, key: secretOf({ name: 'openai' }) })
    const asked = { model: MODEL, messages, stream: true } as const
    const { data, response } = await client.chat.completions.create(asked).withResponse()
    for await (const _ of data);
    expect(limitFields(response.headers)).toEqual(openaiFields)
  })

  test('stands in the headers that ai gives', async () => {
    const { url } = await startLimited({ limits })
    const provider = providerFor({ url, key: secretOf({ name: 'ai' }) })
    const { response } = await generateText({ model: provider(MODEL), prompt: 'Say hello.' })
    expect(limitFields(new Headers(response.headers))).toEqual(openaiFields)
  })

  test("stands in the headers that Anthropic's package gives, in Anthropic's names", async () => {
    const { url } = await startLimited({ limits })
    const client = anthropicFor({ url, key: secretOf({ name: '@anthropic-ai/sdk' }) })
    const asked = { model: MODEL, messages, max_tokens: 100 }
    const { response } = await client.messages.create(asked).withResponse()
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(limitFields(response.headers)).toEqual({
      'anthropic-ratelimit-requests-limit': '60',
      'anthropic-ratelimit-requests-remaining': '9',
      'anthropic-ratelimit-requests-reset': time,
      'anthropic-ratelimit-tokens-limit': '100000',
      'anthropic-ratelimit-tokens-remaining': LEFT,
      'anthropic-ratelimit-tokens-reset': time,
    })
  })

  test('is less with each request', async () => {
    const { url } = await startLimited({ limits })
    const client = openaiFor({ url, key: secretOf({ name: 'openai' }) })
    const left: (string | null)[] = []
    for (let i = 0; i < 3; i++) {
      const asked = client.chat.completions.create({ model: MODEL, messages })
      left.push((await asked.asResponse()).headers.get('x-ratelimit-remaining-requests'))
    }
    expect(left).toEqual(['9', '8', '7'])
  })
})
