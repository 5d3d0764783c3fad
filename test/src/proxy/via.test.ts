import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createViaGuard } from '../../../src/proxy/via.ts'

const guard = createViaGuard('0123abcd')
const ME = '1.1 swapgate-0123abcd'
const other = (digit: number): string => `1.1 swapgate-${String(digit).repeat(8)}`

describe('the way of a request', () => {
  test.each<[string | undefined, string]>([
    [undefined, ME],
    ['', ME],
    [other(1), `${other(1)}, ${ME}`],
    [`${other(1)},${other(2)}`, `${other(1)}, ${other(2)}, ${ME}`],
    // What stands between two gates is none of theirs.
    [`${other(1)}, 2 cloudflare, ${other(2)} (a, b)`, `${other(1)}, ${other(2)}, ${ME}`],
    ['1.1 squid.home.example, 1.0 fred', ME],
    [`HTTP/1.1 swapgate-AAAAAAAA`, `1.1 swapgate-aaaaaaaa, ${ME}`],
    [`2 swapgate-11111111`, `${other(1)}, ${ME}`],
  ])('that came with %j goes on with %j', (via, next) => {
    expect(guard.next(via)).toBe(next)
  })
})

test.each([
  [undefined, undefined],
  ['', undefined],
  ['1.1 squid.home.example', undefined],
  [`2 SWAPGATE-11111111 (a), 1.1 cdn, ${other(2)}`, `${other(1)}, ${other(2)}`],
])('of %j the gates are %j', (via, gates) => {
  expect(guard.before(via)).toBe(gates)
})

describe('a loop', () => {
  test.each([
    ME,
    `${other(1)}, ${ME}`,
    `1.1 cloudflare, ${ME} (it's \\) me), 1.1 x`,
    '2.0 SWAPGATE-0123ABCD',
    [1, 2, 3, 4].map(other).join(', '),
    Array.from({ length: 4 }, () => other(1)).join(','),
  ])('is what came with %j', (via) => {
    expect(guard.isLoop(via)).toBe(true)
  })

  test.each([
    undefined,
    '',
    [1, 2, 3].map(other).join(', '),
    '1.1 swapgate-0123abcde',
    '1.1 swapgate-0123abc',
    '1.1 x-swapgate-0123abcd',
    'swapgate-0123abcd',
    `1.1 a (${ME}), 1.1 b (, ${ME}, \\), ${ME}), 1.1 c ((, ${ME}), ${ME})`,
    `1.1 never-closed (, ${ME}`,
    '1.1 a, 1.1 b, 1.1 c, 1.1 d, 1.1 e',
  ])('is not what came with %j', (via) => {
    expect(guard.isLoop(via)).toBe(false)
  })
})

const id = fc.stringMatching(/^[0-9a-f]{8}$/)
const between = fc.constantFrom('1.1 proxy', '2 cloudflare', '1.0 a (b, c)', '', '1.1 x (y\\))')

test('a chain of gates, whatever stands between them, ends at the fifth or at the first that comes twice', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(id, fc.array(between, { maxLength: 2 })), { maxLength: 6 }),
      (chain) => {
        let via: string | undefined
        let passed: string[] = []
        for (const [name, proxies] of chain) {
          const gate = createViaGuard(name)
          expect(gate.isLoop(via)).toBe(passed.length >= 4 || passed.includes(name))
          via = [gate.next(via), ...proxies].join(', ')
          passed = [...passed, name]
        }
      },
    ),
  )
})

test('any text can be read, and what goes on holds gates only', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (via) => {
      expect(guard.next(via)).toMatch(/^(?:1\.1 swapgate-[0-9a-f]{8}, )*1\.1 swapgate-0123abcd$/)
    }),
  )
})
