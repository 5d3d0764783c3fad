import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { joinBytes } from '../../../src/body/join-bytes.ts'

describe('joinBytes', () => {
  test('puts any pieces behind one another', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (pieces) => {
        expect([...joinBytes(pieces)]).toEqual(pieces.flatMap((piece) => [...piece]))
      }),
    )
  })

  test('gives a single piece back itself: a large body is not copied', () => {
    const piece = new Uint8Array([1, 2, 3])
    expect(joinBytes([piece])).toBe(piece)
  })

  test('copies several pieces, so that later changes of one do not show', () => {
    const piece = new Uint8Array([1])
    const joined = joinBytes([piece, new Uint8Array([2])])
    piece[0] = 9
    expect(joined).toEqual(new Uint8Array([1, 2]))
  })
})
