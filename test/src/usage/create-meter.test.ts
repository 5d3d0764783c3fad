import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameBuffer } from '../../../src/proxy/frame-buffer.ts'
import type { MeterOptions } from '../../../src/usage/meter.ts'
import { splitAtEvery, STREAM_SAMPLES } from '../../support/sse-samples.ts'
import { framesOf, meterFor, RECORDINGS, STREAMS, textOf, through } from './recordings.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes as they come from upstream: cut into whole frames, metered, and what of them goes on. */
function pass(pieces: Iterable<Uint8Array>, options: Partial<MeterOptions>): object {
  const meter = meterFor(options)
  const buffer = new FrameBuffer()
  let out = ''
  for (const piece of pieces) {
    const whole = buffer.push(piece)
    if (whole) out += decoder.decode(meter.frames(whole))
  }
  return { out, counts: meter.counts(), isLlamaCpp: meter.isLlamaCpp() }
}

describe.each(RECORDINGS)('the recorded answer "$name"', (recorded) => {
  const { name, counts, metrics, isLlamaCpp } = recorded

  test('is counted as llama-server itself counted it', () => {
    const meter = meterFor(recorded)
    const bytes = encoder.encode(textOf(name))
    if (recorded.streamed) meter.frames(bytes)
    else meter.piece(bytes)
    expect({ counts: meter.counts(), isLlamaCpp: meter.isLlamaCpp() }).toEqual({
      counts,
      isLlamaCpp,
    })
    expect([counts.prompt - counts.cached, counts.completion]).toEqual(metrics)
  })
})

describe.each(STREAMS)('the recorded stream "$name"', (recorded) => {
  const { name, counts, isLlamaCpp } = recorded
  const text = textOf(name)
  const bytes = encoder.encode(text)

  test('passes itself, not as a copy, where nothing is taken out', () => {
    expect(meterFor(recorded).frames(bytes)).toBe(bytes)
  })

  test('cut in two at every byte passes unchanged and is counted the same', () => {
    for (const pieces of splitAtEvery(bytes))
      expect(pass(pieces, recorded)).toEqual({ out: text, counts, isLlamaCpp })
  })

  test('with CRLF is counted the same', () => {
    const crlf = text.replaceAll('\n', '\r\n')
    expect(pass([encoder.encode(crlf)], recorded)).toEqual({ out: crlf, counts, isLlamaCpp })
  })

  test('with pings between all frames is counted the same', () => {
    const pinged = framesOf(name).join(':\n\n')
    expect(pass([encoder.encode(pinged)], recorded)).toEqual({ out: pinged, counts, isLlamaCpp })
  })
})

describe.each(STREAM_SAMPLES)('the stream "$name"', ({ path, bytes, text, tokens }) => {
  test('is counted', () => {
    const formats = {
      '/v1/chat/completions': 'chat',
      '/v1/completions': 'chat',
      '/v1/messages': 'messages',
      '/v1/responses': 'responses',
      '/completion': 'native',
    } as const
    const format = Object.entries(formats).find(([known]) => known === path)?.[1]
    expect(pass([bytes], { format })).toMatchObject({
      out: text,
      counts: { ...tokens, exact: true },
    })
  })
})

const isUsage = (text: string): boolean => text.startsWith('data: {"choices":[],')
const isProgress = (text: string): boolean => text.includes('"prompt_progress":')

describe('frames that the gate asked for', () => {
  const asked: [string, MeterOptions['takeOut'], (text: string) => boolean][] = [
    ['chat-stream-usage', { usage: true, progress: false }, isUsage],
    ['chat-stream-progress', { usage: false, progress: true }, isProgress],
    ['chat-stream-progress-usage', { usage: true, progress: false }, isUsage],
    ['chat-stream-progress-usage', { usage: false, progress: true }, isProgress],
    [
      'chat-stream-progress-usage',
      { usage: true, progress: true },
      (text) => isUsage(text) || isProgress(text),
    ],
    [
      'chat-stream-n2',
      { usage: true, progress: true },
      (text) => isUsage(text) || isProgress(text),
    ],
    ['completions-stream-progress', { usage: true, progress: true }, isProgress],
    ['completions-two-stream', { usage: true, progress: true }, isProgress],
  ]

  describe.each(asked)('in "%s", %j', (name, takeOut, isAsked) => {
    const recorded = STREAMS.find((stream) => stream.name === name)
    const { counts, isLlamaCpp } = recorded!
    const frames = framesOf(name)
    const out = frames.filter((text) => !isAsked(text)).join('')
    const bytes = encoder.encode(frames.join(''))

    test('are there', () => {
      expect(out).not.toBe(frames.join(''))
    })

    test('are taken out wherever the stream is cut in two, and nothing else is', () => {
      for (const pieces of splitAtEvery(bytes))
        expect(pass(pieces, { ...recorded, takeOut })).toEqual({ out, counts, isLlamaCpp })
    })

    test('are taken out however many frames come at once', () => {
      const places = fc.array(fc.nat({ max: bytes.length }), { maxLength: 12 })
      fc.assert(
        fc.property(places, (cuts) => {
          const sorted = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
          const pieces = sorted.slice(1).map((cut, i) => bytes.subarray(sorted[i], cut))
          expect(pass(pieces, { ...recorded, takeOut })).toEqual({ out, counts, isLlamaCpp })
        }),
      )
    })
  })

  test('leave each choice its role', () => {
    const takeOut = { usage: true, progress: true }
    const meter = meterFor({ takeOut })
    const out = framesOf('chat-stream-n2').map((text) => through(meter, text))
    const roles = out.flatMap((text) => /"index":\d,"delta":\{"role":"assistant"/.exec(text) ?? [])
    expect(roles).toEqual([
      '"index":0,"delta":{"role":"assistant"',
      '"index":1,"delta":{"role":"assistant"',
    ])
  })

  test('are injected and taken out again: the client gets the stream as it is without them', () => {
    const plain = framesOf('chat-stream')
    const extra = fc.constantFrom(
      ...framesOf('chat-stream-progress').filter(isProgress),
      ...framesOf('chat-stream-usage').filter(isUsage),
    )
    const places = fc.array(fc.tuple(fc.nat({ max: plain.length }), extra), { maxLength: 8 })
    fc.assert(
      fc.property(places, (extras) => {
        const mixed = extras
          .toSorted(([a], [b]) => b - a)
          .reduce((frames, [at, text]) => frames.toSpliced(at, 0, text), plain)
        const meter = meterFor({ takeOut: { usage: true, progress: true } })
        expect(through(meter, mixed.join(''))).toBe(plain.join(''))
      }),
    )
  })
})

test('a stream of an unknown format passes itself and counts nothing', () => {
  const meter = meterFor({ format: undefined })
  const bytes = encoder.encode(textOf('chat-stream'))
  expect(meter.frames(bytes)).toBe(bytes)
  expect([meter.counts(), meter.isLlamaCpp()]).toEqual([undefined, false])
})

test('an answer that is no stream although one was asked for is counted', () => {
  const meter = meterFor({})
  meter.piece(encoder.encode(textOf('chat')))
  expect([meter.counts(), meter.isLlamaCpp()]).toEqual([
    { prompt: 24, cached: 0, completion: 4, exact: true },
    true,
  ])
})
