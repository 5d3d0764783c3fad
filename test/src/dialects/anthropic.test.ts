import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anthropic, repairErrorFrames } from '../../../src/dialects/anthropic.ts'
import { statusOf, type GateError } from '../../../src/errors/gate-error.ts'
import { messageOf } from '../../../src/errors/message-of.ts'
import { EVERY_ERROR, finalErrorsSaying } from '../errors/every-error.ts'
import { RETRY_TRIGGERS, retryTriggersIn } from '../errors/opencode-retry.ts'

test("every refusal is Anthropic's envelope around its message", () => {
  expect(EVERY_ERROR.map((error) => JSON.parse(anthropic.errorBody(error)))).toEqual(
    EVERY_ERROR.map((error) => ({
      type: 'error',
      error: { type: expect.any(String), message: messageOf(error) },
    })),
  )
})

test('the type follows the status', () => {
  const calledByStatus = EVERY_ERROR.filter(
    ({ kind }) => !/^model-(?:load-failed|not-loaded)$/.test(kind),
  )
  const types = calledByStatus.map((error) => [
    statusOf(error),
    JSON.parse(anthropic.errorBody(error)).error.type,
  ])
  expect(Object.fromEntries(types)).toEqual({
    400: 'invalid_request_error',
    401: 'authentication_error',
    403: 'permission_error',
    404: 'not_found_error',
    405: 'invalid_request_error',
    408: 'invalid_request_error',
    413: 'request_too_large',
    415: 'invalid_request_error',
    426: 'invalid_request_error',
    429: 'rate_limit_error',
    500: 'api_error',
    501: 'api_error',
    502: 'api_error',
    503: 'overloaded_error',
    504: 'api_error',
    508: 'api_error',
  })
})

test.each<GateError>([{ kind: 'model-load-failed' }, { kind: 'model-not-loaded', model: 'a' }])(
  '$kind is not called overloaded, which would invite a retry',
  (error) => {
    expect(JSON.parse(anthropic.errorBody(error))).toMatchObject({ error: { type: 'api_error' } })
  },
)

test('a prompt that is too long says so in the only words that Claude Code knows', () => {
  const message = 'prompt is too long: 4923 tokens > 256 maximum'
  expect(JSON.parse(anthropic.errorBody({ kind: 'prompt-too-long', message }))).toEqual({
    type: 'error',
    error: { type: 'invalid_request_error', message },
  })
})

describe('a final refusal', () => {
  // Anthropic has no other type for a 429, and its clients go by the header.
  const others = new Set(['prompt-too-long', 'limit-reached', 'key-queue-full'])
  const finals = EVERY_ERROR.filter((error) => statusOf(error) < 500 && !others.has(error.kind))

  test.each(finals)('$kind holds nothing on which OpenCode retries', (error) => {
    expect(retryTriggersIn(anthropic.errorBody(error))).toEqual([])
  })

  test('holds nothing of the kind, whatever a client or upstream wrote', () => {
    const part = fc.oneof(
      fc.constantFrom(...RETRY_TRIGGERS),
      fc.constantFrom('5', '0', '2', '4', '\u0005', '\ud850', '"', '\\', '\n'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const bodies = finalErrorsSaying(parts.join('')).map((error) => anthropic.errorBody(error))
        expect(bodies.flatMap(retryTriggersIn)).toEqual([])
      }),
      { numRuns: 200 },
    )
  })
})

describe('in a stream', () => {
  test('an error is an error event that holds the same body on one line', () => {
    expect(EVERY_ERROR.map((error) => anthropic.errorFrame(error))).toEqual(
      EVERY_ERROR.map((error) => `event: error\ndata: ${anthropic.errorBody(error)}\n\n`),
    )
  })

  test('the heartbeat is a ping event', () => {
    expect(anthropic.heartbeat).toBe('event: ping\ndata: {"type": "ping"}\n\n')
  })
})

describe("llama-server's bare error frame", () => {
  const error: GateError = {
    kind: 'upstream-refused',
    status: 500,
    message: 'Context size has been exceeded.',
  }
  const bare = '{"code":500,"message":"Context size has been exceeded.","type":"server_error"}'
  const mended =
    'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"Context size has been exceeded."}}\n\n'

  test("becomes Anthropic's frame", () => {
    expect(repairErrorFrames(`event: error\ndata: ${bare}\n\n`)).toBe(mended)
    expect(mended).toBe(anthropic.errorFrame(error))
  })

  test.each([
    ['no blank behind the colons', `event:error\ndata:${bare}\n\n`, mended],
    ['CRLF', `event: error\r\ndata: ${bare}\r\n\r\n`, mended.replace(/\n\n$/, '\r\n\r\n')],
  ])('is recognised with %s', (_how, frames, expected) => {
    expect(repairErrorFrames(frames)).toBe(expected)
  })

  test('is mended between other frames, which stay as they are', () => {
    const before = 'event: ping\ndata: {"type": "ping"}\n\n'
    const after = 'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    const frames = `${before}event: error\ndata: ${bare}\n\n${after}`
    expect(repairErrorFrames(frames)).toBe(before + mended + after)
  })

  test('keeps a message with characters that only JavaScript takes for line ends', () => {
    const odd = JSON.stringify({ code: 500, message: 'a\u2028b\u2029c', type: 'server_error' })
    expect(repairErrorFrames(`event: error\ndata: ${odd}\n\n`)).toBe(
      anthropic.errorFrame({ ...error, message: 'a\u2028b\u2029c' }),
    )
  })

  test.each([
    ["already is Anthropic's", mended],
    ['has both forms', 'event: error\ndata: {"error":{"message":"a"},"message":"b"}\n\n'],
    ['has no message', 'event: error\ndata: {"code":500}\n\n'],
    ['has a message that is no text', 'event: error\ndata: {"message":{}}\n\n'],
    ['is not JSON', 'event: error\ndata: oops\n\n'],
    ['is null', 'event: error\ndata: null\n\n'],
    ['is another event', `event: errors\ndata: ${bare}\n\n`],
    ['has no event name', `data: ${bare}\n\n`],
    ['is cut off', `event: error\n`],
  ])('is left alone when it %s', (_how, frames) => {
    expect(repairErrorFrames(frames)).toBe(frames)
  })

  test('is never seen in what a model writes', () => {
    const written = fc.oneof(
      fc.constantFrom(bare, `event: error\ndata: ${bare}\n\n`, `\u2028event: error`),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(fc.array(written), (texts) => {
        const frames = texts.map(
          (text) => `event: content_block_delta\ndata: ${JSON.stringify({ delta: { text } })}\n\n`,
        )
        expect(repairErrorFrames(frames.join(''))).toBe(frames.join(''))
      }),
    )
  })

  test('that was mended stays as it is when it is mended again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (message) => {
        const once = repairErrorFrames(`event: error\ndata: ${JSON.stringify({ message })}\n\n`)
        expect(once).toBe(anthropic.errorFrame({ ...error, message }))
        expect(repairErrorFrames(once)).toBe(once)
      }),
    )
  })
})
