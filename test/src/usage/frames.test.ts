import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { framesIn, objectOf } from '../../../src/usage/frames.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const cut = (text: string): string[] =>
  framesIn(encoder.encode(text)).map((bytes) => decoder.decode(bytes))

describe('frames', () => {
  test.each([
    ['', []],
    ['a\n\n', ['a\n\n']],
    ['a\nb\n\nc\n\n', ['a\nb\n\n', 'c\n\n']],
    ['a\r\n\r\nb\r\n\r\n', ['a\r\n\r\n', 'b\r\n\r\n']],
    ['a\n\r\nb\r\n\n', ['a\n\r\n', 'b\r\n\n']],
    ['\na\n\n\n\n', ['\n', 'a\n\n', '\n', '\n']],
    ['\r\na\n\n', ['\r\n', 'a\n\n']],
    ['a\n\nb', ['a\n\n', 'b']],
    ['a\n\nb\n', ['a\n\n', 'b\n']],
    ['a\rb\n\n', ['a\rb\n\n']],
  ])('of %j are %j', (text, frames) => {
    expect(cut(text)).toEqual(frames)
  })

  test('lose no byte, and each but the last ends with its only blank line', () => {
    const stuff = fc.constantFrom('\n', '\r\n', '\r', 'a', ':', '\n\n')
    fc.assert(
      fc.property(fc.array(stuff), (parts) => {
        const text = parts.join('')
        const frames = cut(text)
        expect(frames.join('')).toBe(text)
        expect(frames.slice(0, -1).filter((each) => !/^(?:[^]*\n)?\r?\n$/.test(each))).toEqual([])
        expect(frames.filter((each) => /(?:^|\n)\r?\n[^]/.test(each))).toEqual([])
      }),
    )
  })
})

describe('the object of a frame', () => {
  test.each<[string, object | undefined]>([
    ['data: {"a":1}\n\n', { a: 1 }],
    ['data:{"a":1}\r\n\r\n', { a: 1 }],
    ['event: x\nid: 1\ndata: {"a":1}\n\n', { a: 1 }],
    ['data: {"a":\ndata: 1}\n\n', { a: 1 }],
    [': {"a":1}\n\n', undefined],
    ['data: [DONE]\n\n', undefined],
    ['data: [1]\n\n', undefined],
    ['data: null\n\n', undefined],
    ['data: 1\n\n', undefined],
    ['\n', undefined],
  ])('%j is %j', (frame, object) => {
    expect(objectOf(frame)).toEqual(object)
  })
})
