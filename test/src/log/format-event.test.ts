import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isWritten,
  levelOf,
  toJsonLine,
  toPrettyLine,
  type Level,
} from '../../../src/log/format-event.ts'
import type { RequestEvent } from '../../../src/log/request-event.ts'

const EVENT: RequestEvent = {
  at: Date.UTC(2026, 5, 1, 12, 30, 5, 42),
  requestId: '9b2f0c1e-7c53-4b7e-8a43-3a2c6a3f6f10',
  edgeRequestId: undefined,
  method: 'POST',
  path: '/v1/chat/completions',
  keyId: 'laptop',
  model: 'gpt-oss-120b',
  status: 200,
  outcome: 'completed',
  reason: undefined,
  queueMs: 250,
  promptTokens: 1200,
  cachedTokens: 1000,
  completionTokens: 34,
  ttftMs: 812,
  durationMs: 4210,
  bytesIn: 512,
  bytesOut: 20_480,
  clientAddress: '192.0.2.7',
}

describe('levels', () => {
  test.each<[Partial<RequestEvent>, Level]>([
    [{ outcome: 'completed' }, 'info'],
    [{ outcome: 'client-closed' }, 'info'],
    [{ outcome: 'refused' }, 'warn'],
    [{ outcome: 'upstream-failed' }, 'error'],
    [{ outcome: 'completed', path: '/health' }, 'debug'],
    [{ outcome: 'completed', path: '/' }, 'debug'],
    [{ outcome: 'completed', path: '/api/hello' }, 'debug'],
    [{ outcome: 'refused', path: '/health' }, 'warn'],
    [{ outcome: 'completed', path: '/healthy' }, 'info'],
  ])('%j is %s', (event, level) => {
    expect(levelOf({ ...EVENT, ...event })).toBe(level)
  })

  test('an event is written from its own level on', () => {
    const levels = ['debug', 'info', 'warn', 'error'] as const
    const written = [...levels, 'silent' as const].map((least) =>
      levels.filter((level) => isWritten(level, least)),
    )
    expect(written).toEqual([
      ['debug', 'info', 'warn', 'error'],
      ['info', 'warn', 'error'],
      ['warn', 'error'],
      ['error'],
      [],
    ])
  })
})

describe('a JSON line', () => {
  test('holds the time, the level and every field', () => {
    expect(JSON.parse(toJsonLine(EVENT))).toEqual({
      time: '2026-06-01T12:30:05.042Z',
      level: 'info',
      requestId: '9b2f0c1e-7c53-4b7e-8a43-3a2c6a3f6f10',
      method: 'POST',
      path: '/v1/chat/completions',
      keyId: 'laptop',
      model: 'gpt-oss-120b',
      status: 200,
      outcome: 'completed',
      queueMs: 250,
      promptTokens: 1200,
      cachedTokens: 1000,
      completionTokens: 34,
      ttftMs: 812,
      durationMs: 4210,
      bytesIn: 512,
      bytesOut: 20_480,
      clientAddress: '192.0.2.7',
    })
  })

  test('names the reason of a refusal', () => {
    const event: RequestEvent = { ...EVENT, outcome: 'refused', reason: 'key-expired' }
    expect(JSON.parse(toJsonLine(event))).toMatchObject({ level: 'warn', reason: 'key-expired' })
  })
})

describe('a pretty line', () => {
  test('begins with the time of day and holds what people look for', () => {
    expect(toPrettyLine(EVENT)).toBe(
      '12:30:05.042 200 POST /v1/chat/completions completed key=laptop model=gpt-oss-120b queued=250ms tokens=1200+34 cached=1000 ttft=812ms took=4210ms in=512 out=20480 id=9b2f0c1e-7c53-4b7e-8a43-3a2c6a3f6f10',
    )
  })

  test('leaves out what is not known', () => {
    const refused: RequestEvent = {
      ...EVENT,
      status: 401,
      outcome: 'refused',
      reason: 'credential-missing',
      keyId: undefined,
      model: undefined,
      queueMs: undefined,
      promptTokens: undefined,
      cachedTokens: undefined,
      completionTokens: undefined,
      ttftMs: undefined,
    }
    expect(toPrettyLine(refused)).toBe(
      '12:30:05.042 401 POST /v1/chat/completions refused key=- reason=credential-missing took=4210ms in=512 out=20480 id=9b2f0c1e-7c53-4b7e-8a43-3a2c6a3f6f10',
    )
  })

  test.each([
    [0, ''],
    [99, ''],
    [100, 'queued=100ms '],
  ])('tells of %d ms in the queue only what is more than the way through', (queueMs, shown) => {
    expect(toPrettyLine({ ...EVENT, queueMs })).toContain(
      ` model=gpt-oss-120b ${shown}tokens=1200+34 `,
    )
  })

  test('shows a prompt without an answer', () => {
    expect(toPrettyLine({ ...EVENT, completionTokens: 0 })).toContain(' tokens=1200+0 cached=1000 ')
  })

  test.each([
    ['a blank', 'a key=admin', 'model="a key=admin"'],
    ['a line break', 'a\nb', String.raw`model="a\nb"`],
    ['a carriage return', 'a\rb', String.raw`model="a\rb"`],
    ['an escape code', 'a\u001b[2Jb', String.raw`model="a\u001b[2Jb"`],
    ['an escape code of eight bits', 'a\u009b2Jb', String.raw`model="a\u009b2Jb"`],
    ['a delete', 'a\u007fb', String.raw`model="a\u007fb"`],
    ['a line separator', 'a\u2028b', String.raw`model="a\u2028b"`],
    ['a reversal of the writing direction', 'a\u202eb', String.raw`model="a\u202eb"`],
    ['an invisible character', 'a\u200bb', String.raw`model="a\u200bb"`],
    ['an invisible character beyond 16 bits', 'a\u{e0041}b', String.raw`model="a\udb40\udc41b"`],
    ['half a character', 'a\ud83d', String.raw`model="a\ud83d"`],
    ['letters beyond ASCII', 'modèle', 'model="modèle"'],
    ['a quote', 'a"b', String.raw`model="a\"b"`],
    ['a backslash', 'a\\', String.raw`model="a\\"`],
    ['nothing at all', '', 'model='],
  ])('quotes a model with %s', (_what, model, shown) => {
    expect(toPrettyLine({ ...EVENT, model })).toContain(` ${shown} queued=`)
  })
})

describe('whatever a client sends', () => {
  const text = fc.oneof(
    fc.constantFrom('\n', '\r\n', '\u001b[31m', '\u009b', '\u0085', '\u2028', '" ', ' key=admin'),
    fc.string({ unit: 'binary' }),
  )
  const event = fc
    .record({ method: text, path: text, model: text, clientAddress: fc.option(text) })
    .map((sent): RequestEvent => ({ ...EVENT, ...sent, clientAddress: sent.clientAddress ?? '' }))

  /** Everything that ends a line or steers a terminal. */
  const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

  test('stays within one pretty line and steers no terminal', () => {
    fc.assert(
      fc.property(event, (sent) => {
        expect(toPrettyLine(sent)).not.toMatch(UNSAFE)
      }),
      { numRuns: 1000 },
    )
  })

  test('cannot pose as another field: outside of quotes there are only our own names', () => {
    fc.assert(
      fc.property(event, (sent) => {
        const unquoted = toPrettyLine(sent).replace(/"(?:[^"\\]|\\.)*"(?= |$)/g, '""')
        const names = unquoted
          .split(' ')
          .slice(5)
          .map((field) => field.split('=')[0])
        expect(names).toEqual([
          'key',
          'model',
          'queued',
          'tokens',
          'cached',
          'ttft',
          'took',
          'in',
          'out',
          'id',
        ])
      }),
      { numRuns: 1000 },
    )
  })

  test('stays within one JSON line, which reads back as it was', () => {
    fc.assert(
      fc.property(event, (sent) => {
        const line = toJsonLine(sent)
        expect(line).not.toMatch(UNSAFE)
        expect(JSON.parse(line)).toMatchObject({
          method: sent.method,
          path: sent.path,
          model: sent.model,
          clientAddress: sent.clientAddress,
          keyId: 'laptop',
        })
      }),
      { numRuns: 1000 },
    )
  })
})
