import type { HeaderPairs } from '../deps.ts'
import { returnedHeaders } from './rewrite.ts'

/** Fields of an event stream that keep proxies on the way from holding it back or changing it. */
export const STREAM_HEADERS: HeaderPairs = [
  ['cache-control', 'no-cache, no-transform'],
  ['x-accel-buffering', 'no'],
]

/** The head of an answer that begins before upstream has spoken. */
export const EARLY_HEADERS: HeaderPairs = [
  ['content-type', 'text/event-stream; charset=utf-8'],
  ...STREAM_HEADERS,
]

/**
 * The fields that the client gets of upstream's answer, none that holds a secret of the configuration; a stream has no
 * length, since frames may be added.
 */
export function answerHeaders(
  upstream: HeaderPairs,
  isStream: boolean,
  secrets: readonly string[] = [],
): HeaderPairs {
  const returned = returnedHeaders(upstream, secrets)
  if (!isStream) return returned
  const own = new Set(['content-length', ...STREAM_HEADERS.map(([name]) => name)])
  return [...returned.filter(([name]) => !own.has(name)), ...STREAM_HEADERS]
}

/** Whether an answer has no content whatever its fields say (RFC 9110 §6.4.1). */
export function hasNoBody(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304
}

/** The first value of a field. */
export function valueOf(headers: HeaderPairs, name: string): string | undefined {
  return headers.find(([known]) => known === name)?.[1]
}

/** Whether the body is an event stream that can be read frame by frame. */
export function isEventStream(headers: HeaderPairs): boolean {
  const encoded = valueOf(headers, 'content-encoding') !== undefined
  return !encoded && /^text\/event-stream\b/i.test(valueOf(headers, 'content-type') ?? '')
}

/** Whether only the text itself can show that the JSON of an answer is whole. */
export function isJsonOfUnknownLength(headers: HeaderPairs): boolean {
  if (valueOf(headers, 'content-length') !== undefined) return false
  if (valueOf(headers, 'content-encoding') !== undefined) return false
  return /^application\/json\b/i.test(valueOf(headers, 'content-type') ?? '')
}
