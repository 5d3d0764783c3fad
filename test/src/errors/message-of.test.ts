import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isRetryable,
  statusOf,
  type GateError,
  type TokenNeed,
} from '../../../src/errors/gate-error.ts'
import { messageOf, withoutStatusDigits } from '../../../src/errors/message-of.ts'
import { EVERY_ERROR, finalErrorsSaying } from './every-error.ts'
import { OPENCODE_RETRIES, RETRY_TRIGGERS, retryTriggersIn } from './opencode-retry.ts'

/** Overflow is not looked at for retries: OpenCode recognises it first, by the words that it must hold. */
const finals = EVERY_ERROR.filter(
  (error) => statusOf(error) < 500 && !isRetryable(error) && error.kind !== 'prompt-too-long',
)

describe('withoutStatusDigits', () => {
  test.each([
    ['qwen-500b', 'qwen-#b'],
    ['line 1429, column 52', 'line #, column 52'],
    ['5020 and 15024', '# and #'],
    ['port 8080, 50 tokens', 'port 8080, 50 tokens'],
    ['429500', '#'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(withoutStatusDigits(text)).toBe(expected)
  })

  test('takes no longer for a run of digits than for other text', () => {
    // By the square of its length it would take minutes.
    const digits = '1'.repeat(400_000)
    expect(withoutStatusDigits(`${digits} 500 ${digits}429`)).toBe(`${digits} # #`)
  })

  test('leaves nothing on which OpenCode retries', () => {
    const digits = fc.stringMatching(/^(?:[0-9]|429|50[0234]|524|x)$/)
    const text = fc.array(digits, { maxLength: 12 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, (written) => {
        expect(withoutStatusDigits(written)).not.toMatch(/429|500|502|503|504|524/)
      }),
      { numRuns: 1000 },
    )
  })

  test('changes nothing else', () => {
    const harmless = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/[45]/g, '6'))
    fc.assert(
      fc.property(harmless, (text) => {
        expect(withoutStatusDigits(text)).toBe(text)
      }),
    )
  })
})

test('each trigger of OpenCode has a text in the list that these tests use', () => {
  const found = RETRY_TRIGGERS.map((trigger) => retryTriggersIn(`a ${trigger} b`).length > 0)
  expect(found).toEqual(RETRY_TRIGGERS.map(() => true))
  expect(
    OPENCODE_RETRIES.map((pattern) => RETRY_TRIGGERS.some((text) => pattern.test(text))),
  ).toEqual(OPENCODE_RETRIES.map(() => true))
})

describe('a final refusal', () => {
  test.each(finals)('$kind says nothing on which OpenCode retries', (error) => {
    expect(retryTriggersIn(messageOf(error))).toEqual([])
  })

  test.each(finals)('$kind says nothing that OpenCode takes for an overflow', (error) => {
    expect(messageOf(error)).not.toMatch(
      /too long|too large for|exceeds the|too many tokens|token limit|context.length|context window/i,
    )
  })

  test.each([...RETRY_TRIGGERS, 'timeout'])('that has to quote %j leaves it out', (trigger) => {
    const messages = finalErrorsSaying(trigger).map(messageOf)
    expect(messages.flatMap(retryTriggersIn)).toEqual([])
  })

  test('quotes nothing on which OpenCode retries, however it is put together', () => {
    const part = fc.oneof(
      fc.constantFrom(...RETRY_TRIGGERS),
      fc.constantFrom('5', '0', '2', '4', '9', ' ', 'rate ', 'server', '\n', '_', 'timed out'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const messages = finalErrorsSaying(parts.join('')).map(messageOf)
        expect(messages.flatMap(retryTriggersIn)).toEqual([])
      }),
      { numRuns: 200 },
    )
  })

  test('keeps what upstream says when nothing in it is dangerous', () => {
    const message = "Field 'n': Value must be between 1 <= value <= 1\nsee line 12"
    expect(messageOf({ kind: 'upstream-refused', status: 400, message })).toBe(message)
  })
})

describe('an unknown model', () => {
  test('is named with what may have been meant and where the list is', () => {
    expect([
      messageOf({ kind: 'model-unknown', model: 'gtp-oss', suggestion: 'gpt-oss' }),
      messageOf({ kind: 'model-unknown', model: 'gtp-oss' }),
    ]).toEqual([
      'Unknown model "gtp-oss". Did you mean "gpt-oss"? GET /v1/models lists what this key may use.',
      'Unknown model "gtp-oss". GET /v1/models lists what this key may use.',
    ])
  })

  test('is cut short when its name is long', () => {
    const message = messageOf({ kind: 'model-unknown', model: 'm'.repeat(100_000) })
    expect(message).toBe(
      `Unknown model "${'m'.repeat(80)}…". GET /v1/models lists what this key may use.`,
    )
  })
})

const TOKENS: TokenNeed = { needed: 1, left: 0 }

describe('a limit that is reached', () => {
  test('is told with its name in the configuration and the wait', () => {
    expect(
      EVERY_ERROR.flatMap((error) => (error.kind === 'limit-reached' ? [messageOf(error)] : [])),
    ).toEqual([
      'Rate limit: requests of this key come faster than limits.requestsPerMinute and limits.burst allow. The next one may come in 1.5 s.',
      "Rate limit: this request needs about 1700 tokens, and this key has not so many left of this minute's (limits.tokensPerMinute). There are enough in 50.2 s.",
      'This request needs about 1.7k tokens, and of those that this key may use in a day (limits.tokensPerDay) 300 are left. The count begins anew at midnight; a smaller request may pass before.',
      'Rate limit: as many requests of this key are running and waiting as may run and wait at the same time (limits.concurrent, limits.waiting).',
    ])
  })

  test('makes OpenCode wait by its words where waiting helps', () => {
    const waits: GateError[] = [
      { kind: 'limit-reached', limit: 'requests-per-minute', retryAfterMs: 1, tokens: TOKENS },
      { kind: 'limit-reached', limit: 'tokens-per-minute', retryAfterMs: 1, tokens: TOKENS },
      { kind: 'limit-reached', limit: 'concurrent', retryAfterMs: 1, tokens: TOKENS },
      { kind: 'key-queue-full' },
    ]
    expect(waits.map((error) => /rate limit/i.test(messageOf(error)))).toEqual([
      true,
      true,
      true,
      true,
    ])
  })

  test.each([
    [1, '0.1 s'],
    [100, '0.1 s'],
    [101, '0.2 s'],
    [59_999, '60 s'],
    [50_000, '50 s'],
    [500_000, '# s'],
    [50_300_000, '# s'],
  ])('a wait of %d ms is shown as %s', (retryAfterMs, shown) => {
    const message = messageOf({
      kind: 'limit-reached',
      limit: 'requests-per-minute',
      retryAfterMs,
      tokens: TOKENS,
    })
    expect(message.split(' may come in ')[1]).toBe(`${shown}.`)
  })

  test.each<[TokenNeed, string]>([
    [{ needed: 1700, left: 300 }, 'needs about 1.7k tokens, and 300 are left'],
    [{ needed: 15_000, left: 4290 }, 'needs about 15k tokens, and 4.3k are left'],
  ])('of a day with %j says what it %s, never as a status', (tokens, shown) => {
    const message = messageOf({
      kind: 'limit-reached',
      limit: 'tokens-per-day',
      retryAfterMs: 1,
      tokens,
    })
    const parts = /(needs about \S+ tokens, and ).*\(limits.tokensPerDay\) (\S+ are left)/.exec(
      message,
    )
    expect(parts?.slice(1).join('')).toBe(shown)
  })

  test.each([0, undefined])(
    'of a day of which nothing is left (%s) promises nothing before midnight',
    (left) => {
      const tokens = { needed: 1700, left }
      expect(
        messageOf({ kind: 'limit-reached', limit: 'tokens-per-day', retryAfterMs: 1, tokens }),
      ).toBe(
        'This key has used what it may use in a day (limits.tokensPerDay). It may go on at midnight; the owner of the gate can raise the limit.',
      )
    },
  )
})

const saying = (model: string): string => messageOf({ kind: 'model-not-loaded', model })

test('a model that is not loaded is named, shortened and without what OpenCode retries', () => {
  const rest =
    'is not loaded, and this key may not have it loaded now (its "swap" in config.json). It can be used when somebody else has it loaded.'
  expect(['glm-4.7-flash', 'qwen-500b', 'm'.repeat(100)].map(saying)).toEqual([
    `The model "glm-4.7-flash" ${rest}`,
    `The model "qwen-#b" ${rest}`,
    `The model "${'m'.repeat(80)}…" ${rest}`,
  ])
})

test('the methods and scopes that are needed are named', () => {
  expect([
    messageOf({ kind: 'method-not-allowed', allow: ['GET', 'HEAD'] }),
    messageOf({ kind: 'scope-missing', needed: ['status', 'admin'] }),
  ]).toEqual([
    'This path answers GET, HEAD only.',
    'This API key lacks the scope "status" or "admin" that this path needs. The owner of the gate can add it to the key in config.json.',
  ])
})

test('a failure of upstream that may be retried keeps its words', () => {
  const message = 'Context size has been exceeded. (500)'
  expect(messageOf({ kind: 'upstream-refused', status: 500, message })).toBe(message)
})

test('every message is a sentence for people', () => {
  const gateOwn = EVERY_ERROR.filter(
    ({ kind }) => kind !== 'upstream-refused' && kind !== 'prompt-too-long',
  )
  const messages = gateOwn.map(messageOf)
  expect(messages.filter((message) => !/^(?:[A-Z]|"model").*[.?]$/.test(message))).toEqual([])
})

test('no two kinds of refusal say the same, except where telling them apart would be an oracle', () => {
  const byMessage = Map.groupBy(EVERY_ERROR, messageOf)
  const shared = [...byMessage.values()].filter((errors) => errors.length > 1)
  expect(shared).toEqual([])
})
