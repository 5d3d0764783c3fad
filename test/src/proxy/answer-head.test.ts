import { describe, expect, test } from 'vitest'
import type { HeaderPairs } from '../../../src/deps.ts'
import {
  answerHeaders,
  EARLY_HEADERS,
  isEventStream,
  isJsonOfUnknownLength,
  valueOf,
} from '../../../src/proxy/answer-head.ts'

const typed = (type: string, ...rest: HeaderPairs): HeaderPairs => [['content-type', type], ...rest]

describe('answerHeaders', () => {
  const upstream: HeaderPairs = [
    ['content-type', 'text/event-stream'],
    ['content-length', '12'],
    ['cache-control', 'max-age=60'],
    ['x-accel-buffering', 'yes'],
    ['connection', 'keep-alive'],
    ['x-model', 'glm'],
  ]

  test('of a stream have no length, and keep proxies from holding it back or changing it', () => {
    expect(answerHeaders(upstream, true)).toEqual([
      ['content-type', 'text/event-stream'],
      ['x-model', 'glm'],
      ['cache-control', 'no-cache, no-transform'],
      ['x-accel-buffering', 'no'],
    ])
  })

  test('of any other answer are those of upstream without its connection', () => {
    expect(answerHeaders(upstream, false)).toEqual([
      ['content-type', 'text/event-stream'],
      ['content-length', '12'],
      ['cache-control', 'max-age=60'],
      ['x-accel-buffering', 'yes'],
      ['x-model', 'glm'],
    ])
  })

  test('of an answer that begins before upstream has spoken are those of a stream', () => {
    expect(EARLY_HEADERS).toEqual([
      ['content-type', 'text/event-stream; charset=utf-8'],
      ['cache-control', 'no-cache, no-transform'],
      ['x-accel-buffering', 'no'],
    ])
  })
})

test('valueOf gives the first value of a field', () => {
  const headers: HeaderPairs = [
    ['a', '1'],
    ['b', '2'],
    ['b', '3'],
  ]
  expect([valueOf(headers, 'b'), valueOf(headers, 'c')]).toEqual(['2', undefined])
})

test.each([
  ['text/event-stream', typed('text/event-stream'), true],
  ['with a charset', typed('text/event-stream; charset=utf-8'), true],
  ['in other letters', typed('Text/Event-Stream;charset=UTF-8'), true],
  ['encoded', typed('text/event-stream', ['content-encoding', 'gzip']), false],
  ['a type that only begins like it', typed('text/event-streaming'), false],
  ['a type that only holds it', typed('application/x; a=text/event-stream'), false],
  ['JSON', typed('application/json'), false],
  ['none', [], false],
] as const)('isEventStream: %s', (_, headers, is) => {
  expect(isEventStream(headers)).toBe(is)
})

test.each([
  ['JSON without a length', typed('application/json'), true],
  ['with a charset', typed('Application/JSON; charset=utf-8'), true],
  ['with a length', typed('application/json', ['content-length', '2']), false],
  ['encoded', typed('application/json', ['content-encoding', 'br']), false],
  ['a stream', typed('text/event-stream'), false],
  ['audio', typed('audio/wav'), false],
  ['JSON lines', typed('application/jsonl'), false],
  ['none', [], false],
] as const)('isJsonOfUnknownLength: %s', (_, headers, is) => {
  expect(isJsonOfUnknownLength(headers)).toBe(is)
})
