import { describe, expect, test } from 'vitest'
import { nominatedBy, withoutHopByHop } from '../../../src/proxy/hop-by-hop.ts'

describe('nominatedBy', () => {
  test.each([
    [undefined, []],
    ['close', ['close']],
    ['Keep-Alive, X-Foo', ['keep-alive', 'x-foo']],
    [' X-Foo ,X-Bar', ['x-foo', 'x-bar']],
    ['X-Foo,,', ['x-foo', '']],
  ])('of Connection: %s', (connection, names) => {
    expect(nominatedBy(connection)).toEqual(new Set(names))
  })
})

describe('withoutHopByHop', () => {
  test('leaves out every field of the connection, and keeps the order of the rest', () => {
    expect(
      withoutHopByHop([
        ['accept', '*/*'],
        ['connection', 'keep-alive'],
        ['keep-alive', 'timeout=5'],
        ['proxy-connection', 'keep-alive'],
        ['te', 'trailers'],
        ['trailer', 'x-sum'],
        ['transfer-encoding', 'chunked'],
        ['upgrade', 'websocket'],
        ['x-a', '1'],
        ['x-a', '2'],
      ]),
    ).toEqual([
      ['accept', '*/*'],
      ['x-a', '1'],
      ['x-a', '2'],
    ])
  })

  test('leaves out what Connection nominates, in any letters', () => {
    expect(
      withoutHopByHop([
        ['x-secret-hop', '1'],
        ['connection', 'close, X-Secret-Hop'],
        ['x-other', '2'],
      ]),
    ).toEqual([['x-other', '2']])
  })

  test('leaves out what a second Connection field nominates, too', () => {
    expect(
      withoutHopByHop([
        ['connection', 'close'],
        ['connection', 'x-hop'],
        ['x-hop', '1'],
        ['x-other', '2'],
      ]),
    ).toEqual([['x-other', '2']])
  })
})
