import { Buffer } from 'node:buffer'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameBuffer } from '../../../src/proxy/frame-buffer.ts'
import { splitAtEvery, STREAM_SAMPLES } from '../../support/sse-samples.ts'

const encoder = new TextEncoder()

/** What comes out for each piece that goes in, and what is left at the end. */
function pass(pieces: Uint8Array[]): { out: string[]; rest: string } {
  const frames = new FrameBuffer()
  const out = pieces.map((piece) => frames.push(piece)).filter((whole) => whole !== undefined)
  return { out: out.map(utf8), rest: utf8(frames.rest()) }
}

const passText = (...pieces: string[]): { out: string[]; rest: string } =>
  pass(pieces.map((piece) => encoder.encode(piece)))

/** Strict, so that half a character would be a failure. */
function utf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}

const isWhole = (piece: string): boolean => /\n\r?\n$/.test(piece)

/** Cuts bytes at any places. */
function cutAt(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const cuts = [...new Set(places.map((place) => place % (bytes.length + 1)))]
  const sorted = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
  return sorted.slice(1).map((cut, i) => bytes.subarray(sorted[i], cut))
}

describe.each(STREAM_SAMPLES)('the stream "$name"', ({ text, bytes }) => {
  test('cut in two at every byte comes out unchanged, in whole frames', () => {
    for (const pieces of splitAtEvery(bytes)) {
      const { out, rest } = pass(pieces)
      expect({
        text: out.join('') + rest,
        broken: out.filter((piece) => !isWhole(piece)),
        rest,
      }).toEqual({
        text,
        broken: [],
        rest: '',
      })
    }
  })

  test('byte by byte comes out one frame at a time', () => {
    const { out, rest } = pass(Array.from(bytes, (byte) => new Uint8Array([byte])))
    expect({ out, rest }).toEqual({ out: text.match(/[^]*?\n\r?\n/g), rest: '' })
  })

  test('cut at any places comes out unchanged, in whole frames', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), (places) => {
        const { out, rest } = pass(cutAt(bytes, places))
        expect({
          text: out.join(''),
          broken: out.filter((piece) => !isWhole(piece)),
          rest,
        }).toEqual({
          text,
          broken: [],
          rest: '',
        })
      }),
    )
  })

  test('broken off at every byte keeps back exactly the unfinished frame', () => {
    for (const [head] of splitAtEvery(bytes)) {
      const frames = new FrameBuffer()
      const out = frames.push(head) ?? new Uint8Array()
      const end = Buffer.from(head)
        .toString('latin1')
        .search(/(?<=\n\r?\n)(?![^]*\n\r?\n)/)
      expect([out.length, frames.rest().length]).toEqual([
        Math.max(end, 0),
        head.length - Math.max(end, 0),
      ])
    }
  })
})

describe('any bytes in any pieces', () => {
  const stuff = fc.constantFrom('\n', '\n', '\r\n', '\r', 'a', ':', '\n\n', '\r\n\r\n', '\n\r\n')

  test('come out in order and unchanged; every piece ends with a blank line, and no whole frame is held back', () => {
    fc.assert(
      fc.property(fc.array(fc.array(stuff, { maxLength: 6 })), (pieces) => {
        const texts = pieces.map((piece) => piece.join(''))

        const { out, rest } = passText(...texts)

        expect({
          text: out.join('') + rest,
          broken: out.filter((piece) => !/\n\r?\n$|^\r?\n$/.test(piece)),
          // Further line breaks behind a blank line may wait for what follows; a frame may not.
          keptBack: /[^\r\n][^]*\n\r?\n/.test(rest),
        }).toEqual({ text: texts.join(''), broken: [], keptBack: false })
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a frame boundary', () => {
  test.each([
    ['a\n\n', ['a\n\n'], ''],
    ['a\r\n\r\n', ['a\r\n\r\n'], ''],
    ['a\n\r\n', ['a\n\r\n'], ''],
    ['a\r\n\n', ['a\r\n\n'], ''],
    ['a\n\nb\n\n', ['a\n\nb\n\n'], ''],
    ['a\n\nb\n', ['a\n\n'], 'b\n'],
    ['a\n\nb', ['a\n\n'], 'b'],
    ['a\n', [], 'a\n'],
    ['a\nb\nc', [], 'a\nb\nc'],
    ['a\r\nb\r\n', [], 'a\r\nb\r\n'],
    [':\n\n:\n\n', [':\n\n:\n\n'], ''],
  ])('of %j', (text, out, rest) => {
    expect(passText(text)).toEqual({ out, rest })
  })

  test.each([
    [
      'a\r\n\r\nb',
      [
        ['a\r\n\r', '\n'],
        ['a\r\n', '\r\n'],
        ['a\r', '\n\r\n'],
        ['a', '\r\n\r\n'],
        ['a\r\n', '\r', '\n'],
        ['a', '\r', '\n', '\r', '\n'],
      ],
    ],
  ])('of CRLF is found wherever it is cut: %j', (_, cuts) => {
    expect(cuts.map((pieces) => passText(...pieces))).toEqual(
      cuts.map(() => ({ out: ['a\r\n\r\n'], rest: '' })),
    )
  })

  test('is found behind empty pieces', () => {
    expect(passText('a\r', '', '\n', '', '', '\r', '', '\n')).toEqual({
      out: ['a\r\n\r\n'],
      rest: '',
    })
  })

  test('does not hold back what follows it without being a frame of its own', () => {
    expect(passText('a\n\n', '\n', 'b\n\n')).toEqual({ out: ['a\n\n', '\nb\n\n'], rest: '' })
  })
})

describe('memory', () => {
  test('a piece of whole frames is handed on itself, not copied', () => {
    const piece = encoder.encode('data: a\n\n')
    expect(new FrameBuffer().push(piece)).toBe(piece)
  })

  test('a frame without an end is handed on beyond 16 MiB, and the next one is cut as before', () => {
    const frames = new FrameBuffer()
    const mebibyte = new Uint8Array(1024 * 1024).fill(97)
    const held = Array.from({ length: 16 }, () => frames.push(mebibyte))

    const all = frames.push(mebibyte.subarray(0, 1))

    expect({ held: new Set(held), bytes: all?.length, rest: frames.rest().length }).toEqual({
      held: new Set([undefined]),
      bytes: 16 * 1024 * 1024 + 1,
      rest: 0,
    })
    expect([frames.push(encoder.encode('a\n')), frames.push(encoder.encode('\n'))]).toEqual([
      undefined,
      encoder.encode('a\n\n'),
    ])
  })

  test('what was handed on counts no more: long frames behind one another stay whole', () => {
    const frames = new FrameBuffer()
    const long = new Uint8Array(12 * 1024 * 1024).fill(97)
    const blank = encoder.encode('\n\n')

    const out = [long, blank, long, blank].map((piece) => frames.push(piece)?.length)

    expect(out).toEqual([undefined, long.length + 2, undefined, long.length + 2])
  })
})
